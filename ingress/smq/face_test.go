package smq

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

// TestWire runs the golden files on a face with the topic "orders" and its subscription "hook".
func TestWire(t *testing.T) {
	facetest.RunWire(t, "testdata/wire", func(t *testing.T, e *engine.Engine) ingress.Face {
		topic := createTopic(t, e, "orders")
		put(t, e, topic, engine.SubscriptionConfig{Name: "hook", Kind: "smq", Envelope: "xml", Endpoint: "http://127.0.0.1:9090/hook"})
		put(t, e, topic, engine.SubscriptionConfig{Name: "other", Kind: "webhook", Endpoint: "http://127.0.0.1:9090/"})
		return New(e, Options{})
	})
}

func put(t *testing.T, e *engine.Engine, topic *engine.Topic, config engine.SubscriptionConfig) {
	t.Helper()
	if _, _, err := e.PutSubscription(topic, config); err != nil {
		t.Fatal(err)
	}
}

// call sends one request, with the version header, and returns the reply.
func call(t testing.TB, face ingress.Face, method, target, body string, header ...string) (status int, reply string) {
	t.Helper()
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: fanfare.test\r\nx-mns-version: 2015-06-06\r\nContent-Length: %d\r\n", method, target, len(body))
	for _, h := range header {
		request += h + "\r\n"
	}
	raw := facetest.Do(t, face, []byte(request+"\r\n"+body))
	head, reply, _ := strings.Cut(string(raw), "\r\n\r\n")
	if _, err := fmt.Sscanf(head, "HTTP/1.1 %d", &status); err != nil {
		t.Fatal(err)
	}
	return status, reply
}

const ns = `xmlns="http://mns.aliyuncs.com/doc/v1/"`

var codePattern = regexp.MustCompile(`<Code>(.*)</Code><Message>(.*)</Message><RequestId>[0-9A-F]{24}</RequestId><HostId>http://fanfare.test</HostId></Error>$`)

// wantFault checks that a reply is the fault.
func wantFault(t testing.TB, status int, reply string, want *fault) {
	t.Helper()
	match := codePattern.FindStringSubmatch(reply)
	if status != want.Status || match == nil || match[1] != want.Code {
		t.Errorf("%d %s, want %d %s", status, reply, want.Status, want.Code)
	}
}

func TestPublishFaults(t *testing.T) {
	recorder := &facetest.Recorder{}
	e := facetest.NewEngine(t, nil, recorder)
	createTopic(t, e, "orders")
	face := New(e, Options{})
	f := func(body string, want *fault) {
		t.Helper()
		status, reply := call(t, face, "POST", "/topics/orders/messages", body)
		wantFault(t, status, reply, want)
	}
	message := func(children string) string { return "<Message " + ns + ">" + children + "</Message>" }
	f("", faultMalformedXML)
	f("ping", faultMalformedXML)
	f(`{"MessageBody":"ping"}`, faultMalformedXML)
	f("<Queue "+ns+"/>", faultMessage)
	f(message(""), faultMessageBody)
	f(message("ping"), faultMessageBody)
	f(message("<MessageBody/>"), faultBodySize)
	f(message("<MessageBody><b/></MessageBody>"), faultMessageBody)
	f(message("<MessageBody>a</MessageBody><MessageBody/>"), faultMessageBody)
	f(message("<messagebody>a</messagebody>"), faultMessageBody)
	f(message(`<MessageBody xmlns="urn:x">a</MessageBody>`), faultMessageBody)
	f(message("<MessageBody>a</MessageBody><MessageTag>a</MessageTag><MessageTag>b</MessageTag>"), faultMessageTag)
	f(message("<MessageBody>a</MessageBody><MessageTag>"+strings.Repeat("t", 256)+"</MessageTag>"), faultTagSize)
	f(message("<MessageBody>"+strings.Repeat("x", 65537)+"</MessageBody>"), faultBodySize)
	f(message("<MessageBody>"+strings.Repeat("x", 10<<20)+"</MessageBody>"), faultBodySize)
	f(message("<MessageBody>\x01</MessageBody>"), faultMalformedXML)
	f(message("<MessageBody>&#1;</MessageBody>"), faultMalformedXML)
	f(message("<MessageBody>\xff</MessageBody>"), faultMalformedXML)
	f(message("<MessageBody>&nbsp;</MessageBody>"), faultMalformedXML)
	f(message("<MessageBody>a</MessageBody>")+"x", faultMalformedXML)
	f(message("<MessageBody>a</MessageBody>")+message(""), faultMalformedXML)
	f(`<?xml version="1.0" encoding="GBK"?>`+message("<MessageBody>a</MessageBody>"), faultMalformedXML)
	f("<!DOCTYPE Message>"+message("<MessageBody>a</MessageBody>"), faultMalformedXML)
	f(message("<MessageBody>a</MessageBody>"+strings.Repeat("<x>", 100_000)), faultMalformedXML)
	f(message("<MessageBody>a</MessageBody>"+strings.Repeat("<x>", 70)+strings.Repeat("</x>", 70)), faultMalformedXML)
	f(message("<MessageBody>a</MessageBody><UserProperties><PropertyValue><Value>v</Value></PropertyValue></UserProperties>"), faultProperties)
	f(message("<MessageBody>a</MessageBody><UserProperties><PropertyValue><Name>n</Name><Type>DATE</Type></PropertyValue></UserProperties>"), faultProperties)
	f(message("<MessageBody>a</MessageBody><UserProperties><PropertyValue><Name>n</Name><Value>?</Value><Type>BINARY</Type></PropertyValue></UserProperties>"), faultProperties)
	f(`<m:Message>a</m:Message>`, faultNamespace)
	e.Close()
	if got := recorder.Messages(); len(got) != 0 {
		t.Errorf("published all the same: %q", got)
	}
}

