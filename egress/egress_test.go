package egress_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func fastRetry() engine.RetryPolicy {
	return engine.RetryPolicy{MinDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond}
}

func TestEveryMessageReachesEverySubscription(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.topic("orders")
	plainEnd, deepEnd := newRecorder(t, nil), newRecorder(t, nil)
	h.subscribe(topic, engine.SubscriptionConfig{Name: "plain", Endpoint: plainEnd.URL})
	h.subscribe(topic, engine.SubscriptionConfig{Name: "deep", Endpoint: deepEnd.URL, Pipeline: 16})
	h.publishMany(topic, 16, 200)
	for _, r := range []*recorder{plainEnd, deepEnd} {
		for body, n := range r.waitFor(t, 3200) {
			if n != 1 {
				t.Errorf("%s arrived %d times on an untroubled run", body, n)
			}
		}
	}
}

// A window of two messages makes the lane lag behind nearly all the time.
func TestLaggingLaneMissesNothingAndDoublesNothing(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{WindowMessages: 2})
	topic := h.topic("orders")
	r := newRecorder(t, nil)
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, MaxInFlight: 2})
	h.publishMany(topic, 8, 250)
	for body, n := range r.waitFor(t, 2000) {
		if n != 1 {
			t.Errorf("%s arrived %d times", body, n)
		}
	}
}

func TestFailedPushesAreRetried(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{BreakerFailures: 1000}) // a probe of the breaker is no attempt of a policy
	topic := h.topic("orders")
	var mu sync.Mutex
	tries := map[string]int{}
	r := newRecorder(t, func(w http.ResponseWriter, req *http.Request, body string) bool {
		mu.Lock()
		defer mu.Unlock()
		tries[body]++
		if got := req.Header.Get("Attempt"); got != string('0'+rune(tries[body])) {
			t.Errorf("%s: try %d says it is attempt %s", body, tries[body], got)
		}
		if tries[body] < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return false
		}
		return true
	})
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: fastRetry()})
	h.publishMany(topic, 4, 50)
	r.waitFor(t, 200)
}

func TestRefusedAndExhaustedDeliveriesAreBuried(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{BreakerFailures: 1000})
	topic := h.topic("orders")
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, body string) bool {
		switch body {
		case "refused":
			w.WriteHeader(http.StatusGone)
			_, _ = io.WriteString(w, "not mine")
			return false
		case "failing":
			w.WriteHeader(http.StatusInternalServerError)
			return false
		}
		return true
	})
	retry := fastRetry()
	retry.MaxAttempts = 3
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: retry})
	h.publish(topic, "refused")
	h.publish(topic, "failing")
	h.publish(topic, "fine")
	r.waitFor(t, 1)
	got := map[string]engine.DeadLetter{}
	for deadline := time.Now().Add(30 * time.Second); len(got) < 2 && time.Now().Before(deadline); {
		err := h.Engine.DeadLetters(s, engine.DeadLetterFilter{}, func(d engine.DeadLetter, m *engine.Message) bool {
			got[string(m.Body())] = d
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if d := got["refused"]; d.Reason != "refused" || d.Status != 410 || d.Attempts != 1 || string(d.Answer) != "not mine" {
		t.Errorf("refused: %+v", d)
	}
	if d := got["failing"]; d.Reason != "max_attempts" || d.Status != 500 || d.Attempts != 3 {
		t.Errorf("failing: %+v", d)
	}
}

func TestExpiredMessageIsNotPushed(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.topic("orders")
	r := newRecorder(t, nil)
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	m := engine.NewMessage()
	m.Set(engine.FieldBody, []byte("late"))
	m.SetExpiresAt(time.Now().UnixMilli() - 1)
	if err := h.Engine.Publish(topic, m); err != nil {
		t.Fatal(err)
	}
	m.Release()
	h.publish(topic, "fresh")
	if seen := r.waitFor(t, 1); seen["late"] != 0 {
		t.Error("an expired message was pushed")
	}
	if n := h.Egress.Stats().Expired; n != 1 {
		t.Errorf("%d messages expired, want 1", n)
	}
}

func TestFilterTag(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.topic("orders")
	r := newRecorder(t, nil)
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, FilterTag: "red"})
	for _, tag := range []string{"blue", "", "Red", "red"} {
		m := engine.NewMessage()
		m.Set(engine.FieldBody, []byte("tag="+tag))
		if tag != "" {
			m.Set(engine.FieldTag, []byte(tag))
		}
		if err := h.Engine.Publish(topic, m); err != nil {
			t.Fatal(err)
		}
		m.Release()
	}
	if seen := r.waitFor(t, 1); len(seen) != 1 || seen["tag=red"] != 1 {
		t.Errorf("arrived: %v, want tag=red once", seen)
	}
}

