package sns

import (
	"testing"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// pushTopic is push for a topic with labels.
func pushTopic(t *testing.T, opts Options, envelope string, labels, topicLabels map[string]string, fill func(m *engine.Message)) (egress.Encoder, *engine.Message) {
	t.Helper()
	kind := New(opts)
	f := kindtest.NewFixture(t, kind, "orders", engine.SubscriptionConfig{
		Name: "c9135db0-26c4-47ec-8998-413945fb5a96", Endpoint: "http://127.0.0.1:9/hook", Envelope: envelope, Protocol: "http", Labels: labels,
	})
	f.Label(t, topicLabels)
	return kind.Compile(f.Subscription), f.Commit(t, fill)
}

// push publishes a message on a fresh engine and returns the encoder of a subscription and the committed message.
func push(t *testing.T, opts Options, envelope string, labels map[string]string, fill func(m *engine.Message)) (egress.Encoder, *engine.Message) {
	t.Helper()
	return pushTopic(t, opts, envelope, labels, nil, fill)
}
