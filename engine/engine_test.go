package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// recorder is an egress that notes what it is handed.
type recorder struct {
	block chan struct{} // when not nil, Dispatch waits for it

	mu     sync.Mutex
	bodies []string
	last   map[*engine.Topic]engine.Sequence
	gaps   int
	wake   chan struct{}
}

func newRecorder() *recorder {
	return &recorder{last: map[*engine.Topic]engine.Sequence{}, wake: make(chan struct{}, 1)}
}

func (r *recorder) Check(*engine.SubscriptionConfig) error                     { return nil }
func (r *recorder) Open(*engine.Subscription, engine.Progress) engine.Receiver { return r }
func (r *recorder) Update(*engine.Subscription)                                {}
func (r *recorder) Close(*engine.Subscription)                                 {}
func (r *recorder) Offer(*engine.Message)                                      {}
func (r *recorder) Rewind(next engine.Sequence) (engine.Sequence, error)       { return next, nil }

func (r *recorder) State() engine.LaneState                                       { return engine.LaneState{} }
func (r *recorder) Due(*engine.Subscription, *engine.Message, engine.Parked) bool { return false }

func (r *recorder) Dispatch(m *engine.Message) {
	if r.block != nil {
		<-r.block
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, string(m.Body()))
	if m.Sequence() != r.last[m.Topic()]+1 {
		r.gaps++
	}
	r.last[m.Topic()] = m.Sequence()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *recorder) waitFor(t *testing.T, n int) []string {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		got := append([]string(nil), r.bodies...)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-r.wake:
		case <-timeout:
			t.Fatalf("%d of %d messages were dispatched", len(got), n)
		}
	}
}

// start runs an engine until the end of the test, or until the returned function is called.
func start(t *testing.T, opts engine.Options, r *recorder) (*engine.Engine, func()) {
	t.Helper()
	e, err := engine.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(r); err != nil {
		t.Fatal(err)
	}
	e.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { e.Run(ctx) })
	stop := sync.OnceFunc(func() {
		cancel()
		run.Wait()
		e.Close()
	})
	t.Cleanup(stop)
	return e, stop
}

func publish(e *engine.Engine, t *engine.Topic, body string) error {
	m := engine.NewMessage()
	defer m.Release()
	m.Set(engine.FieldBody, []byte(body))
	return e.Publish(t, m)
}

