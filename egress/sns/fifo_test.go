package sns

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

// pushFIFO is push on a FIFO topic, where so many messages came before.
func pushFIFO(t *testing.T, opts Options, envelope string, topicLabels map[string]string, before int, fill func(m *engine.Message)) (egress.Encoder, *engine.Message) {
	t.Helper()
	kind := New(opts)
	f := kindtest.NewFixtureOn(t, kind, engine.TopicConfig{Name: "orders.fifo", FIFO: &engine.FIFO{}, Labels: topicLabels}, engine.SubscriptionConfig{
		Name: "c9135db0-26c4-47ec-8998-413945fb5a96", Endpoint: "http://127.0.0.1:9/hook", Envelope: envelope, Protocol: "http",
	})
	grouped := func(id int, fill func(m *engine.Message)) func(m *engine.Message) {
		return func(m *engine.Message) {
			m.Set(engine.FieldGroup, []byte("g"))
			m.Set(engine.FieldDeduplicationID, fmt.Append(nil, id))
			fill(m)
		}
	}
	for i := range before {
		f.Commit(t, grouped(i, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("before")) }))
	}
	return kind.Compile(f.Subscription), f.Commit(t, grouped(before, fill))
}

// TestFIFONotification has the number in its place and is never signed, whatever the options and the topic say.
func TestFIFONotification(t *testing.T) {
	signer := newSigner(t)
	const want = `{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "SequenceNumber" : "10000000000000000003",
  "TopicArn" : "arn:aws:sns:us-east-1:000000000000:orders.fifo",
  "Subject" : "s",
  "Message" : "Hello \"world\"!",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "UnsubscribeURL" : "http://127.0.0.1:8080/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:000000000000:orders.fifo:c9135db0-26c4-47ec-8998-413945fb5a96",
  "MessageAttributes" : {
    "a" : {"Type":"String","Value":"v"}
  }
}`
	for name, opts := range map[string]Options{"unsigned": {}, "signed": {Signer: signer}, "always": {Signer: signer, SignAlways: true}} {
		for _, version := range []string{"", "1", "2"} {
			t.Run(name+"/version="+version, func(t *testing.T) {
				e, m := pushFIFO(t, opts, JSON, map[string]string{labelSignatureVersion: version}, 2, func(m *engine.Message) {
					m.Set(engine.FieldSubject, []byte("s"))
					m.Set(engine.FieldBody, []byte(`Hello "world"!`))
					m.AddAttribute([]byte("a"), []byte("String"), []byte("v"), false)
				})
				body, _ := e.Body(nil, m)
				if diff := cmp.Diff(want, string(body)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if again, _ := e.Body(nil, m); string(again) != want {
					t.Errorf("the second try has another body: %s", again)
				}
			})
		}
	}
}

// TestFIFORaw is the text alone, and the header says nothing of an order.
func TestFIFORaw(t *testing.T) {
	e, m := pushFIFO(t, Options{}, Raw, nil, 0, func(m *engine.Message) {
		m.Set(engine.FieldStructure, []byte(`{"default":"d","http":"h \u00e9"}`))
		m.Set(engine.FieldBody, []byte("d"))
	})
	want := strings.Join([]string{
		"x-amz-sns-message-type: Notification", "x-amz-sns-message-id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
		"x-amz-sns-topic-arn: arn:aws:sns:us-east-1:000000000000:orders.fifo",
		"x-amz-sns-subscription-arn: arn:aws:sns:us-east-1:000000000000:orders.fifo:c9135db0-26c4-47ec-8998-413945fb5a96",
		"x-amz-sns-rawdelivery: true", "Content-Type: text/plain; charset=UTF-8", "Connection: Keep-Alive",
		"User-Agent: Amazon Simple Notification Service Agent", "Accept-Encoding: gzip,deflate", "", "h é",
	}, "\n")
	if diff := cmp.Diff(want, rendered(e, m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFIFOConfirmations have no number, and are signed where there is a signer.
func TestFIFOConfirmations(t *testing.T) {
	signer := newSigner(t)
	for _, kind := range []engine.MessageType{engine.SubscriptionConfirmation, engine.UnsubscribeConfirmation} {
		e, m := pushFIFO(t, Options{Signer: signer}, JSON, nil, 0, func(m *engine.Message) {
			m.SetType(kind)
			m.Set(engine.FieldToken, []byte("ab"))
			m.Set(engine.FieldBody, []byte("You have chosen."))
		})
		body, _ := e.Body(nil, m)
		r := readDocument(t, body)
		if got := strings.Join(r.order, " "); got != "Type MessageId Token TopicArn Message SubscribeURL Timestamp SignatureVersion Signature SigningCertURL" {
			t.Errorf("type %d: the members are %s", kind, got)
		}
		if err := r.verify(signer); err != nil {
			t.Errorf("type %d: %v: %s", kind, err, body)
		}
	}
}
