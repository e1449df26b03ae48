package egress_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// retaining makes a topic that keeps what is settled for an hour.
func (h *house) retaining(name string) *engine.Topic {
	h.t.Helper()
	t, _, err := h.Engine.CreateTopicWith(engine.TopicConfig{Name: name, Retention: engine.Retention{Age: time.Hour}})
	if err != nil {
		h.t.Fatal(err)
	}
	return t
}

func (h *house) rewind(s *engine.Subscription, next, want engine.Sequence) {
	h.t.Helper()
	if got, err := h.Engine.Rewind(s, next); err != nil || got != want {
		h.t.Fatalf("rewind to %d: came to %d, want %d (%v)", next, got, want, err)
	}
}

// total is how many pushes were acknowledged.
func (r *recorder) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, times := range r.seen {
		n += times
	}
	return n
}

func (r *recorder) times(body string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[body]
}

func settled(s *engine.Subscription) bool {
	st := s.Receiver().State()
	return st.Lag == 0 && st.InFlight == 0 && st.State == "live"
}

func TestRewind(t *testing.T) {
	const published = 10
	f := func(name string, to func(e *engine.Engine, t *engine.Topic) engine.Sequence, want int) {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newMemory(), egress.Options{})
			topic := h.retaining("orders")
			r := newRecorder(t, nil)
			s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
			other := newRecorder(t, nil)
			h.subscribe(topic, engine.SubscriptionConfig{Name: "other", Endpoint: other.URL})
			begin := time.Now().Add(-10 * time.Minute)
			for i := range published {
				h.publishAt(topic, fmt.Sprint(i+1), begin.Add(time.Duration(i)*time.Minute))
			}
			r.waitFor(t, published)
			other.waitFor(t, published)
			eventually(t, "settled", func() bool { return settled(s) })
			h.rewind(s, to(h.Engine, topic), engine.Sequence(want))
			eventually(t, "settled again", func() bool { return settled(s) && r.total() >= published+published-want+1 })
			h.publish(topic, "next")
			r.waitFor(t, published+1)
			other.waitFor(t, published+1)
			for i := range published {
				times := 1
				if i+1 >= want {
					times = 2
				}
				if got := r.times(fmt.Sprint(i + 1)); got != times {
					t.Errorf("message %d came %d times, want %d", i+1, got, times)
				}
			}
			if r.times("next") != 1 || other.total() != published+1 {
				t.Errorf("next came %d times, and the other subscription got %d", r.times("next"), other.total())
			}
		})
	}
	at := func(d time.Duration) func(e *engine.Engine, topic *engine.Topic) engine.Sequence {
		return func(e *engine.Engine, topic *engine.Topic) engine.Sequence {
			seq, err := e.SequenceAt(topic, time.Now().Add(-d))
			if err != nil {
				t.Fatal(err)
			}
			return seq
		}
	}
	to := func(seq engine.Sequence) func(*engine.Engine, *engine.Topic) engine.Sequence {
		return func(*engine.Engine, *engine.Topic) engine.Sequence { return seq }
	}
	f("earliest", to(1), 1)
	f("zero", to(0), 1)
	f("a sequence", to(4), 4)
	f("the last", to(published), published)
	f("latest", to(published+1), published+1)
	f("far ahead", to(1<<60), published+1)
	f("a time", at(5*time.Minute+30*time.Second), 6)
	f("a time before all", at(time.Hour), 1)
	f("now", at(0), published+1)
}

// A subscription is set back while it lags, with pushes that hang: nothing that was owed is lost.
func TestRewindWhileInFlight(t *testing.T) {
	const published = 40
	h := newHouse(t, newMemory(), egress.Options{WindowMessages: 4})
	topic := h.retaining("orders")
	release := make(chan struct{})
	var arrived atomic.Int32
	r := newRecorder(t, func(http.ResponseWriter, *http.Request, string) bool {
		if arrived.Add(1) > 10 {
			<-release
		}
		return true
	})
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	h.publishMany(topic, 1, published)
	// Three at least: the feeder reads on when half of the window is free.
	eventually(t, "some hang", func() bool { return arrived.Load() >= 13 && s.Receiver().State().State == "lagging" })
	h.rewind(s, 3, 3)
	close(release)
	seen := r.waitFor(t, published)
	eventually(t, "settled", func() bool { return settled(s) })
	if r.total() < published+8 {
		t.Errorf("%d pushes were acknowledged: the first ten less two should have come again", r.total())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, first := range []string{"0-0", "0-1"} {
		if seen[first] != 1 {
			t.Errorf("%s lies before and came %d times", first, seen[first])
		}
	}
}

// A paused lane is set back and on; it gets what it should when its endpoint is back.
func TestRewindWhilePaused(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{BreakerFailures: 1})
	topic := h.retaining("orders")
	var up atomic.Bool
	up.Store(true)
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if !up.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
		return up.Load()
	})
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: fastRetry()})
	h.publishMany(topic, 1, 5)
	r.waitFor(t, 5)
	up.Store(false)
	for i := range 5 {
		h.publish(topic, fmt.Sprintf("late %d", i))
	}
	eventually(t, "paused", func() bool { return s.Receiver().State().State == "paused" })
	h.rewind(s, 2, 2)
	up.Store(true)
	r.waitFor(t, 10)
	eventually(t, "settled", func() bool { return settled(s) && r.total() >= 14 })
	if r.times("0-0") != 1 || r.times("0-1") != 2 {
		t.Errorf("the first came %d times, the second %d times", r.times("0-0"), r.times("0-1"))
	}
}

