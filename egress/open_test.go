package egress_test

import (
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// gatedStore holds up the batch that makes a subscription until the test lets it through.
type gatedStore struct {
	engine.Store
	reached, open chan struct{} // nil open: no gate
}

func (s *gatedStore) NewBatch() engine.Batch { return &gatedBatch{Batch: s.Store.NewBatch(), store: s} }

type gatedBatch struct {
	engine.Batch
	store *gatedStore
	makes bool
}

func (b *gatedBatch) PutCatalog(key string, value []byte) {
	b.makes = b.makes || key[0] == 's'
	b.Batch.PutCatalog(key, value)
}

func (b *gatedBatch) Apply(durable bool) error {
	if b.makes && b.store.open != nil {
		b.store.reached <- struct{}{}
		<-b.store.open
	}
	return b.Batch.Apply(durable)
}

// What is published while a subscription is being made may not concern it, and nothing that does may ever come: it keeps up
// with its topic all the same.
func TestSubscriptionThatGetsNothingKeepsUp(t *testing.T) {
	store := &gatedStore{Store: newMemory(), reached: make(chan struct{})}
	h := newHouse(t, store, egress.Options{})
	topic := h.topic("orders")
	r := newRecorder(t, nil)
	h.subscribe(topic, engine.SubscriptionConfig{Name: "other", Endpoint: r.URL, FilterTag: "other"})
	store.open = make(chan struct{})
	made := make(chan error, 1)
	go func() {
		_, _, err := h.Engine.PutSubscription(topic, engine.SubscriptionConfig{Name: "s", Kind: "plain", Endpoint: r.URL, FilterTag: "never"})
		made <- err
	}()
	<-store.reached
	h.publish(topic, "one")
	h.publish(topic, "two")
	close(store.open)
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	s := topic.Subscription("s")
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(30 * time.Second); s.Receiver().State().Lag > 0; <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("it lags: %+v", s.Receiver().State())
		}
	}
}