func TestPublishSizes(t *testing.T) {
	e := facetest.NewEngine(t, nil, &facetest.Recorder{})
	createTopic(t, e, "orders")
	if _, _, err := e.CreateTopic("small", map[string]string{labelMaximumMessageSize: "1024"}); err != nil {
		t.Fatal(err)
	}
	face := New(e, Options{})
	f := func(topic, body, tag string, want int) {
		t.Helper()
		document := "<Message " + ns + "><MessageBody>" + body + "</MessageBody><MessageTag>" + tag + "</MessageTag></Message>"
		if status, reply := call(t, face, "POST", "/topics/"+topic+"/messages", document); status != want {
			t.Errorf("%d bytes: %d %s", len(body), status, reply)
		}
	}
	f("orders", "x", "", 201)
	f("orders", strings.Repeat("x", 65536), strings.Repeat("t", 255), 201)
	f("orders", strings.Repeat("&quot;", 65536), "", 201) // six times as long on the wire
	f("orders", strings.Repeat("&quot;", 65537), "", 400)
	f("small", strings.Repeat("x", 1024), "", 201)
	f("small", strings.Repeat("x", 1025), "", 400)
}

func TestMissingNamespace(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	createTopic(t, e, "orders")
	f := func(setting, agent, contentType string, want int) {
		t.Helper()
		face := New(e, Options{MissingNamespace: setting})
		for _, root := range []string{`<Message>`, `<Message xmlns="">`} {
			body := root + `<MessageBody>a</MessageBody></Message>`
			status, reply := call(t, face, "POST", "/topics/orders/messages", body, "User-Agent: "+agent, "Content-Type: "+contentType)
			if status != want {
				t.Errorf("%s, %s: %d %s", setting, agent, status, reply)
			}
		}
	}
	f("sdk", "aliyun-sdk-go/1.0.11(linux/-/amd64;1.26.8)", "application/xml", 201)
	f("sdk", "mns-go-sdk/1.0.2(fasthttp)", "application/xml", 201)
	f("sdk", "Node/v20.20.2 (linux)", "text/xml;charset=utf-8", 201)
	f("sdk", "Node/v20.20.2 (linux)", "text/xml", 400)
	f("sdk", "Go-http-client/1.1", "application/xml", 400)
	f("sdk", "curl/8.5.0", "text/xml", 400)
	f("accept", "curl/8.5.0", "text/xml", 201)
	f("error", "aliyun-sdk-go/1.0.11(linux/-/amd64;1.26.8)", "application/xml", 400)
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
	if f := faultOf(&engine.FieldError{Field: "endpoint", Reason: "has no host"}); f.Code != "EndpointInvalid" || !strings.Contains(f.Text, "has no host") {
		t.Errorf("%+v", f)
	}
	if f := faultOf(&engine.FieldError{Field: "name", Reason: "is bad"}); f.Code != "InvalidArgument" {
		t.Errorf("%+v", f)
	}
}

var timePattern = regexp.MustCompile(`<(CreateTime|LastModifyTime)>(\d{10})<`)

