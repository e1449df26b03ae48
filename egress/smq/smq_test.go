package smq

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// encoder returns the encoder of the subscription "hook" of the topic "orders".
func encoder(t testing.TB, envelope string) egress.Encoder {
	t.Helper()
	kind := New(Options{})
	f := kindtest.NewFixture(t, kind, "orders", engine.SubscriptionConfig{Name: "hook", Envelope: envelope, Endpoint: "http://127.0.0.1:9090/hook?x=1"})
	return kind.Compile(f.Subscription)
}

// message returns a message with the time of the examples.
func message(t testing.TB, body, tag []byte) *engine.Message {
	t.Helper()
	m := engine.NewMessage()
	t.Cleanup(m.Release)
	m.SetPublishedAt(1772438400000)
	m.Set(engine.FieldBody, body)
	if tag != nil {
		m.Set(engine.FieldTag, tag)
	}
	return m
}

// exampleID is the id of the reference's examples; ours have the form of newer clusters, 32 digits.
const exampleID = "D273CD6A89564E54-1-19CAD8FAC00-200000001"

// TestExamples renders the examples of section "HTTP push" of the reference.
func TestExamples(t *testing.T) {
	f := func(envelope string, size int, contentMD5, want string) {
		t.Helper()
		m := message(t, []byte("a < b"), []byte("red"))
		body, _ := encoder(t, envelope).Body(nil, m)
		got := strings.Replace(string(body), string(m.ID().AppendHexUpper(nil)), exampleID, 1)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", envelope, diff)
		}
		if len(got) != size {
			t.Errorf("%s: %d bytes, want %d", envelope, len(got), size)
		}
		if sum := string(appendContentMD5(nil, []byte(got))); sum != contentMD5 {
			t.Errorf("%s: Content-md5 %s, want %s", envelope, sum, contentMD5)
		}
	}
	f(XML, 454, "NGI1ZjA3OTJhOGU3MTQxY2Q3MDVkZTRkODVmMGYzMzU=", `<?xml version="1.0" encoding="utf-8"?><Notification xmlns="http://mns.aliyuncs.com/doc/v1/">`+
		`<TopicOwner>123456</TopicOwner><TopicName>orders</TopicName><Subscriber>123456</Subscriber><SubscriptionName>hook</SubscriptionName>`+
		`<MessageId>`+exampleID+`</MessageId><Message>a &lt; b</Message><MessageMD5>9C2309929B5D4E6D89E1F48E3E3D6EBB</MessageMD5>`+
		`<MessageTag>red</MessageTag><PublishTime>1772438400000</PublishTime></Notification>`)
	f(JSON, 262, "ZGM3MTJmMTJhZDA4M2FjZjBkMjlhYmRkNzc3YzJmOWY=", `{"TopicOwner":"123456","TopicName":"orders","Subscriber":"123456","SubscriptionName":"hook",`+
		`"MessageId":"`+exampleID+`","Message":"a < b","MessageMD5":"9C2309929B5D4E6D89E1F48E3E3D6EBB","MessageTag":"red","PublishTime":"1772438400000"}`)
	f(Simplified, 5, "OWMyMzA5OTI5YjVkNGU2ZDg5ZTFmNDhlM2UzZDZlYmI=", "a < b")
}

var headerMasks = []*regexp.Regexp{
	regexp.MustCompile(`(Date: )(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT`),
	regexp.MustCompile(`(x-mns-request-id: )[0-9A-F]{24}`),
	regexp.MustCompile(`(x-mns-message-id: )[0-9A-F]{32}`),
}

func TestHeader(t *testing.T) {
	f := func(envelope, contentType string, tag []byte, wantTag string) {
		t.Helper()
		e, m := encoder(t, envelope), message(t, []byte("ping"), tag)
		body, _ := e.Body(nil, m)
		got := string(e.AppendHeader([]byte("X: y\r\n"), m, body, 2))
		for _, mask := range headerMasks {
			got = mask.ReplaceAllString(got, "$1*")
		}
		want := strings.ReplaceAll(`X: y
Content-Type: `+contentType+`
Content-md5: `+string(appendContentMD5(nil, body))+`
Date: *
User-Agent: Aliyun Notification Service Agent
x-mns-version: 2015-06-06
x-mns-topic-owner: 123456
x-mns-topic-name: orders
x-mns-subscriber: 123456
x-mns-subscription-name: hook
x-mns-request-id: *
x-mns-message-id: *
x-mns-publish-time: 1772438400000
`+wantTag, "\n", "\r\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, tag %q (-want +got):\n%s", envelope, tag, diff)
		}
	}
	f(XML, "text/xml;charset=utf-8", []byte("red"), "x-mns-message-tag: red\n")
	f(JSON, "application/json;charset=utf-8", nil, "")
	f(Simplified, "text/plain;charset=utf-8", []byte("grün"), "x-mns-message-tag: grün\n")
	f(XML, "text/xml;charset=utf-8", []byte("a\r\nx-mns-version: 1"), "") // a tag cannot write headers
	f(XML, "text/xml;charset=utf-8", []byte{}, "")
	if got := string(appendContentMD5(nil, []byte("ping"))); got != "ZGY5MTFmMDE1MWY5ZWYwMjFkNDEwYjRiZTUwNjA5NzI=" {
		t.Errorf("Content-md5 of the reference's signature example: %s", got)
	}
}