func topic(t *testing.T, e *engine.Engine, name string) *engine.Topic {
	t.Helper()
	tp, _, err := e.CreateTopic(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tp
}

func TestSequencesAreDenseAndDispatchedInOrder(t *testing.T) {
	r := newRecorder()
	e, _ := start(t, engine.Options{Store: memstore.New(memstore.Options{}), Shards: 3, GroupMessagesMax: 7}, r)
	var wg sync.WaitGroup
	for i := range 10 {
		tp := topic(t, e, fmt.Sprintf("topic-%d", i%5))
		wg.Go(func() {
			for range 500 {
				if err := publish(e, tp, "x"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	r.waitFor(t, 5000)
	if r.gaps != 0 {
		t.Errorf("%d messages were dispatched out of order", r.gaps)
	}
	if high := topic(t, e, "topic-0").High(); high != 1000 {
		t.Errorf("high-water mark %d, want 1000", high)
	}
}

// With the dispatcher stuck the ring fills up; publishes are refused at once, and none that was accepted
// is lost.
func TestFullRingIsBusy(t *testing.T) {
	r := newRecorder()
	r.block = make(chan struct{})
	e, _ := start(t, engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1, RingSlots: 8, GroupMessagesMax: 2}, r)
	tp := topic(t, e, "orders")
	results := make(chan error, 100)
	for range 100 {
		go func() { results <- publish(e, tp, "x") }()
	}
	refused := 0
	for range 100 - 8 {
		if err := <-results; errors.Is(err, engine.ErrBusy) {
			refused++
		} else if err != nil {
			t.Errorf("publish: %v", err)
		}
		if refused == 100-8 {
			break
		}
	}
	close(r.block)
	accepted := 0
	for range 8 {
		if err := <-results; err == nil {
			accepted++
		}
	}
	r.waitFor(t, accepted)
	if refused == 0 {
		t.Error("a ring of 8 slots refused none of 100 publishes")
	}
}

func TestWaitingBytesAreBounded(t *testing.T) {
	r := newRecorder()
	r.block = make(chan struct{})
	e, _ := start(t, engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1, WaitingBytesMax: 1000}, r)
	tp := topic(t, e, "orders")
	if err := publish(e, tp, string(make([]byte, 5000))); err != nil {
		t.Errorf("one message larger than the bound: %v, want none when nothing else waits", err)
	}
	if err := publish(e, tp, "x"); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("publish beyond the bound: %v, want ErrBusy", err)
	}
	close(r.block)
}

// The store fails to sync: no publish is answered with success from then on.
func TestFailedSyncIsNeverASuccess(t *testing.T) {
	var inject errorfs.Toggle
	inject.Injector = errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
			return errors.New("disk on fire")
		}
		return nil
	})
	store, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: errorfs.Wrap(vfs.NewMem(), &inject)})
	if err != nil {
		t.Fatal(err)
	}
	e, stop := start(t, engine.Options{Store: store, Shards: 1}, newRecorder())
	tp := topic(t, e, "orders")
	if err := publish(e, tp, "before"); err != nil {
		t.Fatal(err)
	}
	inject.On()
	for range 3 {
		if err := publish(e, tp, "after"); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("publish on a failing disk: %v, want ErrUnavailable", err)
		}
	}
	inject.Off()
	if err := publish(e, tp, "later"); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("publish after a failed sync: %v, want ErrUnavailable until the store is opened anew", err)
	}
	if e.Ready() == nil {
		t.Error("the engine says it is ready")
	}
	stop()
	_ = store.Close() // says once more that it failed
}

func TestClosedEngineRefuses(t *testing.T) {
	e, stop := start(t, engine.Options{Store: memstore.New(memstore.Options{})}, newRecorder())
	tp := topic(t, e, "orders")
	stop()
	if err := publish(e, tp, "x"); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("publish: %v, want ErrClosed", err)
	}
	if _, _, err := e.CreateTopic("more", nil); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("create: %v, want ErrClosed", err)
	}
}

