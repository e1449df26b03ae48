package egress_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

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
		h.publishColoured(topic, `{"n":7,"c":"last"}`, "red")
		h.publishColoured(topic, `"green"`, "green")
		red.waitFor(t, each+1)
		other.waitFor(t, each+1)
		body.waitFor(t, 3)
		for i := range each {
			if text := fmt.Sprintf(`{"n":%d,"c":"red"}`, i); red.times(text) != 1 || other.times(text) != 0 {
				t.Errorf("window %d: %s arrived %d and %d times", window, text, red.times(text), other.times(text))
			}
			if text := fmt.Sprintf(`{"n":%d,"c":"blue"}`, i); red.times(text) != 0 || other.times(text) != 1 {
				t.Errorf("window %d: %s arrived %d and %d times", window, text, red.times(text), other.times(text))
			}
		}
		if red.total() != each+1 || other.total() != each+1 || body.total() != 3 || body.times(`{"n":7,"c":"blue"}`) != 1 {
			t.Errorf("window %d: %d, %d and %d pushes", window, red.total(), other.total(), body.total())
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
	r.waitFor(t, 11)
	for i := range 22 {
		if got := r.times(fmt.Sprint(i)) > 0; got != (i%2 == 0) {
			t.Errorf("%d: arrived %v", i, got)
		}
	}
	h.close()
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// Lanes that messages are never offered to keep up all the same: their floors move, and what concerned nobody is
// forgotten by the store.
func TestPassedOverLanesKeepUp(t *testing.T) {
	store := newMemory()
	h := newHouse(t, store, egress.Options{ProgressInterval: time.Millisecond})
	topic := h.topic("orders")
	r := newRecorder(t, nil)
	var subs []*engine.Subscription
	for i := range 50 {
		subs = append(subs, h.subscribe(topic, engine.SubscriptionConfig{
			Name: fmt.Sprint("s", i), Endpoint: r.URL, FilterPolicy: fmt.Sprintf(`{"colour":["c%d"]}`, i),
		}))
	}
	for i := range 300 {
		h.publishColoured(topic, fmt.Sprint(i), fmt.Sprint("c", i%100)) // half of them concern nobody
	}
	r.waitFor(t, 150)
	for i := range 300 {
		if got := r.times(fmt.Sprint(i)); (got > 0) != (i%100 < 50) {
			t.Errorf("%d arrived %d times", i, got)
		}
	}
	for _, s := range subs {
		eventually(t, "a lane keeps up", func() bool {
			state := s.Receiver().State()
			return state.Lag == 0 && state.Floor == 300 && state.Next == 301 && state.State == "live"
		})
	}
	eventually(t, "the store forgets", func() bool {
		left := 0
		if err := store.ReadTopic(topic.ID, 1, 300, func(engine.Sequence, []byte) bool { left++; return true }); err != nil {
			t.Fatal(err)
		}
		return left == 0
	})
}

// A subscription that is set back gets again what it got, and not what it was passed over with.
func TestRewindOfPassedOverLane(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic, _, err := h.Engine.CreateTopicWith(engine.TopicConfig{Name: "orders", Retention: engine.Retention{Age: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, nil)
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, FilterPolicy: `{"colour":["red"]}`})
	for i := range 40 {
		h.publishColoured(topic, fmt.Sprint(i), []string{"red", "blue"}[i%2])
	}
	r.waitFor(t, 20)
	if first, err := s.Receiver().Rewind(11); first != 11 || err != nil {
		t.Fatal(first, err)
	}
	twice := 0
	eventually(t, "fifteen come again", func() bool {
		twice = 0
		for i := range 40 {
			if r.times(fmt.Sprint(i)) == 2 {
				twice++
			}
		}
		return twice == 15
	})
	h.publishColoured(topic, "last", "red")
	r.waitFor(t, 21)
	if r.total() != 36 || r.times("last") != 1 || r.times("9") != 0 {
		t.Errorf("%d pushes arrived", r.total())
	}
}