// TestTopics goes through the life of a topic.
func TestTopics(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	face := New(e, Options{})
	f := func(method, target, body string, wantStatus int, want string, header ...string) {
		t.Helper()
		status, reply := call(t, face, method, target, body, header...)
		reply = timePattern.ReplaceAllString(reply, "<$1>T<")
		if status != wantStatus || !strings.Contains(reply, want) {
			t.Errorf("%s %s: %d %s\nwant %d %s", method, target, status, reply, wantStatus, want)
		}
	}
	attributes := func(size int, logging string) string {
		return fmt.Sprintf("<Topic %s><TopicName>a-1</TopicName><CreateTime>T</CreateTime><LastModifyTime>T</LastModifyTime><MaximumMessageSize>%d</MaximumMessageSize>"+
			"<MessageRetentionPeriod>86400</MessageRetentionPeriod><MessageCount>0</MessageCount><LoggingEnabled>%s</LoggingEnabled></Topic>", ns, size, logging)
	}
	f("GET", "/topics/a-1", "", 404, "TopicNotExist")
	f("PUT", "/topics/a-1", "", 201, "")
	f("GET", "/topics/a-1", "", 200, attributes(65536, "False"))
	f("PUT", "/topics/a-1", "<Topic "+ns+"/>", 204, "")
	f("PUT", "/topics/a-1", "<Topic "+ns+"><LoggingEnabled>False</LoggingEnabled><MaximumMessageSize>65536</MaximumMessageSize></Topic>", 204, "")
	f("PUT", "/topics/a-1", "<Topic "+ns+"><LoggingEnabled>TRUE</LoggingEnabled></Topic>", 409, "TopicAlreadyExist")
	f("PUT", "/topics/a-1?metaoverride=true", "<Topic "+ns+"><LoggingEnabled>TRUE</LoggingEnabled></Topic>", 204, "")
	f("PUT", "/topics/a-1?MetaOverride=True", "<Topic "+ns+"><MaximumMessageSize>1024</MaximumMessageSize></Topic>", 204, "")
	f("GET", "/topics/a-1", "", 200, attributes(1024, "True"))
	f("PUT", "/topics/b?metaoverride=true", "<Topic "+ns+"/>", 404, "TopicNotExist")
	// Values out of range, and what is no value.
	f("PUT", "/topics/b", "<Topic "+ns+"><MaximumMessageSize>1023</MaximumMessageSize></Topic>", 400, "<Message>The value of MaximumMessageSize should between 1024 and 65536 bytes.</Message>")
	f("PUT", "/topics/b", "<Topic "+ns+"><MaximumMessageSize>65537</MaximumMessageSize></Topic>", 400, "InvalidArgument")
	f("PUT", "/topics/b", "<Topic "+ns+"><MaximumMessageSize>x</MaximumMessageSize></Topic>", 400, "cause by MaximumMessageSize.")
	f("PUT", "/topics/b", "<Topic "+ns+"><LoggingEnabled>1</LoggingEnabled></Topic>", 400, "cause by LoggingEnabled.")
	f("PUT", "/topics/b", "<Topic "+ns+"><LoggingEnabled>true</LoggingEnabled><LoggingEnabled>true</LoggingEnabled></Topic>", 400, "cause by LoggingEnabled.")
	f("PUT", "/topics/b", "<Topic "+ns+">", 400, "MalformedXML")
	f("PUT", "/topics/b", "<Topic/>", 400, "cause by xmlns.")
	f("PUT", "/topics/b", "<Queue "+ns+"/>", 400, "cause by Topic.")
	f("PUT", "/topics/b", "<Topic "+ns+"/>", 400, "InvalidDigest", "Content-MD5: df4P6dz3C9MLhVL4yA+Hdg==")
	// Names.
	f("PUT", "/topics/"+strings.Repeat("n", 120), "", 201, "")
	f("PUT", "/topics/"+strings.Repeat("n", 121), "", 400, "TopicNameLengthError")
	f("PUT", "/topics/", "", 400, "TopicNameLengthError")
	f("PUT", "/topics/-a", "", 400, "TopicNameInvalid")
	f("PUT", "/topics/a_b", "", 400, "TopicNameInvalid")
	f("PUT", "/topics/a%2Fb", "", 400, "TopicNameInvalid")
	f("PUT", "/topics/a%", "", 400, "InvalidRequestURL")
	f("PUT", "/topics/%62%2d2", "", 201, "")
	f("GET", "/topics/b-2", "", 200, "<TopicName>b-2</TopicName>")
	f("POST", "/topics/b-2", "", 400, "InvalidRequestURL")
	f("DELETE", "/topics", "", 400, "InvalidRequestURL")
	f("DELETE", "/topics/b-2", "", 204, "")
	f("DELETE", "/topics/b-2", "", 204, "")
	f("GET", "/topics/b-2", "", 404, "TopicNotExist")
	// A topic that another face made has the defaults, and a name this one would not give.
	createTopic(t, e, "under_score")
	f("GET", "/topics/under_score", "", 200, "<MaximumMessageSize>65536</MaximumMessageSize>")
	f("PUT", "/topics/under_score", "", 204, "")
}

