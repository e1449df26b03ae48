package dms

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/apigw"
	"fanfare/ingress/facetest"
)

const (
	project  = "0123456789abcdef0123456789abcdef"
	instance = "3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c"
	styleA   = "/v2/rocketmq/" + project + "/instances/" + instance + "/messages"
	styleB   = "/v2/" + project + "/rocketmq/instances/" + instance + "/messages"
	styleC   = "/v2/" + project + "/instances/" + instance
)

// setup makes the face with the topic "orders".
func setup(t testing.TB, e *engine.Engine) *Face {
	t.Helper()
	if _, _, err := e.CreateTopic("orders", nil); err != nil {
		t.Fatal(err)
	}
	return New(e, Options{})
}

func newFace(t testing.TB) (*Face, *facetest.Recorder) {
	t.Helper()
	recorder := &facetest.Recorder{}
	return setup(t, facetest.NewEngine(t, nil, recorder)), recorder
}

// reply is what a request was answered with.
type reply struct {
	status int
	header *fasthttp.ResponseHeader
	raw    []byte
	body   map[string]any
}

// do sends one request through the real server and checks what every reply must have.
func do(t testing.TB, face ingress.Face, method, target, body string) reply {
	t.Helper()
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: fanfare.test\r\nContent-Length: %d\r\n\r\n%s", method, target, len(body), body)
	var response fasthttp.Response
	if err := response.Read(bufio.NewReader(bytes.NewReader(facetest.Do(t, face, []byte(request))))); err != nil {
		t.Fatal(err)
	}
	r := reply{status: response.StatusCode(), header: &response.Header, raw: response.Body()}
	if id := string(response.Header.Peek("X-Request-Id")); len(id) != 32 {
		t.Errorf("%s %s: request id %q", method, target, id)
	}
	if r.status == fasthttp.StatusNoContent {
		return r
	}
	if err := json.Unmarshal(r.raw, &r.body); err != nil {
		t.Fatalf("%s %s: %d with %q: %v", method, target, r.status, r.raw, err)
	}
	if got := string(response.Header.ContentType()); got != "application/json" {
		t.Errorf("%s %s: content type %q", method, target, got)
	}
	return r
}

func (r reply) wantError(t testing.TB, what string, want *apigw.Error) {
	t.Helper()
	if r.status != want.Status || r.body["error_code"] != want.Code || r.body["error_msg"] != want.Text || r.body["request_id"] == nil {
		t.Errorf("%.100s: got %d %s, want %d %s", what, r.status, r.raw, want.Status, want)
	}
}

func (r reply) wantStatus(t testing.TB, what string, want int) {
	t.Helper()
	if r.status != want {
		t.Fatalf("%s: got %d %s, want %d", what, r.status, r.raw, want)
	}
}

func TestWire(t *testing.T) {
	facetest.RunWire(t, "testdata/wire", func(t *testing.T, e *engine.Engine) ingress.Face { return setup(t, e) })
}

