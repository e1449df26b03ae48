package smn

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/apigw"
	"fanfare/ingress/facetest"

	"github.com/valyala/fasthttp"
)

const (
	project   = "0123456789abcdef0123456789abcdef"
	other     = "ffffffffffffffffffffffffffffffff"
	ordersURN = "urn:smn:eu-de:" + project + ":orders"
	base      = "/v2/" + project + "/notifications"
)

// setup makes the face with the topic "orders".
func setup(t testing.TB, e *engine.Engine) *Face {
	t.Helper()
	if _, _, err := e.CreateTopic("orders", nil); err != nil {
		t.Fatal(err)
	}
	return New(e, Options{})
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
	if err := json.Unmarshal(r.raw, &r.body); err != nil {
		t.Fatalf("%s %s: %d with %q: %v", method, target, r.status, r.raw, err)
	}
	id := string(response.Header.Peek("X-Request-Id"))
	if len(id) != 32 || r.body["request_id"] != nil && r.body["request_id"] != id {
		t.Errorf("%s %s: request id %q, body %s", method, target, id, r.raw)
	}
	if got := string(response.Header.ContentType()); got != "application/json" {
		t.Errorf("%s %s: content type %q", method, target, got)
	}
	return r
}

// wantError checks status and code, and that the error has the keys of both shapes.
func (r reply) wantError(t testing.TB, what string, want *apigw.Error) {
	t.Helper()
	if r.status != want.Status || r.body["code"] != want.Code || r.body["error_code"] != want.Code ||
		r.body["message"] != want.Text || r.body["error_msg"] != want.Text {
		t.Errorf("%s: got %d %s, want %d %s", what, r.status, r.raw, want.Status, want)
	}
}

func (r reply) wantStatus(t testing.TB, what string, want int) {
	t.Helper()
	if r.status != want {
		t.Fatalf("%s: got %d %s, want %d", what, r.status, r.raw, want)
	}
}

func newFace(t testing.TB) (*Face, *facetest.Recorder) {
	t.Helper()
	recorder := &facetest.Recorder{}
	return setup(t, facetest.NewEngine(t, nil, recorder)), recorder
}

func TestWire(t *testing.T) {
	facetest.RunWire(t, "testdata/wire", func(t *testing.T, e *engine.Engine) ingress.Face { return setup(t, e) })
}

func TestClaims(t *testing.T) {
	f := func(method, target string, want bool) {
		t.Helper()
		var header fasthttp.RequestHeader
		header.SetMethod(method)
		header.SetRequestURI(target)
		h := ingress.ParseHead(&header)
		if got := new(Face).Claims(&h); got != want {
			t.Errorf("%s %s: %v", method, target, got)
		}
	}
	f("GET", "/", true)
	f("HEAD", "/", true)
	f("GET", "/?Action=ListTopics", false)
	f("POST", "/", false)
	f("GET", "/v2", true)
	f("GET", "/v2/", true)
	f("GET", "/v2x", false)
	f("POST", base+"/topics", true)
	f("POST", "/v2/wrong/notifications/topics", true)
	f("POST", "/v2/"+project+"/notifications", true)
	f("POST", "/v2/"+project+"/smn_topic/x/tags", true)
	f("POST", "/v2/"+project, true)
	f("GET", "/v2/"+project+"/nothing", true)
	f("GET", "/v2/notifications/subscriptions/subscribe", true)
	f("GET", "/rest/v2/notifications/subscription/confirm?token=x", true)
	f("GET", "/rest/v2", false)
	f("GET", "/smn/subscription/confirm", true)
	f("GET", "/smnx", false)
	f("GET", "/topics/x/messages", false)
	f("GET", "/v1/topics", false)

	for name, value := range map[string]string{"Authorization": "SDK-HMAC-SHA256 Access=a", "X-Auth-Token": "t"} {
		var header fasthttp.RequestHeader
		header.SetRequestURI("/v9/nothing")
		header.Set(name, value)
		h := ingress.ParseHead(&header)
		if !new(Face).Claims(&h) {
			t.Errorf("an unknown path with %s is not claimed", name)
		}
	}
}

// TestSignedElsewhere asks for paths that nobody serves, with the credentials of the gateway.
func TestSignedElsewhere(t *testing.T) {
	face, _ := newFace(t)
	for _, target := range []string{"/v9", "/v9/" + project + "/notifications/topics", "/v9/notifications/subscriptions/subscribe", "/rest/v2/x/subscription/confirm"} {
		reply := facetest.Do(t, face, []byte("GET "+target+" HTTP/1.1\r\nHost: h\r\nX-Auth-Token: t\r\n\r\n"))
		if !bytes.HasPrefix(reply, []byte("HTTP/1.1 404 ")) || !bytes.Contains(reply, []byte(`"error_code":"APIGW.0101"`)) {
			t.Errorf("%s: %s", target, reply)
		}
	}
}