func TestKind(t *testing.T) {
	k := New(Options{Account: "42"})
	if k.Name() != "smq" || k.Timeout() != 5*time.Second || k.DefaultPath() != "/notifications" {
		t.Errorf("%s, %v, %s", k.Name(), k.Timeout(), k.DefaultPath())
	}
	if _, ok := any(k).(egress.DefaultPather); !ok {
		t.Error("the kind is no DefaultPather")
	}
	for status, want := range map[int]egress.Outcome{
		200: egress.Delivered, 204: egress.Delivered, 299: egress.Delivered, 199: egress.Retry,
		301: egress.Retry, 400: egress.Retry, 403: egress.Retry, 410: egress.Retry, 429: egress.Retry, 500: egress.Retry,
	} {
		if got := k.Judge(status); got != want {
			t.Errorf("%d is %v, want %v", status, got, want)
		}
	}
	f := func(envelope, want string) {
		t.Helper()
		c := &engine.SubscriptionConfig{Envelope: envelope}
		err := k.Check(c)
		var field *engine.FieldError
		if want == "" && (!errors.As(err, &field) || field.Field != "envelope") || want != "" && (err != nil || c.Envelope != want) {
			t.Errorf("%q: %q, %v", envelope, c.Envelope, err)
		}
	}
	f("", XML)
	f(XML, XML)
	f(JSON, JSON)
	f(Simplified, Simplified)
	f("XML", "")
	f("raw", "")
}

func TestValidate(t *testing.T) {
	for account, ok := range map[string]bool{"": true, "123456": true, "a1": true, "a b": false, "1\r\n": false, strings.Repeat("1", 64): true, strings.Repeat("1", 65): false} {
		if err := (&Options{Account: account}).Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", account, err)
		}
	}
}

// TestScratch renders behind what the scratch memory holds already.
func TestScratch(t *testing.T) {
	for _, envelope := range []string{XML, JSON, Simplified} {
		e, m := encoder(t, envelope), message(t, []byte("ping"), nil)
		want, _ := e.Body(nil, m)
		got, grown := e.Body([]byte("before"), m)
		if !bytes.Equal(got, want) || !bytes.HasPrefix(grown, []byte("before")) {
			t.Errorf("%s: %q, %q", envelope, got, grown)
		}
	}
}

type notification struct {
	XMLName xml.Name `xml:"http://mns.aliyuncs.com/doc/v1/ Notification" json:"-"`

	TopicOwner, TopicName, Subscriber, SubscriptionName, MessageId, Message, MessageMD5, MessageTag, PublishTime string
}

// FuzzEnvelope reads what was rendered with encoding/xml and encoding/json.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{"ping", "a < b & c > d", "]]>", "\r\n\t", "\x00\x1f", "\xff\xc0\x80", "\uffff\u2028", `"\`} {
		f.Add([]byte(seed), []byte("red"))
	}
	xmlEncoder, jsonEncoder := encoder(f, XML), encoder(f, JSON)
	f.Fuzz(func(t *testing.T, text, tag []byte) {
		m := engine.NewMessage()
		defer m.Release()
		m.Set(engine.FieldBody, text)
		m.Set(engine.FieldTag, tag)
		sum := md5.Sum(text)
		want := notification{
			TopicOwner: "123456", TopicName: "orders", Subscriber: "123456", SubscriptionName: "hook",
			MessageId:  strings.ToUpper(hex.EncodeToString(m.Record()[48:64])),
			MessageMD5: strings.ToUpper(hex.EncodeToString(sum[:])), PublishTime: fmt.Sprint(m.PublishedAt()),
		}
		read := func(envelope string, e egress.Encoder, unmarshal func([]byte, any) error, sayable func(rune) bool) {
			t.Helper()
			body, _ := e.Body(nil, m)
			var got notification
			if err := unmarshal(body, &got); err != nil {
				t.Fatalf("%s %q: %v", envelope, body, err)
			}
			got.XMLName = xml.Name{}
			want.Message, want.MessageTag = replaced(text, sayable), replaced(tag, sayable)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %q (-want +got):\n%s", envelope, body, diff)
			}
		}
		read(XML, xmlEncoder, xml.Unmarshal, func(r rune) bool {
			return r >= ' ' && r != 0xFFFE && r != 0xFFFF || r == '\t' || r == '\n' || r == '\r'
		})
		read(JSON, jsonEncoder, json.Unmarshal, func(rune) bool { return true })
	})
}

// replaced is the text with U+FFFD for what cannot be said.
func replaced(text []byte, sayable func(rune) bool) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if !sayable(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
		text = text[size:]
	}
	return b.String()
}
