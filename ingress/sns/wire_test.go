package sns

import (
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

const (
	confirmedName = "c9135db0-26c4-47ec-8998-413945fb5a96"
	pendingName   = "0d3f8a52-7c1e-4b6f-9a02-5e8d7c6b4a31"
	pendingToken  = "00ff"
)

// setup makes the topics T1 and orders; orders has a confirmed subscription, one that waits for its confirmation, and
// one of another kind.
func setup(t testing.TB, e *engine.Engine) ingress.Face {
	t.Helper()
	if _, _, err := e.CreateTopic("T1", nil); err != nil {
		t.Fatal(err)
	}
	orders, _, err := e.CreateTopic("orders", map[string]string{"sns.attribute.DisplayName": "Orders", "sns.tag.team": "red"})
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"sns.topic_arn": "arn:aws:sns:us-east-1:000000000000:orders"}
	for _, config := range []engine.SubscriptionConfig{
		{Name: confirmedName, Kind: "sns", Envelope: "json", Endpoint: "http://127.0.0.1:9/confirmed", Labels: labels},
		{
			Name: pendingName, Kind: "sns", Envelope: "json", Endpoint: "https://127.0.0.1:9/pending", Labels: labels,
			Pending: true, Token: pendingToken, TokenUntil: 1 << 50,
		},
		{Name: "billing", Kind: "webhook", Endpoint: "http://127.0.0.1:9/hook", Pending: true, Token: "ee", TokenUntil: 1 << 50},
	} {
		if _, _, err := e.PutSubscription(orders, config); err != nil {
			t.Fatal(err)
		}
	}
	return New(e, Options{})
}

// setupFIFO makes the FIFO topics ledger.fifo and, which takes the text for the deduplication id, news.fifo as well.
func setupFIFO(t testing.TB, e *engine.Engine) ingress.Face {
	t.Helper()
	for name, fifo := range map[string]engine.FIFO{"ledger.fifo": {}, "news.fifo": {ByContent: true}} {
		if _, _, err := e.CreateTopicWith(engine.TopicConfig{Name: name, FIFO: &fifo}); err != nil {
			t.Fatal(err)
		}
	}
	return setup(t, e)
}

func TestWire(t *testing.T) {
	facetest.RunWire(t, "testdata/wire", func(t *testing.T, e *engine.Engine) ingress.Face { return setupFIFO(t, e) })
}
