package main

import (
	"context"
	"testing"
)

// A store that is opened anew is declared what was loaded last, not what the process began with.
func TestReopenedStoreKeepsWhatWasReloaded(t *testing.T) {
	c := defaultConfig()
	c.Listen, c.Admin, c.Data = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	h := openHouseFor(t, c)
	h.reload(func() (*config, error) {
		n := *c
		n.Topics = []topicConfig{{Name: "orders", Subscriptions: []subscriptionConfig{{Name: "billing", Kind: "webhook", Endpoint: "http://127.0.0.1:9/"}}}}
		return &n, nil
	})
	made := h.core.Load().engine.Topic([]byte("orders")).Subscription("billing")
	if made == nil {
		t.Fatal("the subscription was not made")
	}
	if !h.reopen(context.Background()) {
		t.Fatal("the store was not opened anew")
	}
	if s := h.core.Load().engine.Topic([]byte("orders")).Subscription("billing"); s == nil || s.ID != made.ID {
		t.Errorf("the subscription is %v, want the one that was made", s)
	}
}
