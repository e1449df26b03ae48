package egress_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/memstore"
)

// slowReader is a store in which the first read of a topic takes until the channel is closed.
type slowReader struct {
	engine.Store
	once    sync.Once
	entered chan struct{}
	release chan struct{}
}

func (r *slowReader) ReadTopic(t engine.TopicID, first, last engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	r.once.Do(func() {
		close(r.entered)
		<-r.release
	})
	return r.Store.ReadTopic(t, first, last, fn)
}

// Lanes are waiting for the feeder when the process is told to end: what was not read stays owed.
func TestLaggingLaneLosesNothingByARestart(t *testing.T) {
	const published = 20
	store := newMemory()
	var up atomic.Bool
	answer := func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if !up.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
		return up.Load()
	}
	ends := []*recorder{newRecorder(t, answer), newRecorder(t, answer)}
	h := newHouse(t, store, egress.Options{WindowMessages: 2, BreakerFailures: 1})
	topic := h.topic("orders")
	h.subscribe(topic, engine.SubscriptionConfig{Name: "a", Endpoint: ends[0].URL})
	h.subscribe(topic, engine.SubscriptionConfig{Name: "b", Endpoint: ends[1].URL})
	h.publishMany(topic, 1, published)
	h.close()

	slow := &slowReader{Store: store, entered: make(chan struct{}), release: make(chan struct{})}
	h = newHouse(t, slow, egress.Options{WindowMessages: 2, BreakerFailures: 1})
	<-slow.entered // with the one lane; the other waits its turn
	go func() {
		time.Sleep(50 * time.Millisecond) // lets the draining begin
		close(slow.release)
	}()
	h.close()
	if n := h.Egress.Stats().Missing; n != 0 {
		t.Errorf("%d messages were passed over", n)
	}

	up.Store(true)
	newHouse(t, store, egress.Options{})
	for _, r := range ends {
		r.waitFor(t, published)
	}
}

// readCounter counts how often topics are read.
type readCounter struct {
	engine.Store
	topics atomic.Int64
}

func (c *readCounter) ReadTopic(t engine.TopicID, first, last engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	c.topics.Add(1)
	return c.Store.ReadTopic(t, first, last, fn)
}

// The next message does not fit beside the one that hangs: the feeder waits, and does not read it over and over.
func TestFeederWaitsForRoom(t *testing.T) {
	store := &readCounter{Store: memstore.New(memstore.Options{})}
	h := newHouse(t, store, egress.Options{WindowBytes: 64 << 10})
	topic := h.topic("orders")
	release, arrived := make(chan struct{}), make(chan struct{}, 2)
	r := newRecorder(t, func(http.ResponseWriter, *http.Request, string) bool {
		arrived <- struct{}{}
		<-release
		return true
	})
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	h.publish(topic, strings.Repeat("a", 10<<10))
	<-arrived
	h.publish(topic, strings.Repeat("b", 60<<10))
	time.Sleep(50 * time.Millisecond) // nothing may happen meanwhile
	close(release)
	r.waitFor(t, 2)
	if n := store.topics.Load(); n > 10 {
		t.Errorf("the topic was read %d times", n)
	}
}

// An endpoint may ask for patience, but not for more than the policy's longest wait.
func TestRetryAfterIsBounded(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{BreakerFailures: 1})
	topic := h.topic("orders")
	failed := make(chan struct{}, 1)
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.Header().Set("Retry-After", "1000000000")
		w.WriteHeader(http.StatusServiceUnavailable)
		select {
		case failed <- struct{}{}:
		default:
		}
		return false
	})
	retry := engine.RetryPolicy{MinDelay: time.Minute, MaxDelay: time.Hour}
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: retry})
	h.publish(topic, "x")
	<-failed
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if state := s.Receiver().State(); state.State == "paused" {
			if in := time.Until(state.Probe); in > time.Hour {
				t.Errorf("the next probe is in %v", in)
			}
			return
		}
	}
	t.Error("the lane did not pause")
}

// A request that got no answer in time on a connection that was used before is one attempt, and is not
// quietly sent a second time.
func TestTimeoutOnAReusedConnectionIsOneAttempt(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.topic("orders")
	var mu sync.Mutex
	tries := map[string]int{}
	r := newRecorder(t, func(_ http.ResponseWriter, req *http.Request, body string) bool {
		mu.Lock()
		tries[body+req.Header.Get("Attempt")]++
		mu.Unlock()
		if body == "late" && req.Header.Get("Attempt") == "1" {
			<-req.Context().Done()
			return false
		}
		return true
	})
	retry := fastRetry()
	retry.Timeout = 100 * time.Millisecond
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: retry, MaxInFlight: 1})
	h.publish(topic, "first")
	r.waitFor(t, 1)
	h.publish(topic, "late")
	r.waitFor(t, 2)
	mu.Lock()
	defer mu.Unlock()
	if tries["late1"] != 1 {
		t.Errorf("the first attempt was made of %d requests", tries["late1"])
	}
}
