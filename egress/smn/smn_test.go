package smn

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

const (
	project  = "0123456789abcdef0123456789abcdef"
	topicURN = "urn:smn:eu-de:" + project + ":orders"
	suffix   = "5f0e1d2c3b4a59687786958493a2b1c0"
	token    = project + "abababababababababababababababababababababababababababababababab" + "abababababababababababababababababababababababababababababababab"
	base     = "http://127.0.0.1:8080"
	links    = base + "/smn/subscription/confirm?token=" + token + "&topic_urn=" + topicURN + "&region=eu-de&region_id=eu-de"
	leave    = base + "/smn/subscription/unsubscribe?region=eu-de&region_id=eu-de&subscription_urn=" + topicURN + ":" + suffix
)

// subscription returns a subscription of the topic "orders".
func subscription(t testing.TB, kind *Kind, change func(c *engine.SubscriptionConfig)) *engine.Subscription {
	t.Helper()
	config := engine.SubscriptionConfig{Name: suffix, Endpoint: "https://hooks.example.org/in?k=1", Labels: map[string]string{}}
	if change != nil {
		change(&config)
	}
	return kindtest.NewFixture(t, kind, "orders", config).Subscription
}

// message returns a message with the id and time of the examples.
func message(t testing.TB, fill func(m *engine.Message)) *engine.Message {
	t.Helper()
	m := engine.NewMessage()
	t.Cleanup(m.Release)
	m.SetID(engine.MessageID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff})
	m.SetPublishedAt(time.Date(2024, 1, 2, 3, 4, 5, 999_000_000, time.UTC).UnixMilli())
	fill(m)
	return m
}

func notification(subject, body string) func(*engine.Message) {
	return func(m *engine.Message) {
		if subject != "" {
			m.Set(engine.FieldSubject, []byte(subject))
		}
		m.Set(engine.FieldBody, []byte(body))
	}
}

func confirmation(t engine.MessageType) func(*engine.Message) {
	return func(m *engine.Message) {
		m.SetType(t)
		m.Set(engine.FieldToken, []byte(token))
	}
}

// stringToSign is what a receiver verifies, made from the body it got; source: SMN user guide, "Verifying
// message signatures".
func stringToSign(m map[string]string) string {
	keys := []string{"message", "message_id", "subscribe_url", "timestamp", "topic_urn", "type"}
	if m["type"] == "Notification" {
		keys[2] = "subject"
	}
	var b strings.Builder
	for _, k := range keys {
		if v, ok := m[k]; ok {
			b.WriteString(k + "\n" + v + "\n")
		}
	}
	return b.String()
}

const (
	identity = `"topic_urn":"` + topicURN + `","message_id":"00112233445566778899aabbccddeeff",`
	end      = `"timestamp":"2024-01-02T03:04:05Z"}`
	textA    = `You are invited to subscribe to topic: ` + topicURN + `. To confirm this subscription, please visit the subscribe_url included in this message. The subscribe_url is valid only within 48 hours.`
	textB    = `You are unsubscribed from topic: ` + topicURN + `. To subscribe to this topic again, please visit the subscribe_url included in this message. The subscribe_url is valid only within 48 hours.`
)

// The objects of the user guide, and the digests of the strings that their receivers verify.
func TestBodies(t *testing.T) {
	encoder := New(Options{}).Compile(subscription(t, New(Options{}), nil))
	f := func(name string, fill func(*engine.Message), want, sum string) {
		t.Helper()
		body, _ := encoder.Body([]byte("before"), message(t, fill))
		if string(body) != want {
			t.Errorf("%s:\n got %s\nwant %s", name, body, want)
		}
		var m map[string]string
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256([]byte(stringToSign(m))); sum != "" && hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s: the string to sign is %q", name, stringToSign(m))
		}
	}
	f("notification", notification("greeting", "order 42 paid"),
		`{"subject":"greeting",`+identity+`"type":"Notification","message":"order 42 paid","unsubscribe_url":"`+leave+`",`+end,
		"de38dfbbe6c9c05f194570b895c2ed0ef012ee15c575bf09e7d8c51f39503bcf")
	f("no subject", notification("", "order 42 paid"),
		`{`+identity+`"type":"Notification","message":"order 42 paid","unsubscribe_url":"`+leave+`",`+end,
		"3384c7ad336badc263188fb9de16ffe9050ef2acb76df12676516dbdd6bc0674")
	f("escapes", notification("", "héllo\n<b>"),
		`{`+identity+`"type":"Notification","message":"héllo\n<b>","unsubscribe_url":"`+leave+`",`+end,
		"1b06b6c7d56e7b9c22f970722b63288db5bd1ecc59b8483b652a3277b43580a1")
	f("not UTF-8", notification("", "a\xff\"\x00"),
		`{`+identity+`"type":"Notification","message":"a`+"\ufffd"+`\"\u0000","unsubscribe_url":"`+leave+`",`+end, "")
	f("confirmation", confirmation(engine.SubscriptionConfirmation),
		`{"subscribe_url":"`+links+`",`+identity+`"type":"SubscriptionConfirmation","message":"`+textA+`",`+end,
		"ebbadbf07541f6c1b02a1d05d300c75a9e86059851081d41b63e8b5fe3b614e8")
	f("unsubscription", confirmation(engine.UnsubscribeConfirmation),
		`{`+identity+`"type":"UnsubscribeConfirmation","message":"`+textB+`","subscribe_url":"`+links+`",`+end,
		"8f54f983d349a8af99b0354b35d90882a150a32d975595bae370f5ae8b56dce6")
}

