package egress_test

import (
	"fmt"
	"net/http"
	"testing"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func (h *house) publishColoured(t *engine.Topic, body, colour string) {
	h.t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	m.Set(engine.FieldBody, []byte(body))
	m.AddAttribute([]byte("colour"), []byte("String"), []byte(colour), false)
	if err := h.Engine.Publish(t, m); err != nil {
		h.t.Fatal(err)
	}
}

// Messages reach the subscriptions whose policy they match, from the ring and from the store alike, and a change of the
// policy holds for what is published behind it.
func TestFilterPolicy(t *testing.T) {
	for _, window := range []int{0, 2} { // with a window of two the lanes lag nearly all the time
		h := newHouse(t, newMemory(), egress.Options{WindowMessages: window})
		topic := h.topic("orders")
		red, other, body := newRecorder(t, nil), newRecorder(t, nil), newRecorder(t, nil)
		h.subscribe(topic, engine.SubscriptionConfig{Name: "red", Endpoint: red.URL, FilterPolicy: `{"colour":["red"]}`})
		s := h.subscribe(topic, engine.SubscriptionConfig{Name: "other", Endpoint: other.URL, FilterPolicy: `{"colour":[{"anything-but":"red"}]}`})
		h.subscribe(topic, engine.SubscriptionConfig{Name: "body", Endpoint: body.URL, FilterPolicy: `{"n":[7]}`, FilterPolicyScope: "MessageBody"})
		const each = 100
		for i := range each {
			h.publishColoured(topic, fmt.Sprintf(`{"n":%d,"c":"red"}`, i), "red")
			h.publishColoured(topic, fmt.Sprintf(`{"n":%d,"c":"blue"}`, i), "blue")
		}
		other.waitFor(t, each) // a lane judges by the policy of the moment in which it takes a message
		if err := h.Engine.UpdateSubscription(s, func(c *engine.SubscriptionConfig) { c.FilterPolicy = `{"colour":["green"]}` }); err != nil {
			t.Fatal(err)
		}
		h.publishColoured(topic, `{"n":7,"c":"red"}`, "red")
		h.publishColoured(topic, `"green"`, "green")
		seen := map[string]map[string]int{}
		seen["red"] = red.waitFor(t, each)
		seen["other"] = other.waitFor(t, each+1)
		seen["body"] = body.waitFor(t, 2)
		for i := range each {
			if text := fmt.Sprintf(`{"n":%d,"c":"red"}`, i); seen["red"][text] == 0 || seen["other"][text] != 0 {
				t.Errorf("window %d: %s arrived %d and %d times", window, text, seen["red"][text], seen["other"][text])
			}
		}
		if seen["red"][`"green"`] != 0 || seen["body"][`{"n":7,"c":"blue"}`] != 1 || len(seen["body"]) != 2 {
			t.Errorf("window %d: %v", window, seen)
		}
		h.close()
	}
}

// A restart finds the policy again: what was owed is judged by it, and what it leaves out stays left out.
func TestFilterPolicyOutlivesRestart(t *testing.T) {
	fs := vfs.NewMem()
	store := func() *pebblestore.Store {
		s, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := store()
	h := newHouse(t, first, egress.Options{})
	topic := h.topic("orders")
	r := newRecorder(t, func(w http.ResponseWriter, req *http.Request, _ string) bool {
		if req.Header.Get("Attempt") == "1" {
			w.WriteHeader(http.StatusServiceUnavailable) // each is owed until it comes again
			return false
		}
		return true
	})
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: fastRetry(), FilterPolicy: `{"colour":[{"suffix":"d"}]}`})
	for i := range 20 {
		h.publishColoured(topic, fmt.Sprint(i), []string{"red", "blue"}[i%2])
	}
	h.close()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := store()
	h = newHouse(t, again, egress.Options{})
	h.publishColoured(h.Engine.Topic([]byte("orders")), "20", "old")
	h.publishColoured(h.Engine.Topic([]byte("orders")), "21", "new")
	seen := r.waitFor(t, 11)
	for i := range 22 {
		if got := seen[fmt.Sprint(i)] > 0; got != (i%2 == 0) {
			t.Errorf("%d: arrived %v", i, got)
		}
	}
	h.close()
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
