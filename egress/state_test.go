package egress_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// publishAt publishes a message that says when it was published.
func (h *house) publishAt(t *engine.Topic, body string, at time.Time) {
	h.t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	m.SetPublishedAt(at.UnixMilli())
	m.Set(engine.FieldBody, []byte(body))
	if err := h.Engine.Publish(t, m); err != nil {
		h.t.Fatal(err)
	}
}

func TestStateLiveAndLagging(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{WindowMessages: 2})
	topic := h.topic("orders")
	release := make(chan struct{})
	r := newRecorder(t, func(http.ResponseWriter, *http.Request, string) bool {
		<-release
		return true
	})
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	if got, want := s.Receiver().State(), (engine.LaneState{State: "live", Next: 1}); got != want {
		t.Errorf("a new lane: %+v", got)
	}
	old := time.Now().Add(-time.Hour)
	for i := range 5 {
		h.publishAt(topic, string(rune('a'+i)), old.Add(time.Duration(i)*time.Minute))
	}
	var st engine.LaneState
	eventually(t, "two are in flight and three wait in the store", func() bool {
		st = s.Receiver().State()
		return st.State == "lagging" && st.InFlight == 2 && st.Lag == 5
	})
	if st.Floor != 0 || st.Next != 3 || st.High != 5 {
		t.Errorf("lagging: %+v", st)
	}
	if st.LagTime < time.Hour || st.LagTime > time.Hour+time.Minute {
		t.Errorf("the oldest is an hour old, the state says %v", st.LagTime)
	}
	if c := h.Egress.Lanes(); c != (egress.LaneCounts{Lagging: 1}) {
		t.Errorf("counts: %+v", c)
	}
	close(release)
	r.waitFor(t, 5)
	eventually(t, "live without a lag", func() bool {
		st = s.Receiver().State()
		return st.State == "live" && st.Lag == 0 && st.InFlight == 0
	})
	if st.Floor != 5 || st.Next != 6 || st.LagTime != 0 {
		t.Errorf("live: %+v", st)
	}
	if c := h.Egress.Lanes(); c != (egress.LaneCounts{Live: 1}) {
		t.Errorf("counts: %+v", c)
	}
}

// What is settled above one that hangs is not counted.
func TestStateCountsGaps(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.topic("orders")
	release := make(chan struct{})
	defer close(release)
	r := newRecorder(t, func(_ http.ResponseWriter, _ *http.Request, body string) bool {
		if body == "hangs" {
			<-release
		}
		return true
	})
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL})
	h.publish(topic, "first")
	h.publish(topic, "hangs")
	for _, body := range []string{"x", "y", "z"} {
		h.publish(topic, body)
	}
	r.waitFor(t, 4)
	eventually(t, "one is owed", func() bool {
		st := s.Receiver().State()
		return st.Lag == 1 && st.Floor == 1 && st.High == 5 && st.InFlight == 1 && st.State == "live"
	})
}

func TestStatePaused(t *testing.T) {
	h := newHouse(t, newMemory(), egress.Options{BreakerFailures: 2})
	topic := h.topic("orders")
	var up atomic.Bool
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if !up.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
		return up.Load()
	})
	before := time.Now()
	retry := engine.RetryPolicy{MinDelay: 300 * time.Millisecond, MaxDelay: time.Second}
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, Retry: retry})
	for i := range 10 {
		h.publish(topic, string(rune('a'+i)))
	}
	var st engine.LaneState
	eventually(t, "paused", func() bool {
		st = s.Receiver().State()
		return st.State == "paused" && st.InFlight > 0
	})
	if st.Failures < 2 || st.LastFailure == "" || st.FailedAt.Before(before) || st.Probe.Before(before) || st.Probe.After(time.Now().Add(2*time.Second)) {
		t.Errorf("paused: %+v", st)
	}
	if c := h.Egress.Lanes(); c.Paused != 1 && s.Receiver().State().State == "paused" {
		t.Errorf("counts: %+v", c)
	}
	up.Store(true)
	r.waitFor(t, 10)
	eventually(t, "live again", func() bool {
		st = s.Receiver().State()
		return st.State == "live" && st.Failures == 0 && st.Probe.IsZero() && st.Lag == 0
	})
	if st.LastFailure == "" {
		t.Error("the last failure is forgotten")
	}
}