func TestTextByProtocol(t *testing.T) {
	f := func(endpoint, structure, want string) {
		t.Helper()
		kind := New(Options{})
		encoder := kind.Compile(subscription(t, kind, func(c *engine.SubscriptionConfig) { c.Endpoint = endpoint }))
		body, _ := encoder.Body(nil, message(t, func(m *engine.Message) {
			m.Set(engine.FieldStructure, []byte(structure))
			m.Set(engine.FieldBody, []byte("d"))
		}))
		var got map[string]string
		if err := json.Unmarshal(body, &got); err != nil || got["message"] != want {
			t.Errorf("%s to %s: got %s, %v", structure, endpoint, body, err)
		}
	}
	const texts = `{"default":"d","http":"plain \"h\"","https":"{\"n\":1}","sms":"short"}`
	f("http://127.0.0.1:9/", texts, `plain "h"`)
	f("https://127.0.0.1:9/", texts, `{"n":1}`)
	f("http://127.0.0.1:9/", `{"default":"d","https":"s"}`, "d")
	f("http://127.0.0.1:9/", `{"default":"d","http":"\ud800"}`, "\ufffd")
	f("http://127.0.0.1:9/", `damaged`, "d")
}

func TestHeaders(t *testing.T) {
	kind := New(Options{})
	encoder := kind.Compile(subscription(t, kind, func(c *engine.SubscriptionConfig) {
		c.Labels[labelHeaders] = `{"x-tenant":"blue","X-Area":"7","x-evil":"a\r\nHost: b"}`
	}))
	const id = "X-SMN-MESSAGE-ID: 00112233445566778899aabbccddeeff\r\nX-SMN-TOPIC-URN: " + topicURN + "\r\n"
	const sub = "X-SMN-SUBSCRIPTION-URN: " + topicURN + ":" + suffix + "\r\n"
	const common = "Content-Type: application/json;charset=UTF-8\r\n"
	f := func(fill func(*engine.Message), want string) {
		t.Helper()
		if got := encoder.AppendHeader([]byte("x"), message(t, fill), nil, 1); string(got) != "x"+want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(notification("", "m"), "X-SMN-MESSAGE-TYPE: Notification\r\n"+id+sub+common+"X-Area: 7\r\nx-tenant: blue\r\n")
	f(confirmation(engine.SubscriptionConfirmation), "X-SMN-MESSAGE-TYPE: SubscriptionConfirmation\r\n"+id+common)
	f(confirmation(engine.UnsubscribeConfirmation), "X-SMN-MESSAGE-TYPE: UnsubscribeConfirmation\r\n"+id+sub+common)
}

// signer signs with a name.
type signer struct{ got []string }

func (s *signer) CertURL() string { return "https://fan.example.org/smn/SMN_eu-de_0.pem" }

func (s *signer) AppendSignature(dst []byte, _ *engine.Message, urn string, text, subscribeURL []byte) []byte {
	s.got = []string{urn, string(text), string(subscribeURL)}
	return append(dst, "c2lnbmVk"...)
}

// A signer's fields go where the service has them.
func TestSigned(t *testing.T) {
	s := &signer{}
	kind := New(Options{Signer: s})
	encoder := kind.Compile(subscription(t, kind, nil))
	const signed = `"topic_urn":"` + topicURN + `","message_id":"00112233445566778899aabbccddeeff","signature_version":"v1",`
	const cert = `"signing_cert_url":"https://fan.example.org/smn/SMN_eu-de_0.pem",`
	f := func(fill func(*engine.Message), want, text, link string) {
		t.Helper()
		if body, _ := encoder.Body(nil, message(t, fill)); string(body) != want {
			t.Errorf("\n got %s\nwant %s", body, want)
		}
		if s.got[0] != topicURN || s.got[1] != text || s.got[2] != link {
			t.Errorf("the signer got %q", s.got)
		}
	}
	f(notification("greeting", "order 42 paid"),
		`{"signature":"c2lnbmVk","subject":"greeting",`+signed+`"type":"Notification","message":"order 42 paid","unsubscribe_url":"`+leave+`",`+cert+end,
		"order 42 paid", "")
	f(confirmation(engine.SubscriptionConfirmation),
		`{"subscribe_url":"`+links+`","signature":"c2lnbmVk",`+signed+`"type":"SubscriptionConfirmation","message":"`+textA+`",`+cert+end,
		textA, links)
	f(confirmation(engine.UnsubscribeConfirmation),
		`{"signature":"c2lnbmVk",`+signed+`"type":"UnsubscribeConfirmation","message":"`+textB+`","subscribe_url":"`+links+`",`+cert+end,
		textB, links)
}

func TestWhereURNsAndLinksComeFrom(t *testing.T) {
	const other = "ffffffffffffffffffffffffffffffff"
	f := func(opts Options, labels map[string]string, wantURN, wantBase string) {
		t.Helper()
		kind := New(opts)
		encoder := kind.Compile(subscription(t, kind, func(c *engine.SubscriptionConfig) { c.Labels = labels }))
		body, _ := encoder.Body(nil, message(t, notification("", "m")))
		var got map[string]string
		if err := json.Unmarshal(body, &got); err != nil || got["topic_urn"] != wantURN || !strings.HasPrefix(got["unsubscribe_url"], wantBase+"/smn/") {
			t.Errorf("got %s, %v", body, err)
		}
	}
	f(Options{}, nil, topicURN, base)
	f(Options{Region: "cn-north-4", Project: other, PublicURL: "https://fan.example.org/base/"}, map[string]string{labelPublicURL: "http://x"},
		"urn:smn:cn-north-4:"+other+":orders", "https://fan.example.org/base")
	f(Options{}, map[string]string{labelProject: other, labelPublicURL: "http://10.0.0.7:8080"}, "urn:smn:eu-de:"+other+":orders", "http://10.0.0.7:8080")
}

func TestJudge(t *testing.T) {
	for status, want := range map[int]egress.Outcome{
		200: egress.Delivered, 201: egress.Delivered, 204: egress.Delivered, 299: egress.Delivered,
		301: egress.Retry, 302: egress.Retry, 400: egress.Dead, 403: egress.Dead, 404: egress.Dead, 410: egress.Dead,
		408: egress.Retry, 429: egress.Retry, 500: egress.Retry, 503: egress.Retry, 599: egress.Retry, 100: egress.Retry,
	} {
		if got := New(Options{}).Judge(status); got != want {
			t.Errorf("%d: %v, want %v", status, got, want)
		}
	}
	if New(Options{}).Timeout() != 5*time.Second {
		t.Error("timeout")
	}
}

func TestCheck(t *testing.T) {
	c := engine.SubscriptionConfig{}
	if err := New(Options{}).Check(&c); err != nil || c.Envelope != JSON {
		t.Errorf("%v, envelope %q", err, c.Envelope)
	}
	c.Envelope = "raw"
	var field *engine.FieldError
	if err := New(Options{}).Check(&c); !errors.As(err, &field) || field.Field != "envelope" {
		t.Errorf("%v", err)
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
	f(Options{Region: "cn-north-4", Project: strings.Repeat("F", 32), PublicURL: "https://fan.example.org/base"}, "")
	f(Options{Region: "eu:de"}, "Region")
	f(Options{Project: "x"}, "Project")
	f(Options{PublicURL: "fan.example.org"}, "PublicURL")
	f(Options{PublicURL: "http://x?y"}, "PublicURL")
}

func BenchmarkBody(b *testing.B) {
	kind := New(Options{})
	encoder := kind.Compile(subscription(b, kind, nil))
	m := message(b, notification("greeting", strings.Repeat("x", 1024)))
	var scratch []byte
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		_, scratch = encoder.Body(scratch[:0], m)
	}
}