// TestLists walks pages.
func TestLists(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	face := New(e, Options{})
	names := []string{"a", "b1", "b2", "b3", "c"}
	for _, name := range names {
		topic := createTopic(t, e, name)
		put(t, e, topic, engine.SubscriptionConfig{Name: "hidden", Endpoint: "http://127.0.0.1/"})
	}
	for _, name := range []string{"s3", "s1", "t", "s2"} {
		put(t, e, e.Topic([]byte("a")), engine.SubscriptionConfig{Name: name, Kind: "smq", Envelope: "json", Endpoint: "http://127.0.0.1/", FilterTag: "<x>"})
	}
	walk := func(target, element, prefix string) (found []string, pages int) {
		t.Helper()
		pattern := regexp.MustCompile("<" + element + ">(.*?)</" + element + ">")
		for marker := ""; ; {
			status, reply := call(t, face, "GET", target, "", "x-mns-prefix: "+prefix, "x-mns-ret-number: 2", "x-mns-marker: "+marker)
			if status != 200 {
				t.Fatal(status, reply)
			}
			pages++
			for _, m := range pattern.FindAllStringSubmatch(reply, -1) {
				found = append(found, m[1])
			}
			next := regexp.MustCompile("<NextMarker>(.*)</NextMarker>").FindStringSubmatch(reply)
			if next == nil {
				return found, pages
			}
			marker = next[1]
		}
	}
	f := func(target, element, prefix string, wantPages int, want ...string) {
		t.Helper()
		got, pages := walk(target, element, prefix)
		if diff := cmp.Diff(want, got); diff != "" || pages != wantPages {
			t.Errorf("%d pages, want %d (-want +got):\n%s", pages, wantPages, diff)
		}
	}
	f("/topics", "TopicName", "", 3, names...)
	f("/topics", "TopicName", "b", 2, "b1", "b2", "b3")
	f("/topics", "TopicURL", "a", 1, "http://fanfare.test/topics/a")
	f("/topics", "TopicName", "x", 1)
	base := "http://fanfare.test/topics/a/subscriptions/"
	f("/topics/a/subscriptions", "SubscriptionURL", "s", 2, base+"s1", base+"s2", base+"s3")
	f("/topics/b1/subscriptions", "SubscriptionURL", "", 1)

	_, reply := call(t, face, "GET", "/topics", "", "x-mns-with-meta: true")
	if got := strings.Count(reply, "<MaximumMessageSize>65536</MaximumMessageSize>"); got != len(names) {
		t.Error(reply)
	}
	_, reply = call(t, face, "GET", "/topics/a/subscriptions", "", "x-mns-with-meta: TRUE")
	if got := strings.Count(reply, "<NotifyContentFormat>JSON</NotifyContentFormat><FilterTag>&lt;x&gt;</FilterTag>"); got != 4 {
		t.Error(reply)
	}
	for _, header := range []string{"x-mns-ret-number: 0", "x-mns-ret-number: 1001", "x-mns-ret-number: x", "x-mns-marker: ?"} {
		if status, reply := call(t, face, "GET", "/topics", "", header); status != 400 || !strings.Contains(reply, "InvalidArgument") {
			t.Errorf("%s: %d %s", header, status, reply)
		}
	}
	if status, reply := call(t, face, "GET", "/topics/nowhere/subscriptions", ""); status != 404 {
		t.Error(status, reply)
	}
}

