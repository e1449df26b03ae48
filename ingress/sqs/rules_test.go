package sqs

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

func TestClaims(t *testing.T) {
	face := New(nil, Options{})
	f := func(method, target, body string, want bool, headers ...string) {
		t.Helper()
		var h fasthttp.RequestHeader
		h.SetMethod(method)
		h.SetRequestURI(target)
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		head := ingress.ParseHead(&h)
		head.Body = []byte(body)
		if got := face.Claims(&head); got != want {
			t.Errorf("%s %s %q %v: %v, want %v", method, target, body, headers, got, want)
		}
	}
	signed := func(service string) string {
		return "AWS4-HMAC-SHA256 Credential=K/20260102/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
	}
	f("POST", "/", "{}", true, "X-Amz-Target", "AmazonSQS.SendMessage")
	f("POST", "/", "{}", false, "X-Amz-Target", "AmazonSNS.Publish")
	f("POST", "/", "Action=SendMessage", true, "Authorization", signed("sqs"))
	f("POST", "/", "Action=SendMessage", false, "Authorization", signed("sns"))
	f("POST", "/", "Action=SendMessage&MessageBody=m", true)
	f("POST", "/", "MessageBody=Version&Action=ListQueues", true)
	f("POST", "/", "Action=Publish&Version=2010-03-31", false)
	f("POST", "/", "Action=Publish&Message=Version%3D2012-11-05", false)
	f("POST", "/", "Action=AddPermission", false)
	f("POST", "/", "Action=AddPermission&Version=2012-11-05", true)
	f("POST", "/", "", false)
	f("POST", "/000000000000/orders", "", true)
	f("POST", "/000000000000/orders", "", false, "Authorization", "MNS a:b")
	f("POST", "/000000000000/orders.fifo", "", true)
	f("POST", "/000000000000/", "", false)
	f("POST", "/00000000000x/orders", "", false)
	f("POST", "/v1/topics", "Action=SendMessage", false)
	f("GET", "/000000000000/orders?Action=ReceiveMessage&Version=2012-11-05", "", true)
	f("GET", "/000000000000/orders", "", false)
	f("GET", "/?Action=ListQueues", "", true)
	f("GET", "/?Action=ConfirmSubscription&Token=t", "", false)
	f("GET", "/", "", false)
}

// A handle is read as it was written; one of which any part is changed is none.
func TestHandles(t *testing.T) {
	want := engine.Receipt{Topic: 1<<63 + 5, Sequence: 77, Receives: 1<<32 - 1}
	handle := appendHandle([]byte("x"), want)[1:]
	if got, ok := parseHandle(handle); !ok || got != want || len(handle) != handleTextSize {
		t.Errorf("%s is %+v, %v", handle, got, ok)
	}
	for i := range handle {
		for _, b := range []byte{'A', 'B', '_', '-', '=', ' ', '\n', 0} {
			changed := []byte(string(handle))
			changed[i] = b
			if _, ok := parseHandle(changed); ok && b != handle[i] {
				t.Errorf("%s with %q at %d is a handle", handle, b, i)
			}
		}
	}
	for _, text := range []string{"", "x", string(handle[1:]), string(handle) + "A"} {
		if _, ok := parseHandle([]byte(text)); ok {
			t.Errorf("%q is a handle", text)
		}
	}
}

// The checksums are those which the service and its SDKs compute.
func TestChecksums(t *testing.T) {
	f := func(want string, attributes ...attributeView) {
		t.Helper()
		m := engine.NewMessage()
		defer m.Release()
		for _, a := range attributes {
			m.AddAttribute(a.name, a.dataType, a.value, a.binary)
		}
		var c call
		sum := c.checksum(c.sorted(m, allAttributes))
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	text := func(name, dataType, value string) attributeView {
		return attributeView{[]byte(name), []byte(dataType), []byte(value), strings.HasPrefix(dataType, "Binary")}
	}
	f("d302007e9aa062660afc85fd0a482472", text("attr1", "Number", "99.12"))
	f("f527b055e0f7ddf1cf300a1a706a5e69", text("b", "Binary", "\x02\x03\x04"), text("a", "String", "v"))
	f("4c360f3fdafd970e05fae2f149d997f5", text("Help.Me", "String", "Me"), text("Hello", "String", "There"), text("General", "String", "Kenobi"))
	f("8cbe4db156db8a94db8b801b7addb984", text("attr1", "Binary", "traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"))
	f("ae7155c6026991b6d54b11589678bf9c", text("Foo", "String", "Bar"))
}

func TestContents(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "a\t\n\r \"\\": true, "\x7f": true, "\u0080": true, "\ufffd": true, "\ud7ff\ue000\U0010ffff": true,
		"a\x00": false, "\x1f": false, "\x0b": false, "\"\\\x08": false, "\ufffe": false, "abc\uffff": false,
	} {
		if isContents([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "12": 12, "-3": -3, "9999999999": 9999999999} {
		if n, ok := parseInteger(text); n != want || !ok {
			t.Errorf("%q: %d %v", text, n, ok)
		}
	}
	for _, text := range []string{"", "-", "1.0", "1e3", "a", "99999999999", "+1"} {
		if n, ok := parseInteger(text); ok {
			t.Errorf("%q is %d", text, n)
		}
	}
}

// Every error of the engine has words of its own.
func TestSentinels(t *testing.T) {
	for _, err := range append(engine.QueueSentinels(), engine.ErrBusy, engine.ErrUnavailable, engine.ErrClosed, engine.ErrInvalid, engine.ErrTopicNotFound) {
		if f := faultOf(err); f == errInternal || f.status == 0 || f.text == "" {
			t.Errorf("%v is answered as %+v", err, f)
		}
	}
}

// A body that is too large is refused in words that the client understands, and before it was read.
func TestRefused(t *testing.T) {
	face := New(nil, Options{})
	const head = "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Type: application/x-amz-json-1.0\r\n"
	for request, want := range map[string]string{
		head + "Content-Length: 9000000\r\n\r\n":                            `{"__type":"com.amazon.coral.service#InvalidParameterValueException","message":"One or more parameters are invalid. Reason: The request is too long."}`,
		head + "Content-Length: 2\r\nTransfer-Encoding: identity\r\n\r\n{}": `{"__type":"com.amazon.coral.service#SerializationException","message":"The request's framing is malformed or ambiguous."}`,
	} {
		got := string(facetest.Do(t, face, []byte(request)))
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.HasSuffix(got, "\r\n\r\n"+want) {
			t.Errorf("%q: %s", request, got)
		}
	}
}
