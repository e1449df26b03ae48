package sqs

import (
	"encoding/json"
	"net/url"
	"testing"

	"fanfare/egress/kindtest"
	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

// TestOrderOfAFIFOTopic has what a queue elsewhere is told of a FIFO topic's messages: a FIFO queue the group, and the id or
// the hash of the text that it gets; another nothing.
func TestOrderOfAFIFOTopic(t *testing.T) {
	const contentID = "557367980bb8d1a41a9037d2ee2ba6c286f12bfc52c4123b832e4e9573ae1a11" // of "order 17 paid"
	type order struct{ MessageGroupId, MessageDeduplicationId string }
	for name, f := range map[string]struct {
		queue string
		fill  func(m *engine.Message)
		want  order
	}{
		"by content": {"q.fifo", func(m *engine.Message) { m.Set(engine.FieldBody, []byte("order 17 paid")) }, order{"g", contentID}},
		"by protocol": {"q.fifo", func(m *engine.Message) {
			m.Set(engine.FieldBody, []byte("for all"))
			m.Set(engine.FieldStructure, []byte(`{"default":"for all","sqs":"order \u0031\u0037 paid"}`))
		}, order{"g", contentID}},
		"by id": {"q.fifo", func(m *engine.Message) {
			m.Set(engine.FieldBody, []byte("order 17 paid"))
			m.Set(engine.FieldDeduplicationID, []byte("d"))
		}, order{"g", "d"}},
		"standard": {"q", func(m *engine.Message) { m.Set(engine.FieldBody, []byte("order 17 paid")) }, order{}},
	} {
		for _, envelope := range []string{SNS, Raw} {
			k := newKind()
			fixture := kindtest.NewFixtureOn(t, k, engine.TopicConfig{Name: "f.fifo", FIFO: &engine.FIFO{ByContent: true}},
				engine.SubscriptionConfig{Name: "s", Endpoint: "http://127.0.0.1:9324/000000000000/" + f.queue, Envelope: envelope})
			m := fixture.Commit(t, func(m *engine.Message) {
				m.Set(engine.FieldGroup, []byte("g"))
				f.fill(m)
			})
			e := k.Compile(fixture.Subscription).(*encoder)
			var got order
			body, _ := e.Body(nil, m)
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatalf("%s: %q: %v", name, body, err)
			}
			if diff := cmp.Diff(f.want, got); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, envelope, diff)
			}
			e.Learn(false, 404, nil)
			body, _ = e.Body(nil, m)
			form, err := url.ParseQuery(string(body))
			if err != nil {
				t.Fatal(err)
			}
			if got := (order{form.Get("MessageGroupId"), form.Get("MessageDeduplicationId")}); got != f.want {
				t.Errorf("%s, %s, as a form: %+v", name, envelope, got)
			}
		}
	}
}