// TestSubscriptions goes through the life of a subscription.
func TestSubscriptions(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	topic := createTopic(t, e, "orders")
	put(t, e, topic, engine.SubscriptionConfig{Name: "taken", Endpoint: "http://127.0.0.1/"})
	face := New(e, Options{Account: "42"})
	f := func(method, target, children string, wantStatus int, want string) {
		t.Helper()
		body := ""
		if method == "PUT" {
			body = "<Subscription " + ns + ">" + children + "</Subscription>"
		}
		status, reply := call(t, face, method, target, body)
		reply = timePattern.ReplaceAllString(reply, "<$1>T<")
		if status != wantStatus || !strings.Contains(reply, want) {
			t.Errorf("%s %s: %d %s\nwant %d %s", method, target, status, reply, wantStatus, want)
		}
	}
	const hook = "/topics/orders/subscriptions/hook"
	const endpoint = "<Endpoint>http://127.0.0.1:9090/hook?x=1&amp;y</Endpoint>"
	f("GET", hook, "", 404, "SubscriptionNotExist")
	f("PUT", hook, endpoint+"<FilterTag>red</FilterTag><NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>", 201, "")
	want := &engine.SubscriptionConfig{
		Name: "hook", Kind: "smq", Endpoint: "http://127.0.0.1:9090/hook?x=1&y", Envelope: "simplified", FilterTag: "red",
		MaxInFlight: 64, Pipeline: 1, Protocol: "http", Labels: map[string]string{"smq.NotifyStrategy": "EXPONENTIAL_DECAY_RETRY"},
		Retry: engine.RetryPolicy{
			Backoff: engine.BackoffDoubling, Jitter: engine.JitterNone, MinDelay: time.Second, MaxDelay: 512 * time.Second,
			MaxAttempts: 177, MaxAge: 72 * time.Hour, Deaf: true,
		},
	}
	got := topic.Subscription("hook").Config().Clone()
	got.CreatedAt, got.UpdatedAt = 0, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	f("GET", hook, "", 200, "<Subscription "+ns+"><SubscriptionName>hook</SubscriptionName><Subscriber>42</Subscriber><TopicOwner>42</TopicOwner><TopicName>orders</TopicName>"+
		endpoint+"<NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat><FilterTag>red</FilterTag><CreateTime>T</CreateTime><LastModifyTime>T</LastModifyTime></Subscription>")
	f("PUT", hook, endpoint+"<FilterTag>red</FilterTag><NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>", 204, "")
	f("PUT", hook, endpoint, 409, "SubscriptionAlreadyExist")
	f("PUT", hook+"?metaoverride=true", "<NotifyStrategy>BACKOFF_RETRY</NotifyStrategy>", 204, "")
	if c := topic.Subscription("hook").Config(); c.Retry.MaxAttempts != 4 || c.Retry.MinDelay != 10*time.Second || c.FilterTag != "red" {
		t.Errorf("%+v", c)
	}
	f("PUT", hook+"?metaoverride=true", "<FilterTag>blue</FilterTag>", 204, "")
	f("GET", hook, "", 200, "<NotifyStrategy>BACKOFF_RETRY</NotifyStrategy><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat><FilterTag>blue</FilterTag>")
	f("PUT", "/topics/orders/subscriptions/nowhere?metaoverride=true", "", 404, "SubscriptionNotExist")
	f("PUT", "/topics/nowhere/subscriptions/a", endpoint, 404, "TopicNotExist")
	// Subscriptions of other kinds are not shown, but their names are taken.
	f("GET", "/topics/orders/subscriptions/taken", "", 404, "SubscriptionNotExist")
	f("DELETE", "/topics/orders/subscriptions/taken", "", 404, "SubscriptionNotExist")
	f("PUT", "/topics/orders/subscriptions/taken", endpoint, 409, "SubscriptionAlreadyExist")
	// Endpoints.
	for _, bad := range []string{
		"", "<Endpoint/>", "<Endpoint>127.0.0.1</Endpoint>", "<Endpoint>http://</Endpoint>", "<Endpoint>http://a b/</Endpoint>", "<Endpoint>ftp://a/</Endpoint>",
		"<Endpoint>acs:mns:0:127:queues/q</Endpoint>", "<Endpoint>mail:directmail:a@b.c</Endpoint>", "<Endpoint>sms:directsms:anonymous</Endpoint>", "<Endpoint>push:1</Endpoint>",
	} {
		f("PUT", "/topics/orders/subscriptions/bad", bad, 400, "EndpointInvalid")
	}
	f("PUT", "/topics/orders/subscriptions/tls", "<Endpoint>HTTPS://127.0.0.1</Endpoint>", 201, "")
	// Values that are none.
	f("PUT", "/topics/orders/subscriptions/bad", endpoint+"<NotifyStrategy>NEVER</NotifyStrategy>", 400, "cause by NotifyStrategy.")
	f("PUT", "/topics/orders/subscriptions/bad", endpoint+"<NotifyContentFormat>STREAM</NotifyContentFormat>", 400, "cause by NotifyContentFormat.")
	f("PUT", "/topics/orders/subscriptions/bad", endpoint+endpoint, 400, "cause by Endpoint.")
	f("PUT", "/topics/orders/subscriptions/bad", "<Endpoint><a/></Endpoint>", 400, "cause by Endpoint.")
	f("PUT", "/topics/orders/subscriptions/bad", endpoint+"<FilterTag>"+strings.Repeat("t", 256)+"</FilterTag>", 400, "InvalidArgument")
	f("PUT", "/topics/orders/subscriptions/tagged", endpoint+"<FilterTag>"+strings.Repeat("t", 255)+"</FilterTag><DlqPolicy><Enabled>true</Enabled></DlqPolicy>", 201, "")
	// Names.
	f("PUT", "/topics/orders/subscriptions/"+strings.Repeat("n", 255), endpoint, 201, "")
	f("PUT", "/topics/orders/subscriptions/"+strings.Repeat("n", 256), endpoint, 400, "SubscriptionNameLengthError")
	f("PUT", "/topics/orders/subscriptions/a.b", endpoint, 400, "SubscriptionNameInvalid")
	f("PUT", "/topics/orders/subscriptions/a%2", endpoint, 400, "InvalidRequestURL")
	f("PUT", hook+"/deeper", endpoint, 400, "InvalidRequestURL")
	f("GET", hook+"/deeper", "", 400, "InvalidRequestURL")
	f("POST", hook, "", 400, "InvalidRequestURL")
	f("DELETE", hook, "", 204, "")
	f("DELETE", hook, "", 404, "SubscriptionNotExist")
	if status, reply := call(t, face, "PUT", hook, ""); status != 400 || !strings.Contains(reply, "MalformedXML") {
		t.Error(status, reply)
	}
}