func TestScheduledMessageWaitsAndSurvivesARestart(t *testing.T) {
	fs := vfs.NewMem()
	open := func() engine.Store {
		s, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	store := open()
	r := newRecorder()
	e, stop := start(t, engine.Options{Store: store}, r)
	due := time.Now().Add(300 * time.Millisecond)
	m := engine.NewMessage()
	m.Set(engine.FieldBody, []byte("later"))
	m.SetDeliverAt(due.UnixMilli())
	if err := e.Publish(topic(t, e, "orders"), m); err != nil {
		t.Fatal(err)
	}
	if m.Sequence() != 0 {
		t.Errorf("a message due later has sequence %d", m.Sequence())
	}
	m.Release()
	stop()
	if len(r.bodies) != 0 && time.Now().Before(due) {
		t.Error("the message was dispatched before its time")
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = open()
	defer store.Close()
	e, stop = start(t, engine.Options{Store: store}, r)
	if got := r.waitFor(t, 1); got[0] != "later" || time.Now().Before(due.Truncate(time.Millisecond)) {
		t.Errorf("dispatched %q %v before its time", got, time.Until(due))
	}
	if err := publish(e, topic(t, e, "orders"), "marker"); err != nil {
		t.Fatal(err)
	}
	r.waitFor(t, 2)
	stop()
	if len(r.bodies) != 2 {
		t.Errorf("dispatched: %q", r.bodies)
	}
}

func TestHeldMessageIsPublishedOnceOrDropped(t *testing.T) {
	r := newRecorder()
	e, _ := start(t, engine.Options{Store: memstore.New(memstore.Options{})}, r)
	tp := topic(t, e, "orders")
	hold := func(body string) engine.TimerKey {
		t.Helper()
		m := engine.NewMessage()
		defer m.Release()
		m.Set(engine.FieldBody, []byte(body))
		k, err := e.Hold(tp, m)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	settle := func(k engine.TimerKey, in *engine.Topic, publish bool, want error) {
		t.Helper()
		if err := e.Settle(in, k, publish); !errors.Is(err, want) {
			t.Errorf("Settle: %v, want %v", err, want)
		}
	}
	dropped, kept := hold("dropped"), hold("kept")
	settle(kept, topic(t, e, "other"), true, engine.ErrHeldNotFound)
	settle(dropped, tp, false, nil)
	settle(kept, tp, true, nil)
	settle(kept, tp, true, engine.ErrHeldNotFound)
	settle(dropped, tp, true, engine.ErrHeldNotFound)
	settle(engine.TimerKey{Due: 1, ID: 1}, tp, true, engine.ErrHeldNotFound)
	if err := publish(e, tp, "marker"); err != nil {
		t.Fatal(err)
	}
	if got := r.waitFor(t, 2); got[0] != "kept" || got[1] != "marker" {
		t.Errorf("dispatched %q, want kept, marker", got)
	}
}

func TestCatalogSurvivesARestart(t *testing.T) {
	store := memstore.New(memstore.Options{})
	e, stop := start(t, engine.Options{Store: store}, newRecorder())
	tp := topic(t, e, "orders")
	other := topic(t, e, "other")
	config := engine.SubscriptionConfig{Name: "s", Kind: "webhook", Endpoint: "http://127.0.0.1:1/", Token: "token", TokenUntil: time.Now().Add(time.Hour).UnixMilli()}
	s, created, err := e.PutSubscription(tp, config)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	if _, created, err = e.PutSubscription(tp, config); created || err != nil {
		t.Errorf("the same again: created %v, %v", created, err)
	}
	if err := e.UpdateTopic(tp, func(l map[string]string) { l["a"] = "b" }); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteTopic("other"); err != nil {
		t.Fatal(err)
	}
	if err := publish(e, other, "x"); !errors.Is(err, engine.ErrTopicNotFound) {
		t.Errorf("publish to a deleted topic: %v", err)
	}
	for range 3 {
		if err := publish(e, tp, "x"); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	e, _ = start(t, engine.Options{Store: store}, newRecorder())
	again := e.Topic([]byte("orders"))
	if again == nil || again.ID != tp.ID || again.Label("a") != "b" || again.High() != 3 || e.Topic([]byte("other")) != nil {
		t.Fatalf("topics behind the restart: %+v, %+v", again, e.Topic([]byte("other")))
	}
	if got := e.SubscriptionByToken("token"); got == nil || got.ID != s.ID || got.Name() != "s" {
		t.Errorf("subscription behind the restart: %+v", got)
	}
	if next := topic(t, e, "next"); next.ID <= other.ID {
		t.Errorf("topic id %d is given again", next.ID)
	}
}

func TestListTopics(t *testing.T) {
	e, _ := start(t, engine.Options{Store: memstore.New(memstore.Options{})}, newRecorder())
	for _, name := range []string{"b1", "a", "b3", "c", "b2"} {
		topic(t, e, name)
	}
	f := func(prefix, after string, limit int, want ...string) {
		t.Helper()
		var got []string
		for _, tp := range e.Topics(prefix, after, limit) {
			got = append(got, tp.Name())
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Topics(%q, %q, %d) = %v, want %v", prefix, after, limit, got, want)
		}
	}
	f("", "", 10, "a", "b1", "b2", "b3", "c")
	f("", "b1", 2, "b2", "b3")
	f("b", "", 10, "b1", "b2", "b3")
	f("b", "b2", 10, "b3")
	f("b", "a", 10, "b1", "b2", "b3")
	f("b", "b1x", 10, "b2", "b3")
	f("x", "", 10)
}
