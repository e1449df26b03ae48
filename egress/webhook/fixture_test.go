package webhook

import (
	"testing"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// push publishes a message on a fresh engine and returns the encoder of a subscription and the committed message.
func push(t *testing.T, topic, envelope string, fill func(m *engine.Message)) (egress.Encoder, *engine.Message) {
	t.Helper()
	kind := New(Options{})
	f := kindtest.NewFixture(t, kind, topic, engine.SubscriptionConfig{Name: "billing", Endpoint: "http://127.0.0.1:9/hook", Envelope: envelope})
	return kind.Compile(f.Subscription), f.Commit(t, fill)
}
