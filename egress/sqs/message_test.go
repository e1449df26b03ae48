package sqs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fanfare/egress/kindtest"
	"fanfare/egress/sns"
	"fanfare/egress/webhook"
	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

const queueURL = "http://127.0.0.1:9324/000000000000/dead"

// text is the encoder of a push that is the message's text alone.
type text struct{}

func (text) Body(scratch []byte, m *engine.Message) (body, grown []byte)        { return m.Body(), scratch }
func (text) AppendHeader(dst []byte, _ *engine.Message, _ []byte, _ int) []byte { return dst }
func (text) Bare() bool                                                         { return true }

// push commits a message and returns it with its subscription, which is of the kind webhook.
func push(t testing.TB, envelope string, fill func(m *engine.Message)) (*engine.Subscription, *engine.Message) {
	t.Helper()
	f := kindtest.NewFixture(t, webhook.New(webhook.Options{}), "orders", engine.SubscriptionConfig{
		Name: "billing", Endpoint: "http://127.0.0.1:9/hook", Envelope: envelope,
	})
	return f.Subscription, f.Commit(t, fill)
}

func TestHeader(t *testing.T) {
	e := newEncoder(contentFor(text{}, queueURL), queueURL)
	want := "X: y\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nUser-Agent: fanfare\r\n"
	if got := string(e.AppendHeader([]byte("X: y\r\n"), nil, []byte("{"), 3)); got != want {
		t.Errorf("got %q", got)
	}
}

// TestBare has what is sent for a subscriber that gets the text alone.
func TestBare(t *testing.T) {
	f := func(name, queue string, fill func(m *engine.Message), want string) {
		t.Helper()
		s, m := push(t, "raw", fill)
		body, _ := New(Options{}).Wrap(webhook.New(webhook.Options{}).Compile(s), queue).Body(nil, m)
		if diff := cmp.Diff(want, string(body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	attribute := func(m *engine.Message, name, kind, value string) {
		m.AddAttribute([]byte(name), []byte(kind), []byte(value), strings.HasPrefix(kind, "Binary"))
	}
	const head = `{"QueueUrl":"` + queueURL + `","MessageBody":`
	f("plain", queueURL, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("a \"b\"\n\t<é>")) }, head+`"a \"b\"\n\t<é>"}`)
	f("attributes", queueURL, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("x"))
		attribute(m, "a", "String", "v \"1\"")
		attribute(m, "b", "Binary.png", "\x02\x03\x04")
		attribute(m, "c", "Number", "99.12")
		attribute(m, "d", "String.Array", `["x"]`)
	}, head+`"x","MessageAttributes":{"a":{"DataType":"String","StringValue":"v \"1\""},"b":{"DataType":"Binary.png","BinaryValue":"AgME"},`+
		`"c":{"DataType":"Number","StringValue":"99.12"},"d":{"DataType":"String.Array","StringValue":"[\"x\"]"}}}`)
	f("binary", queueURL, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("\x00\xff"))
		attribute(m, "a", "String", "v")
	}, head+`"AP8=","MessageAttributes":{"fanfare.encoding":{"DataType":"String","StringValue":"base64"},"a":{"DataType":"String","StringValue":"v"}}}`)

	// All attributes travel, or none.
	plain := head + `"x"}`
	for name, fill := range map[string]func(m *engine.Message){
		"eleven": func(m *engine.Message) {
			for i := range 11 {
				attribute(m, fmt.Sprint("a", i), "String", "v")
			}
		},
		"empty value":       func(m *engine.Message) { attribute(m, "a", "String", "v"); attribute(m, "b", "String", "") },
		"control character": func(m *engine.Message) { attribute(m, "a", "String", "\x01") },
		"type":              func(m *engine.Message) { attribute(m, "a", "Date", "v") },
		"name":              func(m *engine.Message) { attribute(m, "a b", "String", "v") },
		"dots":              func(m *engine.Message) { attribute(m, "a..b", "String", "v") },
		"ours":              func(m *engine.Message) { attribute(m, "fanfare.encoding", "String", "v") },
		"reserved":          func(m *engine.Message) { attribute(m, "aWs.x", "String", "v") },
		"text as binary":    func(m *engine.Message) { m.AddAttribute([]byte("a"), []byte("String"), []byte("v"), true) },
	} {
		f(name, queueURL, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("x")); fill(m) }, plain)
	}
	ten := func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("\x01"))
		for i := range 10 {
			attribute(m, fmt.Sprint("a", i), "String", "v")
		}
	}
	f("ten and an encoding", queueURL, ten, head+`"AQ==","MessageAttributes":{"fanfare.encoding":{"DataType":"String","StringValue":"base64"}}}`)

	const fifo = queueURL + ".fifo"
	ordered := `{"QueueUrl":"` + fifo + `","MessageBody":"x","MessageGroupId":`
	f("no group", fifo, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("x")) },
		ordered+`"orders","MessageDeduplicationId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"}`)
	f("group", fifo, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("x"))
		m.Set(engine.FieldGroup, []byte(`g"1`))
		m.Set(engine.FieldDeduplicationID, []byte("d"))
	}, ordered+`"g\"1","MessageDeduplicationId":"d"}`)
}

// TestDocument sends the whole document of a subscriber that gets one, and nothing beside it.
func TestDocument(t *testing.T) {
	kind := sns.New(sns.Options{})
	f := kindtest.NewFixture(t, kind, "orders", engine.SubscriptionConfig{Name: "n", Endpoint: "http://127.0.0.1:9/hook"})
	m := f.Commit(t, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("hello\x00\xff"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("v"), false)
	})
	inner := kind.Compile(f.Subscription)
	want, _ := inner.Body(nil, m)
	body, grown := New(Options{}).Wrap(inner, queueURL).Body([]byte("before"), m)
	var got map[string]string
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if diff := cmp.Diff(map[string]string{"QueueUrl": queueURL, "MessageBody": string(want)}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(string(grown), "before") {
		t.Errorf("the scratch memory is now %q", grown)
	}
}

// FuzzBody reads what was rendered with encoding/json, whatever the text and an attribute are.
func FuzzBody(f *testing.F) {
	f.Add([]byte("a"), []byte("n"), []byte("v"))
	f.Add([]byte("\xff\x00\ufffe\ufffd"), []byte("a.b"), []byte("\""))
	f.Add([]byte("\u2028\\\"\r\n\t"), []byte(".a"), []byte("\x1f"))
	e := newEncoder(contentFor(text{}, queueURL), queueURL)
	f.Fuzz(func(t *testing.T, body, name, value []byte) {
		m := engine.NewMessage()
		defer m.Release()
		m.Set(engine.FieldBody, body)
		m.AddAttribute(name, []byte("String"), value, false)
		out, _ := e.Body(nil, m)
		var got struct {
			QueueUrl, MessageBody string
			MessageAttributes     map[string]struct{ DataType, StringValue string }
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		text := []byte(got.MessageBody)
		if got.MessageAttributes["fanfare.encoding"].StringValue == "base64" {
			var err error
			if text, err = base64.StdEncoding.DecodeString(got.MessageBody); err != nil {
				t.Fatal(err)
			}
		} else if strings.ContainsFunc(got.MessageBody, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }) {
			t.Errorf("%q is nothing SQS takes", got.MessageBody)
		}
		if string(text) != string(body) {
			t.Errorf("%q arrives as %q", body, text)
		}
		if a, ok := got.MessageAttributes[string(name)]; ok && string(name) != "fanfare.encoding" && a.StringValue != string(value) {
			t.Errorf("the attribute %q arrives as %q", value, a.StringValue)
		}
	})
}
