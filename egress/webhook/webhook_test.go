package webhook

import (
	"errors"
	"strings"
	"testing"

	"fanfare/egress"
	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	f := func(envelope, want string, ok bool) {
		t.Helper()
		c := engine.SubscriptionConfig{Envelope: envelope}
		err := New(Options{}).Check(&c)
		if ok != (err == nil) || ok && c.Envelope != want {
			t.Errorf("%q: got %q, %v", envelope, c.Envelope, err)
		}
		var field *engine.FieldError
		if err != nil && (!errors.As(err, &field) || field.Field != "envelope") {
			t.Errorf("%q: error %v names no field", envelope, err)
		}
	}
	f("", "raw", true)
	f("raw", "raw", true)
	f("cloudevents", "cloudevents", true)
	f("json", "", false)
}

func TestJudge(t *testing.T) {
	for status, want := range map[int]egress.Outcome{
		200: egress.Delivered, 204: egress.Delivered, 299: egress.Delivered,
		100: egress.Retry, 301: egress.Retry, 400: egress.Retry, 404: egress.Retry, 408: egress.Retry,
		429: egress.Retry, 500: egress.Retry, 503: egress.Retry,
		410: egress.Dead,
	} {
		if got := New(Options{}).Judge(status); got != want {
			t.Errorf("%d: got %v, want %v", status, got, want)
		}
	}
}

// rendered is a push as text, lines ended by LF.
func rendered(e egress.Encoder, m *engine.Message, attempt int) string {
	body, _ := e.Body(nil, m)
	header := e.AppendHeader(nil, m, body, attempt)
	return strings.ReplaceAll(string(header), "\r\n", "\n") + "\n" + string(body)
}

func TestRaw(t *testing.T) {
	f := func(name string, fill func(m *engine.Message), want string) {
		t.Run(name, func(t *testing.T) {
			e, m := push(t, "orders", Raw, fill)
			if diff := cmp.Diff(want, rendered(e, m, 3)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	f("plain", func(m *engine.Message) { m.Set(engine.FieldBody, []byte("hello\x00\xff")) },
		`User-Agent: fanfare
Fanfare-Topic: orders
Fanfare-Subscription: billing
Fanfare-Message-Id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324
Fanfare-Sequence: 1
Fanfare-Attempt: 3
Content-Type: application/octet-stream

hello`+"\x00\xff")
	f("content type", func(m *engine.Message) {
		m.Set(engine.FieldContentType, []byte("application/json"))
		m.Set(engine.FieldBody, []byte(`{"a":1}`))
	}, `User-Agent: fanfare
Fanfare-Topic: orders
Fanfare-Subscription: billing
Fanfare-Message-Id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324
Fanfare-Sequence: 1
Fanfare-Attempt: 3
Content-Type: application/json

{"a":1}`)
	f("line break in the content type", func(m *engine.Message) {
		m.Set(engine.FieldContentType, []byte("text/plain\r\nHost: elsewhere"))
		m.Set(engine.FieldBody, nil)
	}, `User-Agent: fanfare
Fanfare-Topic: orders
Fanfare-Subscription: billing
Fanfare-Message-Id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324
Fanfare-Sequence: 1
Fanfare-Attempt: 3
Content-Type: application/octet-stream

`)
}

func TestCloudEvents(t *testing.T) {
	f := func(name, topic string, fill func(m *engine.Message), want string) {
		t.Run(name, func(t *testing.T) {
			e, m := push(t, topic, CloudEvents, fill)
			if diff := cmp.Diff(want, rendered(e, m, 1)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	f("plain", "orders", func(m *engine.Message) { m.Set(engine.FieldBody, []byte("hello")) },
		`User-Agent: fanfare
ce-specversion: 1.0
ce-type: fanfare.message
ce-source: /v1/topics/orders
Fanfare-Subscription: billing
ce-id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324
ce-time: 2026-01-02T03:04:05.678Z
ce-sequence: 1
Fanfare-Attempt: 1
Content-Type: application/octet-stream

hello`)
	// The source is the URI /v1/topics/NS%25a%7Cb, and its '%' is encoded once more for the header.
	f("all", "NS%a|b", func(m *engine.Message) {
		m.Set(engine.FieldContentType, []byte("text/plain; charset=utf-8"))
		m.Set(engine.FieldSubject, []byte("Euro € \"100%\""))
		m.Set(engine.FieldTag, []byte("a\r\nb"))
		m.Set(engine.FieldBody, []byte("hello"))
	}, `User-Agent: fanfare
ce-specversion: 1.0
ce-type: fanfare.message
ce-source: /v1/topics/NS%2525a%257Cb
Fanfare-Subscription: billing
ce-id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324
ce-time: 2026-01-02T03:04:05.678Z
ce-sequence: 1
ce-subject: Euro%20%E2%82%AC%20%22100%25%22
ce-tag: a%0D%0Ab
Fanfare-Attempt: 1
Content-Type: text/plain; charset=utf-8

hello`)
}