func TestRewindKeepsTheFilter(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.retaining("orders")
	r := newRecorder(t, nil)
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, FilterTag: "red"})
	for i := range 10 {
		m := engine.NewMessage()
		m.Set(engine.FieldTag, []byte([]string{"red", "blue"}[i%2]))
		m.Set(engine.FieldBody, fmt.Append(nil, i))
		if err := h.Engine.Publish(topic, m); err != nil {
			t.Fatal(err)
		}
		m.Release()
	}
	r.waitFor(t, 5)
	eventually(t, "settled", func() bool { return settled(s) })
	h.rewind(s, 1, 1)
	eventually(t, "ten pushes", func() bool { return settled(s) && r.total() >= 10 })
	if n := len(r.waitFor(t, 5)); n != 5 || r.total() != 10 {
		t.Errorf("%d bodies in %d pushes", n, r.total())
	}
}

// What a rewind brings back is as old as the rewind: a failure is tried again, however long ago the publish was.
func TestRewindBeginsTheAgeAnew(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.retaining("orders")
	var pushes atomic.Int32
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if pushes.Add(1) == 2 {
			w.WriteHeader(http.StatusBadGateway)
			return false
		}
		return true
	})
	retry := fastRetry()
	retry.MaxAge = time.Minute
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: retry})
	h.publishAt(topic, "old", time.Now().Add(-30*time.Minute))
	r.waitFor(t, 1)
	eventually(t, "settled", func() bool { return settled(s) })
	h.rewind(s, 1, 1)
	eventually(t, "delivered again, or buried", func() bool { return r.total() == 2 || h.Egress.Stats().Buried > 0 })
	if letters := h.letters(s); len(letters) > 0 || r.total() != 2 {
		t.Errorf("%d deliveries, dead letters %+v", r.total(), letters)
	}
}

// Where a rewind came to is durable when it returns.
func TestRewindSurvivesARestart(t *testing.T) {
	fs := vfs.NewCrashableMem()
	open := func(fs vfs.FS) engine.Store {
		store, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	var up atomic.Bool
	up.Store(true)
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if !up.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
		return up.Load()
	})
	store := open(fs)
	h := newHouse(t, store, egress.Options{})
	topic := h.retaining("orders")
	back := h.subscribe(topic, engine.SubscriptionConfig{Name: "back", Endpoint: r.URL + "/back"})
	h.publishMany(topic, 1, 10)
	r.waitFor(t, 10)
	eventually(t, "settled", func() bool { return settled(back) })
	up.Store(false)
	h.rewind(back, 4, 4)
	after := fs.CrashClone(vfs.CrashCloneCfg{}) // the power fails here
	h.close()
	if err := store.Close(); err != nil {
		t.Error(err)
	}

	up.Store(true)
	store = open(after)
	h = newHouse(t, store, egress.Options{})
	s := h.Engine.Topic([]byte("orders")).Subscription("back")
	eventually(t, "seven came again", func() bool { return settled(s) && r.total() >= 17 })
	if r.times("0-2") != 1 || r.times("0-3") != 2 || r.total() != 17 {
		t.Errorf("the third came %d times, the fourth %d times, %d in all", r.times("0-2"), r.times("0-3"), r.total())
	}
	h.close()
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// A rewind of a subscription that is being deleted is answered, and writes nothing.
func TestRewindOfADeletedSubscription(t *testing.T) {
	store, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	h := newHouse(t, store, egress.Options{})
	defer h.close()
	topic := h.retaining("orders")
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "http://127.0.0.1:9/"})
	if err := h.Engine.DeleteSubscription(s); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Engine.Rewind(s, 1); !errors.Is(err, engine.ErrSubscriptionNotFound) {
		t.Errorf("through the engine: %v", err)
	}
	if _, err := s.Receiver().Rewind(1); !errors.Is(err, engine.ErrSubscriptionNotFound) {
		t.Errorf("a moment later: %v", err)
	}
	h.publish(topic, "x") // the store still takes messages
}

// Subscriptions are set back and on all the time, while messages come and a small retention trims the topic: every
// message reaches the subscription that is only ever set back, at least once.
func TestRewindRacesWithTrimming(t *testing.T) {
	const publishers, each = 3, 300
	h := newHouse(t, newMemory(), egress.Options{ProgressInterval: time.Millisecond, WindowMessages: 16})
	topic, _, err := h.Engine.CreateTopicWith(engine.TopicConfig{Name: "orders", Retention: engine.Retention{Bytes: 8 << 10}})
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, nil)
	back := h.subscribe(topic, engine.SubscriptionConfig{Name: "back", Endpoint: r.URL})
	wild := newRecorder(t, nil)
	jumps := h.subscribe(topic, engine.SubscriptionConfig{Name: "wild", Endpoint: wild.URL})
	done := make(chan struct{})
	var wg sync.WaitGroup
	rewinds := 0
	wg.Go(func() {
		pace := time.NewTicker(3 * time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-done:
				return
			case <-pace.C:
			}
			floor := back.Receiver().State().Floor
			if _, err := h.Engine.Rewind(back, floor-min(floor, 5)); err != nil {
				t.Error(err)
			}
			if _, err := h.Engine.Rewind(jumps, engine.Sequence(rewinds)%(topic.High()+2)); err != nil {
				t.Error(err)
			}
			rewinds++
		}
	})
	h.publishMany(topic, publishers, each)
	close(done)
	wg.Wait()
	r.waitFor(t, publishers*each)
	eventually(t, "settled", func() bool { return settled(back) && settled(jumps) })
	if n := h.Egress.Stats().Missing; n != 0 {
		t.Errorf("%d messages were gone when a lane came for them", n)
	}
	t.Logf("%d rewinds of each of two subscriptions", rewinds)
}