func TestClaims(t *testing.T) {
	f := func(target string, want bool) {
		t.Helper()
		var header fasthttp.RequestHeader
		header.SetRequestURI(target)
		h := ingress.ParseHead(&header)
		if got := New(nil, Options{}).Claims(&h); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
	f("/topics", true)
	f("/topics/a/messages", true)
	f("/queues/a/messages?waitseconds=3", true)
	f("/?accountmeta=true", true)
	f("/commonbuy/openservice", true)
	f("/", false)
	f("/?Action=Publish", false)
	f("/topicsx", false)
	f("/v1/topics/a", false)

	var header fasthttp.RequestHeader
	header.Set("x-mns-version", "2015-06-06")
	for target, want := range map[string]bool{"/nothing": true, "//topics/a/messages": true, "/": false, "/v2/p/notifications": false} {
		header.SetRequestURI(target)
		h := ingress.ParseHead(&header)
		if got := New(nil, Options{}).Claims(&h); got != want {
			t.Errorf("%s with the version header: %v", target, got)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	face := New(e, Options{})
	f := func(header, want string) {
		t.Helper()
		reply := facetest.Do(t, face, []byte("GET /topics HTTP/1.1\r\nHost: a\r\n"+header+"\r\n"))
		if !strings.Contains(string(reply), want) {
			t.Errorf("%q: %s", header, reply)
		}
	}
	f("", "<Code>MissingAuthorizationHeader</Code>")
	f("Authorization: MNS a:b\r\n", "<Code>MissingVersionHeader</Code>")
	f("Authorization: Basic YTpi\r\n", "<Code>InvalidAuthorizationHeader</Code>")
	f("x-mns-version: 2015-06-06\r\n", " 200 OK")
	f("X-MNS-Version: 2015-06-06\r\nAuthorization: MNS a:b\r\n", " 200 OK")
}

func TestValidate(t *testing.T) {
	if err := (Options{}).Validate(); err != nil {
		t.Error(err)
	}
	err := Options{Account: "a b", MissingNamespace: "maybe"}.Validate()
	if err == nil || !strings.Contains(err.Error(), "Account") || !strings.Contains(err.Error(), "MissingNamespace") {
		t.Error(err)
	}
}

// TestClosed publishes to an engine that was closed: the reply is the protocol's, and says that it is not the client's fault.
func TestClosed(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	createTopic(t, e, "orders")
	e.Close()
	status, reply := call(t, New(e, Options{}), "POST", "/topics/orders/messages", "<Message "+ns+"><MessageBody>a</MessageBody></Message>")
	wantFault(t, status, reply, faultInternal)
}