// The endpoint is down for a while: the lane pauses, copies nothing, and delivers all when it is up again.
func TestPausedLaneRecovers(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{BreakerFailures: 3, WindowMessages: 8, BreakerDelayMax: 20 * time.Millisecond})
	topic := h.topic("orders")
	var up atomic.Bool
	failed := make(chan struct{}, 1000)
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if !up.Load() {
			w.WriteHeader(http.StatusBadGateway)
			failed <- struct{}{}
			return false
		}
		return true
	})
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: fastRetry()})
	h.publishMany(topic, 4, 100)
	for range 6 {
		<-failed
	}
	if state := s.Receiver().State(); state.InFlight > 8 {
		t.Errorf("a paused lane holds %d messages, its window is 8", state.InFlight)
	}
	up.Store(true)
	r.waitFor(t, 400)
}

// One endpoint never answers; the other on the same topic gets everything.
func TestHangingEndpointHurtsNobody(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{WindowMessages: 64})
	topic := h.topic("orders")
	hang := kindtest.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	r := newRecorder(t, nil)
	bad := h.subscribe(topic, engine.SubscriptionConfig{Name: "bad", Endpoint: hang})
	h.subscribe(topic, engine.SubscriptionConfig{Name: "good", Endpoint: r.URL})
	h.publishMany(topic, 8, 500)
	r.waitFor(t, 4000)
	if state := bad.Receiver().State(); state.InFlight > 64 || state.State != "lagging" {
		t.Errorf("the hanging subscription: %+v", state)
	}
}

// Everything answered before the store is closed arrives behind the restart.
func TestRestartDeliversWhatIsOwed(t *testing.T) {
	fs := vfs.NewMem()
	open := func() engine.Store {
		s, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var up atomic.Bool
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if !up.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
		return up.Load()
	})
	store := open()
	h := newHouse(t, store, egress.Options{})
	topic := h.topic("orders")
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: fastRetry()})
	h.publishMany(topic, 4, 200)
	m := engine.NewMessage()
	m.Set(engine.FieldBody, []byte("scheduled"))
	m.SetDeliverAt(time.Now().Add(100 * time.Millisecond).UnixMilli())
	if err := h.Engine.Publish(topic, m); err != nil {
		t.Fatal(err)
	}
	m.Release()
	h.close()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	up.Store(true)
	store = open()
	h = newHouse(t, store, egress.Options{})
	r.waitFor(t, 801)
	h.close()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// A server that closes behind each answer gets one request at a time, and each once.
func TestClosingServerUnderPipelining(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.topic("orders")
	var mu sync.Mutex
	seen := map[string]int{}
	done := make(chan struct{})
	url := kindtest.Listen(t, func(c net.Conn) {
		defer c.Close()
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		b, _ := io.ReadAll(req.Body)
		mu.Lock()
		seen[string(b)]++
		if len(seen) == 100 {
			close(done)
		}
		mu.Unlock()
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	})
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: url, Pipeline: 16, Retry: fastRetry()})
	h.publishMany(topic, 4, 25)
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%d of 100 arrived", len(seen))
	}
}

func TestTrimFollowsTheSlowest(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{ProgressInterval: time.Millisecond})
	topic := h.topic("orders")
	r := newRecorder(t, nil)
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	h.publishMany(topic, 2, 50)
	r.waitFor(t, 100)
	h.close() // trims at the end
	if got := topic.Trimmed(); got != 100 {
		t.Errorf("trimmed up to %d, want 100", got)
	}
}
