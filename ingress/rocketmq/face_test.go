package rocketmq

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"
)

func createTopic(t testing.TB, e *engine.Engine, name string) *engine.Topic {
	t.Helper()
	topic, _, err := e.CreateTopic(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return topic
}

// TestWire runs the golden files on a face with the topic "orders".
func TestWire(t *testing.T) {
	facetest.RunWire(t, "testdata/wire", func(t *testing.T, e *engine.Engine) ingress.Face {
		createTopic(t, e, "orders")
		return New(e, Options{})
	})
}

// call sends one request, with the version header, and returns the reply.
func call(t testing.TB, face ingress.Face, method, target, body string) (status int, reply string) {
	t.Helper()
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: fanfare.test\r\nx-mq-version: 2015-06-06\r\nContent-Length: %d\r\n\r\n%s", method, target, len(body), body)
	raw := facetest.Do(t, face, []byte(request))
	head, reply, _ := strings.Cut(string(raw), "\r\n\r\n")
	if _, err := fmt.Sscanf(head, "HTTP/1.1 %d", &status); err != nil {
		t.Fatal(err)
	}
	return status, reply
}

const target = "/topics/orders/messages"

func TestSendFaults(t *testing.T) {
	recorder := &facetest.Recorder{}
	e := facetest.NewEngine(t, nil, recorder)
	createTopic(t, e, "orders")
	face := New(e, Options{})
	f := func(body string, want *fault) {
		t.Helper()
		status, reply := call(t, face, "POST", target, body)
		if status != want.Status || !strings.Contains(reply, "<Code>"+want.Code+"</Code><Message>"+want.Text+"</Message>") {
			t.Errorf("%.200s: %d %s, want %+v", body, status, reply, want)
		}
	}
	message := func(children string) string { return "<Message>" + children + "</Message>" }
	withProperties := func(properties string) string {
		return message("<MessageBody>a</MessageBody><Properties>" + properties + "</Properties>")
	}
	f("", faultMalformedXML)
	f("ping", faultMalformedXML)
	f("<Messages/>", faultMessage)
	f(message(""), faultMessageBody)
	f(message("<MessageBody/>"), faultBodySize)
	f(message("<MessageBody><b/></MessageBody>"), faultMessageBody)
	f(message("<MessageBody>a</MessageBody><MessageBody>b</MessageBody>"), faultMessageBody)
	f(message("<MessageBody>"+strings.Repeat("x", bodyBytesMax+1)+"</MessageBody>"), faultBodySize)
	f(message("<MessageBody>"+strings.Repeat("x", 10<<20)+"</MessageBody>"), faultBodySize)
	f(message("<MessageBody>a</MessageBody><MessageTag>a</MessageTag><MessageTag>b</MessageTag>"), faultMessageTag)
	f(message("<MessageBody>a</MessageBody><MessageTag>"+strings.Repeat("t", 256)+"</MessageTag>"), faultTagSize)
	f(message("<MessageBody>\x01</MessageBody>"), faultContent)
	f(message("<MessageBody>a</MessageBody><x>&#xFFFE;</x>"), faultContent)
	f(message("<MessageBody>\xff</MessageBody>"), faultMalformedXML)
	f(message("<MessageBody>a</MessageBody>")+"<!-- ", faultMalformedXML)
	f(message("<MessageBody>a</MessageBody>"+strings.Repeat("<x>", 100_000)), faultMalformedXML)
	f(`<m:Message>a</m:Message>`, faultNamespace)
	f(message("<MessageBody>a</MessageBody><Properties/><Properties/>"), faultProperties)
	for _, bad := range []string{"k", ":v", "a:b:c", "a:b|c", "KEYS:1|KEYS:2", "__SHARDINGKEY:1|__SHARDINGKEY:2", "a:'b'", `"a":b`, "a:&lt;", "a&amp;:b", "<x/>"} {
		f(withProperties(bad), faultProperties)
	}
	f(withProperties("k:"+strings.Repeat("v", propertiesBytesMax)), faultPropertiesSize)
	future := time.Now().Add(41 * 24 * time.Hour).UnixMilli()
	for _, bad := range []string{"x", "-1", "1.5", fmt.Sprint(future), "9999999999999999999", "1|__STARTDELIVERTIME:2"} {
		f(withProperties("__STARTDELIVERTIME:"+bad), faultStartTime)
	}
	for _, bad := range []string{"9", "301", "x", "-30", "30|__TransCheckT:30"} {
		f(withProperties("__TransCheckT:"+bad), faultCheckTime)
	}
	f(withProperties("__TransCheckT:30|__STARTDELIVERTIME:1"), faultProperties)
	large := "<MessageBody>" + strings.Repeat("x", bodyBytesMaxSmall+1) + "</MessageBody>"
	f(message(large+"<Properties>__TransCheckT:30</Properties>"), faultBodySizeSmall)
	f(message("<Properties>__STARTDELIVERTIME:1</Properties>"+large), faultBodySizeSmall)
	e.Close()
	if got := recorder.Messages(); len(got) != 0 {
		t.Errorf("published all the same: %q", got)
	}
}

func TestSendSizes(t *testing.T) {
	e := facetest.NewEngine(t, nil, &facetest.Recorder{})
	createTopic(t, e, "orders")
	face := New(e, Options{})
	f := func(size int, properties string) {
		t.Helper()
		body := "<Message><MessageBody>" + strings.Repeat("x", size) + "</MessageBody><Properties>" + properties + "</Properties></Message>"
		if status, reply := call(t, face, "POST", target, body); status != 201 {
			t.Errorf("%d bytes: %d %s", size, status, reply)
		}
	}
	f(1, "")
	f(1, "||a:|")
	f(bodyBytesMax, "")
	f(bodyBytesMaxSmall, "__TransCheckT:10")
	f(bodyBytesMaxSmall, "__STARTDELIVERTIME:1")
	f(1, "k:"+strings.Repeat("v", propertiesBytesMax-2))
	f(1, fmt.Sprintf("__STARTDELIVERTIME:%d", time.Now().Add(40*24*time.Hour-time.Minute).UnixMilli()))
}

// TestScheduled sends a message for later: it is answered, and not dispatched yet.
func TestScheduled(t *testing.T) {
	recorder := &facetest.Recorder{}
	e := facetest.NewEngine(t, nil, recorder)
	createTopic(t, e, "orders")
	face := New(e, Options{})
	at := time.Now().Add(time.Hour).UnixMilli()
	body := fmt.Sprintf("<Message><MessageBody>later</MessageBody><Properties>__STARTDELIVERTIME:%d|</Properties></Message>", at)
	status, reply := call(t, face, "POST", target, body)
	if status != 201 || strings.Contains(reply, "ReceiptHandle") {
		t.Error(status, reply)
	}
	e.Close()
	if got := recorder.Messages(); len(got) != 0 {
		t.Errorf("dispatched at once: %q", got)
	}
	m := engine.NewMessage()
	defer m.Release()
	if fault := face.parse(m, []byte(body), &properties{}); fault != nil || m.DeliverAt() != at {
		t.Errorf("%+v, deliver at %d, want %d", fault, m.DeliverAt(), at)
	}
}

var handlePattern = regexp.MustCompile(`<ReceiptHandle>(H-[0-9a-f]{32})</ReceiptHandle></Message>$`)

// TestTransactions goes through the ends that a transaction can have.
func TestTransactions(t *testing.T) {
	recorder := &facetest.Recorder{}
	e := facetest.NewEngine(t, nil, recorder)
	createTopic(t, e, "orders")
	createTopic(t, e, "other")
	face := New(e, Options{})
	half := func(body string) string {
		t.Helper()
		status, reply := call(t, face, "POST", target, "<Message><MessageBody>"+body+"</MessageBody><Properties>__TransCheckT:30|</Properties></Message>")
		match := handlePattern.FindStringSubmatch(reply)
		if status != 201 || match == nil {
			t.Fatal(status, reply)
		}
		return match[1]
	}
	f := func(query string, wantStatus int, want string, handles ...string) {
		t.Helper()
		body := "<ReceiptHandles>"
		for _, h := range handles {
			body += "<ReceiptHandle>" + h + "</ReceiptHandle>"
		}
		status, reply := call(t, face, "DELETE", query, body+"</ReceiptHandles>")
		if status != wantStatus || !strings.Contains(reply, want) {
			t.Errorf("%s: %d %s, want %d %s", query, status, reply, wantStatus, want)
		}
	}
	failure := func(handle string) string {
		return "<Error><ErrorCode>ReceiptHandleError</ErrorCode><ErrorMessage>The receipt handle you provide is not valid.</ErrorMessage><ReceiptHandle>" + handle + "</ReceiptHandle></Error>"
	}
	const commit, rollback = target + "?consumer=GID_p&ns=I&trans=commit", target + "?consumer=&trans=rollback"
	a, b, c := half("a"), half("b"), half("c")
	f("/topics/other/messages?trans=commit", 404, failure(a), a) // of another topic
	f("/topics/nowhere/messages?trans=commit", 404, "TopicNotExist", a)
	f(rollback, 204, "", b)
	f(commit, 404, "<Errors xmlns=\"http://mq.aliyuncs.com/doc/v1\">"+failure("H-&lt;")+failure(b)+"</Errors>", "H-&lt;", a, b) // a has taken effect
	f(commit, 404, failure(a), a)
	f(rollback, 404, failure(a), a)
	f(commit, 404, failure("H-"+strings.Repeat("x", 32)), "H-"+strings.Repeat("x", 32))
	f(commit, 400, "MissingReceiptHandle")
	f(commit, 400, "MissingReceiptHandle", c, "")
	f(commit, 400, "InvalidArgument", strings.Split(strings.Repeat("h ", 17), " ")[:17]...)
	f(target+"?trans=sell", 400, "InvalidQueryString", c)
	f(target, 404, failure(c), c) // an ack of what was never consumed
	if status, reply := call(t, face, "DELETE", commit, ""); status != 400 || !strings.Contains(reply, "MissingReceiptHandle") {
		t.Error(status, reply)
	}
	for _, bad := range []string{"<ReceiptHandles>", "<Handles/>", "<ReceiptHandles><ReceiptHandle><x/></ReceiptHandle></ReceiptHandles>", `<ReceiptHandles xmlns="urn:x"/>`} {
		if status, reply := call(t, face, "DELETE", commit, bad); status != 400 {
			t.Errorf("%s: %d %s", bad, status, reply)
		}
	}
	f(commit, 204, "", c)
	e.Close()
	want := []string{
		"topic: orders\nbody: \"a\"\nattribute: \"__TransCheckT\" \"String\" \"30\"\n",
		"topic: orders\nbody: \"c\"\nattribute: \"__TransCheckT\" \"String\" \"30\"\n",
	}
	if diff := cmp.Diff(want, recorder.Messages()); diff != "" {
		t.Error(diff)
	}
}

// TestCodes walks every error of the engine through the face.
func TestCodes(t *testing.T) {
	for _, err := range engine.Sentinels() {
		f := faultOf(fmt.Errorf("wrapped: %w", err))
		if f == faultInternal && !errors.Is(err, engine.ErrUnavailable) && !errors.Is(err, engine.ErrClosed) {
			t.Errorf("%v has no code", err)
		}
		if f.Status < 400 || f.Code == "" || f.Text == "" || f.Again != errors.Is(err, engine.ErrBusy) {
			t.Errorf("%v: %+v", err, f)
		}
	}
	if faultOf(errors.New("other")) != faultInternal {
		t.Error("an unknown error is not internal")
	}
}

// TestInstance sends to instances: each is served, and only one that is no text is refused.
func TestInstance(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	createTopic(t, e, "orders")
	face := New(e, Options{})
	f := func(query string, want int) {
		t.Helper()
		status, reply := call(t, face, "POST", target+query, "<Message><MessageBody>a</MessageBody></Message>")
		if status != want || want == 400 && !strings.Contains(reply, "<Code>InvalidQueryString</Code>") {
			t.Errorf("%q: %d %s", query, status, reply)
		}
	}
	f("?ns=", 201)
	f("?ns", 201)
	f("?ns=MQ_INST_1%5Fa&x=%zz", 201)
	f("?ns=%zz", 400)
	f("?ns=a%", 400)
	f("?ns=a&ns=%4", 400)
}

func TestClaims(t *testing.T) {
	f := func(target, name, value string, want bool) {
		t.Helper()
		var header fasthttp.RequestHeader
		header.SetRequestURI(target)
		header.Set(name, value)
		h := ingress.ParseHead(&header)
		if got := New(nil, Options{}).Claims(&h); got != want {
			t.Errorf("%s, %s: %s: %v", target, name, value, got)
		}
	}
	f("/topics/a/messages", "Authorization", "MQ a:b", true)
	f("/topics/a/messages?ns=i", "x-mq-version", "2015-06-06", true)
	f("/topics", "Authorization", "MQ a:b", true)
	f("/topics/a/messages", "Authorization", "MNS a:b", false)
	f("/topics/a/messages", "Authorization", "MNS4-HMAC-SHA256 Credential=a", false)
	f("/topics/a/messages", "x-mns-version", "2015-06-06", false)
	f("/topics/a/messages", "Date", "x", false)
	f("/queues/a/messages", "Authorization", "MQ a:b", false)
	f("/nothing", "Authorization", "MQ a:b", true)
	f("/nothing", "x-mq-version", "2015-06-06", true)
	f("/nothing", "Date", "x", false)
	f("/", "x-mq-version", "2015-06-06", false)
	f("/v2/p/notifications", "x-mq-version", "2015-06-06", false)
}

// TestClosed sends to an engine that was closed: the reply says that it is not the client's fault.
func TestClosed(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	createTopic(t, e, "orders")
	e.Close()
	for _, properties := range []string{"", "__TransCheckT:30"} {
		status, reply := call(t, New(e, Options{}), "POST", target, "<Message><MessageBody>a</MessageBody><Properties>"+properties+"</Properties></Message>")
		if status != 500 || !strings.Contains(reply, "<Code>InternalError</Code>") {
			t.Error(status, reply)
		}
	}
}
