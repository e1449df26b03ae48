package egress

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
)

// mute is a kind that pushes bodies and nothing else.
type mute struct{}

func (mute) Name() string                           { return "mute" }
func (mute) Check(*engine.SubscriptionConfig) error { return nil }
func (mute) Timeout() time.Duration                 { return time.Second }
func (mute) Compile(*engine.Subscription) Encoder   { return mute{} }
func (mute) Judge(status int) Outcome {
	return map[bool]Outcome{true: Delivered, false: Retry}[status == http.StatusOK]
}
func (mute) Body(s []byte, m *engine.Message) (body, grown []byte) { return m.Body(), s }

func (mute) AppendHeader(dst []byte, _ *engine.Message, _ []byte, _ int) []byte { return dst }

// stillLane returns a lane whose worker does not run.
func stillLane(t testing.TB) *lane {
	t.Helper()
	e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(e, Options{Kinds: []Kind{mute{}}}); err != nil {
		t.Fatal(err)
	}
	topic, _, err := e.CreateTopic("t", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := e.PutSubscription(topic, engine.SubscriptionConfig{Name: "s", Kind: "mute", Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	return s.Receiver().(*lane)
}

// A lane that pauses anew while the ledger finds it recovered goes on to be probed.
func TestPausedLaneIsAlwaysProbed(t *testing.T) {
	l := stillLane(t)
	w := l.worker
	settle := func() { time.Sleep(5 * time.Millisecond) } // lets the other goroutine reach its lock
	w.pause(l)                                            // on the list, but recovered
	l.mu.Lock()
	var ledger sync.WaitGroup
	ledger.Go(func() { w.probe(time.Now()) }) // waits for the lane
	settle()
	w.mu.Lock()
	l.mu.Unlock() // the ledger looks at the lane, and waits for the list
	settle()
	early := l.mu.TryLock()
	if early { // what a pusher does whose push fails now; the lane is on the list, so there is nothing to add
		l.paused, l.probeAt = true, time.Now().Add(time.Hour)
		l.mu.Unlock()
	}
	w.mu.Unlock()
	if !early {
		l.mu.Lock()
		l.paused, l.probeAt = true, time.Now().Add(time.Hour)
		w.pause(l)
		l.mu.Unlock()
	}
	ledger.Wait()
	if len(w.paused) != 1 {
		t.Error("the lane is paused, and nobody will probe it")
	}
}

// While a probe is under way a retry that is due comes back later, not at once.
func TestRetryWaitsForTheProbe(t *testing.T) {
	l := stillLane(t)
	now := time.Now()
	l.mu.Lock()
	l.paused, l.probing, l.probeAt = true, true, now.Add(-time.Second)
	l.mu.Unlock()
	m := engine.NewMessage()
	defer m.Release()
	if at, ok := l.due(delivery{m: m, entry: engine.TimerKey{ID: 1}}); ok || !at.After(now) {
		t.Errorf("due: taken %v, again in %v", ok, at.Sub(now))
	}
}
