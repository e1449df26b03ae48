package engine_test

import (
	"errors"
	"fmt"
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
)

// What there may be of topics and subscriptions is bounded; what is deleted makes room again.
func TestLimits(t *testing.T) {
	e, _ := start(t, engine.Options{
		Store: memstore.New(memstore.Options{}), TopicsMax: 2, SubscriptionsMax: 3, SubscriptionsPerTopicMax: 2,
	}, newRecorder())
	first, second := topic(t, e, "first"), topic(t, e, "second")
	if _, _, err := e.CreateTopic("third", nil); !errors.Is(err, engine.ErrTopicLimit) {
		t.Errorf("a third topic: %v", err)
	}
	if _, created, err := e.CreateTopic("second", nil); err != nil || created {
		t.Errorf("a topic that exists: created %v, %v", created, err)
	}
	put := func(tp *engine.Topic, name string) error {
		_, _, err := e.PutSubscription(tp, engine.SubscriptionConfig{Name: name, Endpoint: "http://127.0.0.1/"})
		return err
	}
	for i := range 2 {
		if err := put(first, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(first, "2"); !errors.Is(err, engine.ErrSubscriptionLimit) {
		t.Errorf("a third subscription of the topic: %v", err)
	}
	if err := put(first, "1"); err != nil {
		t.Errorf("a change of one that exists: %v", err)
	}
	if err := put(second, "0"); err != nil {
		t.Fatal(err)
	}
	if err := put(second, "1"); !errors.Is(err, engine.ErrSubscriptionLimit) {
		t.Errorf("a fourth subscription in all: %v", err)
	}
	if err := e.DeleteTopic("first"); err != nil {
		t.Fatal(err)
	}
	if err := put(second, "1"); err != nil {
		t.Errorf("with room again: %v", err)
	}
	topic(t, e, "third")
}

// bounded is a store that says when it is full.
type bounded struct {
	*memstore.Store
	full error
}

func (b *bounded) Full() error { return b.full }

// A store without room refuses publishes and says so; what frees room goes on.
func TestFullStoreRefusesPublishesAlone(t *testing.T) {
	store := &bounded{Store: memstore.New(memstore.Options{})}
	e, _ := start(t, engine.Options{Store: store}, newRecorder())
	tp := topic(t, e, "orders")
	store.full = errors.New("3 bytes are free")
	if err := publish(e, tp, "refused"); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a publish: %v", err)
	}
	if err := e.Ready(); !errors.Is(err, store.full) {
		t.Errorf("ready: %v", err)
	}
	if err := e.UpdateTopic(tp, func(labels map[string]string) { labels["a"] = "b" }); err != nil {
		t.Errorf("a change of the catalog: %v", err)
	}
	store.full = nil
	if err := publish(e, tp, "accepted"); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := e.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
}
