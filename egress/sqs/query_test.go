package sqs

import (
	"net/url"
	"strings"
	"testing"

	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

// TestForm has the calls of the older protocol, parameter by parameter.
func TestForm(t *testing.T) {
	f := func(name, queue string, fill func(m *engine.Message), want string) {
		t.Helper()
		_, m := push(t, "raw", fill)
		e := newEncoder(contentFor(text{}, queue), queue)
		e.Learn(false, 404, nil)
		body, _ := e.Body(nil, m)
		want = "Action=SendMessage&Version=2012-11-05&QueueUrl=" + url.QueryEscape(queue) + want
		if diff := cmp.Diff(strings.Split(want, "&"), strings.Split(string(body), "&")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if header := string(e.AppendHeader(nil, m, body, 1)); !strings.HasPrefix(header, "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n") {
			t.Errorf("%s: %q", name, header)
		}
		if !e.Second(body) {
			t.Errorf("%s is taken for JSON", name)
		}
	}
	f("plain", queueURL, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("a =&é\n~")) }, "&MessageBody=a%20%3D%26%C3%A9%0A~")
	f("attributes", queueURL, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("x"))
		m.Set(engine.FieldGroup, []byte("g 1"))
		m.Set(engine.FieldTrace, []byte("Root=1-x"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("v 1"), false)
		m.AddAttribute([]byte("b"), []byte("Binary"), []byte{0xfb, 0xff}, true)
	}, "&MessageBody=x&MessageGroupId=g%201"+
		"&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v%201"+
		"&MessageAttribute.2.Name=b&MessageAttribute.2.Value.DataType=Binary&MessageAttribute.2.Value.BinaryValue=%2B%2F8%3D"+
		"&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String&MessageSystemAttribute.1.Value.StringValue=Root%3D1-x")
	f("binary", queueURL, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("\x00\xff")) },
		"&MessageBody=AP8%3D&MessageAttribute.1.Name=fanfare.encoding&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=base64")
	f("fifo", queueURL+".fifo", func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("x"))
		m.Set(engine.FieldGroup, []byte("g"))
		m.Set(engine.FieldDeduplicationID, []byte("d/1"))
	}, "&MessageBody=x&MessageGroupId=g&MessageDeduplicationId=d%2F1")
}

// FuzzForm reads what was rendered with net/url, whatever the text and an attribute are.
func FuzzForm(f *testing.F) {
	f.Add("a", "n", "v")
	f.Add("\xff\x00", "a.b", "&=%+ ")
	e := newEncoder(contentFor(text{}, queueURL), queueURL)
	e.strict = true
	e.Learn(false, 404, nil)
	f.Fuzz(func(t *testing.T, body, name, value string) {
		m := engine.NewMessage()
		defer m.Release()
		m.Set(engine.FieldBody, []byte(body))
		m.AddAttribute([]byte(name), []byte("String"), []byte(value), false)
		out, _ := e.Body(nil, m)
		form, err := url.ParseQuery(string(out))
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		n := "1"
		if form.Get("MessageAttribute.1.Name") == encodingAttribute && name != encodingAttribute {
			n = "2"
		} else if sayable([]byte(body)) && form.Get("MessageBody") != body {
			t.Errorf("%q became %q", body, form.Get("MessageBody"))
		}
		if name == encodingAttribute {
			return
		}
		if got := form.Get("MessageAttribute." + n + ".Name"); got != name {
			t.Errorf("%q: the name is %q", out, got)
		}
		if got := form.Get("MessageAttribute." + n + ".Value.StringValue"); got != value {
			t.Errorf("%q: the value is %q", out, got)
		}
	})
}