func TestClaims(t *testing.T) {
	f := func(target string, want bool) {
		t.Helper()
		var header fasthttp.RequestHeader
		header.SetRequestURI(target)
		h := ingress.ParseHead(&header)
		if got := new(Face).Claims(&h); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
	f(styleA, true)
	f(styleB, true)
	f(styleC+"/topics", true)
	f("/v2/reliability/x", true)
	f("/v2/"+project+"/reliability/instances/x", true)
	f("/v2/"+project+"/instances", true)
	f("/v2/"+project+"/instances?engine=rocketmq", true)
	f("/v2/kafka/"+project+"/instances/x/messages", true)
	f("/v2/"+project+"/notifications/topics", false)
	f("/v2/"+project+"/smn_topic/instances", true) // no such path anywhere
	f("/v2/notifications/subscriptions/subscribe", false)
	f("/v2", false)
	f("/v2/", false)
	f("/", false)
	f("/topics/instances/messages", false)
}

func TestRoutes(t *testing.T) {
	face, _ := newFace(t)
	f := func(method, target string, want *apigw.Error) {
		t.Helper()
		do(t, face, method, target, `{"topic":"orders","body":"m"}`).wantError(t, method+" "+target, want)
	}
	f("POST", strings.Replace(styleA, project, "0123", 1), errProject)
	f("POST", strings.Replace(styleB, project, "0123", 1), errProject)
	f("POST", strings.Replace(styleA, "rocketmq", "kafka", 1), errEngine)
	f("POST", strings.Replace(styleB, "rocketmq", "kafka", 1), errEngine)
	f("POST", strings.Replace(styleA, instance, "3f2a9c1e", 1), errInstance)
	f("POST", strings.Replace(styleA, instance, strings.ReplaceAll(instance, "-", "0"), 1), errInstance)
	f("POST", strings.Replace(styleA, instance, strings.Replace(instance, "3", "g", 1), 1), errInstance)
	f("PUT", styleA, errMethod)
	f("GET", styleA, errNotOffered)
	f("POST", styleA+"/resend", errNotOffered)
	f("GET", styleA+"/resend", errMethod)
	f("POST", styleA+"/nothing", errNoRoute)
	f("GET", strings.Replace(styleB, "messages", "trace", 1), errNotOffered)
	f("POST", strings.Replace(styleB, "messages", "groups/g/reset-message-offset", 1), errNotOffered)
	f("POST", strings.TrimSuffix(styleB, "/messages"), errNoRoute)
	f("GET", styleC+"/groups", errNotOffered)
	f("PUT", styleC+"/topics/orders", errNotOffered)
	f("PATCH", styleC+"/topics/orders", errMethod)
	f("PATCH", styleC+"/topics", errMethod)
	f("GET", styleC+"/topics/orders/status", errNotOffered)
	f("GET", styleC+"/topics/orders/nothing", errNoRoute)
	f("GET", styleC+"/users/u", errNotOffered)
	f("GET", styleC, errNotOffered)
	f("GET", "/v2/"+project+"/instances", errNotOffered)
	f("POST", "/v2/"+project+"/instances/action", errNotOffered)
	f("PATCH", "/v2/"+project+"/instances", errMethod)
	f("GET", "/v2/"+project+"/rocketmq/"+instance+"/tags", errNotOffered)
	f("GET", "/v2/"+project+"/rocketmq/nothing", errNoRoute)
	f("GET", styleC+strings.Repeat("/x", 1000), errNoRoute)
	f("GET", styleC+"/topics/absent", errTopic)
	f("GET", styleC+"/topics/a%", errTopicField)
	f("GET", styleC+"/topics/%zz", errTopicField)
	do(t, face, "POST", strings.Replace(styleA, "rocketmq", "reliability", 1)+"?topic=stray", `{"topic":"orders","body":"m"}`).wantStatus(t, "alias", 200)
	do(t, face, "POST", strings.Replace(styleB, "rocketmq", "reliability", 1)+"/", `{"topic":"orders","body":"m"}`).wantStatus(t, "alias", 200)
}

// Every error of the engine has a line in the table.
func TestCodes(t *testing.T) {
	want := map[error]string{
		engine.ErrTopicNotFound:        "400 DMS.00050004: Topic does not exist.",
		engine.ErrTopicExists:          "400 DMS.40050005: The requested topic already exists.",
		engine.ErrSubscriptionNotFound: "400 DMS.00400800: Invalid request parameter.",
		engine.ErrSubscriptionExists:   "400 DMS.00400800: Invalid request parameter.",
		engine.ErrTokenInvalid:         "400 DMS.00400800: Invalid request parameter.",
		engine.ErrTopicLimit:           "400 DMS.00400800: The instance has as many topics as it may have.",
		engine.ErrSubscriptionLimit:    "400 DMS.00400800: Invalid request parameter.",
		engine.ErrInvalid:              "400 DMS.00400800: Invalid request parameter.",
		engine.ErrHeldNotFound:         "500 DMS.00500000: Internal service error.",
		engine.ErrBusy:                 "503 APIGW.0308: The throttling threshold has been reached.",
		engine.ErrUnavailable:          "500 DMS.00500000: Internal service error.",
		engine.ErrClosed:               "503 DMS.00500000: Internal service error.",
	}
	for _, err := range engine.Sentinels() {
		code := codeOf(fmt.Errorf("wrapped: %w", err))
		if got := fmt.Sprint(code.Status, " ", code); got != want[err] {
			t.Errorf("%v: got %q, want %q", err, got, want[err])
		}
	}
	if len(codes) != len(engine.Sentinels()) {
		t.Errorf("%d lines for %d errors", len(codes), len(engine.Sentinels()))
	}
	if codeOf(errors.New("another")) != errInternal {
		t.Error("an unknown error is not internal")
	}
}

func TestClosed(t *testing.T) {
	face, _ := newFace(t)
	face.engine.Close()
	r := do(t, face, "POST", styleA, `{"topic":"orders","body":"m"}`)
	r.wantError(t, "closed", errClosing)
	if got := string(r.header.Peek("Retry-After")); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
}

func TestTopics(t *testing.T) {
	face, _ := newFace(t)
	create := func(body string, want *apigw.Error) {
		t.Helper()
		do(t, face, "POST", styleC+"/topics", body).wantError(t, body, want)
	}
	for _, name := range []string{"ab", strings.Repeat("x", 65), "a.b.c", "a b c", "é-topic", "rmq_sys_x", "TBW102", "SELF_TEST_TOPIC", ""} {
		create(`{"name":"`+name+`"}`, errName)
	}
	create(``, errEmpty)
	create(`[]`, errNotJSON)
	create(`{"name":"abc"`, errNotJSON)
	create(`{}`, errName)
	create(`{"name":1}`, errName)
	create(`{"name":"abc","queue_num":0}`, errParameter("queue_num"))
	create(`{"name":"abc","queue_num":51}`, errParameter("queue_num"))
	create(`{"name":"abc","queue_num":"8"}`, errParameter("queue_num"))
	create(`{"name":"abc","queue_num":1e99}`, errParameter("queue_num"))
	create(`{"name":"abc","permission":"x"}`, errParameter("permission"))
	create(`{"name":"abc","message_type":"x"}`, errParameter("message_type"))
	create(`{"name":"abc","topic_desc":"`+strings.Repeat("x", 201)+`"}`, errParameter("topic_desc"))
	create(`{"name":"orders"}`, errTopicExists)

	r := do(t, face, "POST", styleC+"/topics", `{"name":"%DLQ%g|1","queue_num":3,"permission":"sub","message_type":"FIFO","topic_desc":"d","brokers":["broker-0"]}`)
	r.wantStatus(t, "create", 200)
	if string(r.raw) != `{"id":"%DLQ%g|1"}` {
		t.Errorf("create: %s", r.raw)
	}
	do(t, face, "POST", styleA, `{"topic":"%DLQ%g|1","body":"m"}`).wantError(t, "send to a read-only topic", errReadOnly)

	r = do(t, face, "GET", styleC+"/topics/%25DLQ%25g%7C1", "")
	r.wantStatus(t, "show", 200)
	at := face.engine.Topic([]byte("%DLQ%g|1")).Config().CreatedAt
	dlq := fmt.Sprintf(`{"name":"%%DLQ%%g|1","total_read_queue_num":3,"total_write_queue_num":3,"permission":"sub","brokers":[{"broker_name":"broker-0","read_queue_num":3,"write_queue_num":3}],"message_type":"FIFO","topic_desc":"d","created_at":%d}`, at)
	if string(r.raw) != dlq {
		t.Errorf("show: %s", r.raw)
	}
	at = face.engine.Topic([]byte("orders")).Config().CreatedAt
	orders := fmt.Sprintf(`{"name":"orders","total_read_queue_num":8,"total_write_queue_num":8,"permission":"all","brokers":[{"broker_name":"broker-0","read_queue_num":8,"write_queue_num":8}],"message_type":"NORMAL","topic_desc":"","created_at":%d}`, at)
	list := func(query, want string) {
		t.Helper()
		if r := do(t, face, "GET", styleC+"/topics"+query, ""); string(r.raw) != want {
			t.Errorf("list %s: %s", query, r.raw)
		}
	}
	list("", `{"total":2,"max":10000,"remaining":9998,"next_offset":-1,"previous_offset":-1,"topics":[`+dlq+`,`+orders+`]}`)
	list("?limit=1", `{"total":2,"max":10000,"remaining":9998,"next_offset":1,"previous_offset":-1,"topics":[`+dlq+`]}`)
	list("?limit=1&offset=1", `{"total":2,"max":10000,"remaining":9998,"next_offset":-1,"previous_offset":0,"topics":[`+orders+`]}`)
	list("?offset=9", `{"total":2,"max":10000,"remaining":9998,"next_offset":-1,"previous_offset":0,"topics":[]}`)
	do(t, face, "GET", styleC+"/topics?limit=51", "").wantError(t, "limit", errLimit)
	do(t, face, "GET", styleC+"/topics?limit=x", "").wantError(t, "limit", errLimit)
	do(t, face, "GET", styleC+"/topics?offset=-1", "").wantError(t, "offset", errOffset)

	do(t, face, "DELETE", styleC+"/topics/orders", "").wantStatus(t, "delete", 204)
	do(t, face, "DELETE", styleC+"/topics/orders", "").wantError(t, "delete again", errTopic)
	do(t, face, "POST", styleC+"/topics?action=delete", `{"topics":[]}`).wantError(t, "none", errParameter("topics"))
	do(t, face, "POST", styleC+"/topics?action=delete", `{"topics":"x"}`).wantError(t, "a string", errParameter("topics"))
	r = do(t, face, "POST", styleC+"/topics?action=delete", `{"topics":["absent","%DLQ%g|1"]}`)
	r.wantStatus(t, "delete many", 200)
	if r.body["job_id"] == nil || len(face.engine.Topics("", "", 10)) != 0 {
		t.Errorf("delete many: %s", r.raw)
	}
}