func TestRoutes(t *testing.T) {
	face, _ := newFace(t)
	f := func(method, target string, want *apigw.Error) {
		t.Helper()
		do(t, face, method, target, "{}").wantError(t, method+" "+target, want)
	}
	f("GET", base+"/nothing", apigw.ErrNoRoute)
	f("GET", base, apigw.ErrNoRoute)
	f("GET", "/v2/"+project, apigw.ErrNoRoute)
	f("GET", "/v2/"+project+"/nothing", apigw.ErrNoRoute)
	f("GET", base+"//topics", apigw.ErrNoRoute)
	f("PATCH", base+"/topics", apigw.ErrNoRoute)
	f("GET", base+"/topics/"+ordersURN+"/publish", apigw.ErrNoRoute)
	f("POST", base+"/topics/"+ordersURN+"/publish/x", apigw.ErrNoRoute)
	f("POST", base+strings.Repeat("/x", 1000), apigw.ErrNoRoute)
	f("POST", "/v2", apigw.ErrNoRoute)
	f("GET", "/smn/SMN_eu-de_0123.pem", apigw.ErrNoRoute)
	f("POST", "/smn/subscription/confirm", apigw.ErrNoRoute)
	f("POST", "/v2/0123/notifications/topics", errProject)
	f("POST", "/v2/0123456789abcdef0123456789abcdeZ/notifications/topics", errProject)
	f("GET", "/v2/"+project+"/smn_topic/tags", errNotOffered)
	f("GET", "/v2/notifications/protocols", errNotOffered)
	f("GET", base+"/message_template", errNotOffered)
	f("GET", base+"/topics/"+ordersURN+"/attributes", errNotOffered)
	f("DELETE", base+"/subscriptions", errNotOffered)
	f("POST", base+"/subscriptions/filter_polices", errNotOffered)
	f("DELETE", base+"/subscriptions/filter_polices", errNotOffered)
	f("GET", base+"/topics/"+ordersURN+"/kms/1", errNotOffered)
}

func TestVersions(t *testing.T) {
	face, _ := newFace(t)
	const v2 = `{"id":"v2","links":[{"href":"http://fanfare.test/v2/","rel":"self"}],"min_version":"","status":"CURRENT","updated":"2018-09-19T00:00:00Z","version":""}`
	f := func(target, want string) {
		t.Helper()
		if r := do(t, face, "GET", target, ""); r.status != 200 || string(r.raw) != want {
			t.Errorf("%s: %d %s", target, r.status, r.raw)
		}
	}
	f("/", `{"versions":[`+v2+`]}`)
	f("/v2", `{"version":`+v2+`}`)
	f("/v2/", `{"version":`+v2+`}`)
}

// Every error of the engine has a line in the table.
func TestCodes(t *testing.T) {
	want := map[error]string{
		engine.ErrTopicNotFound:        "404 SMN.0006: Topic not found.",
		engine.ErrTopicExists:          "400 SMN.0002: Parameter: Name is invalid.",
		engine.ErrSubscriptionNotFound: "404 SMN.0013: Subscription resource not found.",
		engine.ErrSubscriptionExists:   "400 SMN.0043: Parameter: subscription is invalid.",
		engine.ErrTokenInvalid:         "403 SMN.0022: Parameter: token is invalid.",
		engine.ErrTopicLimit:           "403 SMN.0004: Exceeded topic limit.",
		engine.ErrSubscriptionLimit:    "403 SMN.0007: Exceeded subscription limit.",
		engine.ErrInvalid:              "400 APIGW.0201: API request error.",
		engine.ErrHeldNotFound:         "500 SMN.0018: Service internal error.",
		engine.ErrBusy:                 "503 APIGW.0308: The throttling threshold has been reached.",
		engine.ErrUnavailable:          "500 SMN.0016: Database Exceptions.",
		engine.ErrClosed:               "503 SMN.0018: Service internal error.",
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

// A throttled publish says when to come back.
func TestRetryAfter(t *testing.T) {
	face, _ := newFace(t)
	face.engine.Close()
	r := do(t, face, "POST", base+"/topics/"+ordersURN+"/publish", `{"message":"m"}`)
	r.wantError(t, "closed", errClosing)
	if got := string(r.header.Peek("Retry-After")); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
}

func TestOptionsValidate(t *testing.T) {
	f := func(o Options, want string) {
		t.Helper()
		got := ""
		if err := o.Validate(); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%+v: %q", o, got)
		}
	}
	f(Options{}, "")
	f(Options{Region: "cn-north-4", Project: other, PublicURL: "https://fan.example.org/base"}, "")
	f(Options{Region: "eu:de"}, "region")
	f(Options{Project: "x"}, "project")
	f(Options{PublicURL: "fan.example.org"}, "public_url")
	f(Options{PublicURL: "ftp://fan.example.org"}, "public_url")
}
