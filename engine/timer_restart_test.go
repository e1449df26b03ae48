package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// taker is an egress that notes when it is handed which message, and settles what it is due as it is told to.
type taker struct {
	settle func(body string) bool // deliveries it settles; nil for none

	mu         sync.Mutex
	engine     *engine.Engine
	dispatched map[string][]time.Time
	order      []string
	due        map[string]int
}

func newTaker(settle func(string) bool) *taker {
	return &taker{settle: settle, dispatched: map[string][]time.Time{}, due: map[string]int{}}
}

func (r *taker) Check(*engine.SubscriptionConfig) error                     { return nil }
func (r *taker) Open(*engine.Subscription, engine.Progress) engine.Receiver { return r }
func (r *taker) Update(*engine.Subscription)                                {}
func (r *taker) Close(*engine.Subscription)                                 {}
func (r *taker) Offer(*engine.Message)                                      {}
func (r *taker) Rewind(next engine.Sequence) (engine.Sequence, error)       { return next, nil }
func (r *taker) State() engine.LaneState                                    { return engine.LaneState{} }

func (r *taker) Dispatch(m *engine.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body := string(m.Body())
	r.dispatched[body] = append(r.dispatched[body], time.Now())
	r.order = append(r.order, body)
}

func (r *taker) Due(_ *engine.Subscription, m *engine.Message, p engine.Parked) bool {
	defer m.Release()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due[string(m.Body())]++
	if r.settle != nil && r.settle(string(m.Body())) {
		b := r.engine.Store().NewBatch()
		b.DeleteTimer(p.Entry)
		if err := b.Apply(false); err == nil {
			r.engine.TimerSettled(p.Entry)
		}
	}
	return true
}

// begin starts an engine on a store with the taker.
func begin(t *testing.T, store engine.Store, r *taker) (e *engine.Engine, stop func()) {
	t.Helper()
	return launch(t, store, r, func(e *engine.Engine) { r.engine = e })
}

// launch starts an engine on a store with an egress that is told of it before.
func launch(t *testing.T, store engine.Store, egress engine.Egress, made func(*engine.Engine)) (e *engine.Engine, stop func()) {
	t.Helper()
	e, err := engine.New(engine.Options{Store: store, Shards: 2})
	if err != nil {
		t.Fatal(err)
	}
	made(e)
	if err := e.Attach(egress); err != nil {
		t.Fatal(err)
	}
	e.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { e.Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		run.Wait()
		e.Close()
	})
	t.Cleanup(stop)
	return e, stop
}

// later publishes a message that is due at a time.
func later(t *testing.T, e *engine.Engine, tp *engine.Topic, body string, due time.Time) {
	t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	m.Set(engine.FieldBody, []byte(body))
	m.SetDeliverAt(due.UnixMilli())
	if err := e.Publish(tp, m); err != nil {
		t.Fatal(err)
	}
}

// Messages that are due later, and held ones, outlive a restart: each is dispatched once, none before its time,
// what became due meanwhile at once, oldest first.
func TestRestartDispatchesWhatBecameDueOnce(t *testing.T) {
	for seed := range uint64(5) {
		bubble(t, func(t *testing.T) { restart(t, seed) })
	}
}

// bubble runs a test in a bubble of time. Messages belong to theirs by the channel in each of them, and must not be met in
// the pool behind it; two collections empty it.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	runtime.GC()
	runtime.GC()
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, f)
}

func restart(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 11))
	store := memstore.New(memstore.Options{}) // outlives the engine as a disk would
	got := newTaker(nil)
	e, stop := begin(t, store, got)
	tp := topic(t, e, "orders")
	due := map[string]time.Time{}
	for i := range 2000 {
		body := fmt.Sprint("later ", i)
		due[body] = time.Now().Add(time.Duration(r.Int64N(int64(4 * time.Hour)))).Truncate(time.Millisecond)
		later(t, e, tp, body, due[body])
	}
	held := map[string]engine.TimerKey{}
	for i := range 100 {
		m := engine.NewMessage()
		body := fmt.Sprint("held ", i)
		m.Set(engine.FieldBody, []byte(body))
		k, err := e.Hold(tp, m)
		if err != nil {
			t.Fatal(err)
		}
		held[body] = k
		m.Release()
	}
	settled := map[string]time.Time{} // held ones that were published
	var down, up []time.Time          // when the engine was stopped and started
	for range 4 {
		time.Sleep(time.Duration(r.Int64N(int64(30 * time.Minute))))
		synctest.Wait()
		down = append(down, time.Now())
		stop()
		time.Sleep(time.Duration(r.Int64N(int64(30 * time.Minute))))
		before := len(got.order)
		up = append(up, time.Now())
		e, stop = begin(t, store, got)
		time.Sleep(time.Second)
		synctest.Wait()
		backlog := got.order[before:]
		if !slices.IsSortedFunc(backlog, func(a, b string) int { return due[a].Compare(due[b]) }) {
			t.Errorf("seed %d: what became due meanwhile was not dispatched oldest first", seed)
		}
		tp = topic(t, e, "orders")
		for body, k := range held {
			if r.IntN(8) == 0 {
				settled[body] = time.Now()
				if err := e.Settle(tp, k, true); err != nil {
					t.Errorf("seed %d: %s: %v", seed, body, err)
				}
				delete(held, body)
			}
		}
	}
	time.Sleep(48 * time.Hour) // the other held ones are dropped by then
	synctest.Wait()
	stop()
	for body, at := range settled {
		due[body] = at
	}
	for body, at := range due {
		times := got.dispatched[body]
		if len(times) != 1 {
			t.Fatalf("seed %d: %s was dispatched %d times", seed, body, len(times))
		}
		want := at
		for i := range down {
			if !at.Before(down[i]) && at.Before(up[i]) {
				want = up[i]
			}
		}
		if late := times[0].Sub(want); late < 0 || late > 50*time.Millisecond || times[0].Before(at) {
			t.Errorf("seed %d: %s was dispatched %v behind its time", seed, body, late)
		}
	}
	if len(got.dispatched) != len(due) {
		t.Errorf("seed %d: %d messages were dispatched, want %d", seed, len(got.dispatched), len(due))
	}
	if n := timerEntries(t, store); n != 0 || e.Stats().Timers != 0 {
		t.Errorf("seed %d: at the end the timer has %d entries in the store and %d in memory", seed, n, e.Stats().Timers)
	}
	for body, k := range held {
		if err := settleOn(t, store, k); err == nil {
			t.Errorf("seed %d: %s can be settled after two days", seed, body)
		}
	}
}

// settleOn settles a held message on an engine of its own.
func settleOn(t *testing.T, store engine.Store, k engine.TimerKey) error {
	t.Helper()
	e, stop := begin(t, store, newTaker(nil))
	defer stop()
	return e.Settle(topic(t, e, "orders"), k, true)
}

func timerEntries(t *testing.T, store engine.Store) int {
	t.Helper()
	n := 0
	lowest := engine.TimerKey{Due: -1 << 62}
	if err := store.ReadTimers(lowest, engine.TimerKeyMax, func(engine.TimerKey) bool { n++; return true }); err != nil {
		t.Fatal(err)
	}
	return n
}

// The power fails while delayed messages fire: on what is left each is either in the topic or on the timer, never
// both and never neither, and the next start dispatches those on the timer.
func TestCrashWhileDelayedMessagesFire(t *testing.T) {
	const messages, crashes = 400, 25
	fs := vfs.NewCrashableMem()
	store := openStore(t, fs)
	got := newTaker(nil)
	e, stop := begin(t, store, got)
	defer store.Close()
	defer stop()
	tp := topic(t, e, "orders")
	due := time.Now().Add(500 * time.Millisecond)
	for i := range messages {
		later(t, e, tp, fmt.Sprint(i), due.Add(time.Duration(i)*time.Millisecond))
	}
	r := rand.New(rand.NewPCG(12, 13))
	var clones []*vfs.MemFS
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(clones) < crashes {
		<-tick.C
		if time.Now().Before(due) {
			continue
		}
		clones = append(clones, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r}))
	}
	between := 0
	for i, clone := range clones {
		s := openStore(t, clone)
		inTopic := topicBodies(t, s, tp.ID)
		onTimer := timerEntries(t, s)
		if inTopic+onTimer != messages {
			t.Errorf("crash %d: %d in the topic and %d on the timer, want %d together", i, inTopic, onTimer, messages)
		}
		if inTopic > 0 && onTimer > 0 {
			between++
		}
		again := newTaker(nil)
		_, stop := begin(t, s, again)
		waitUntil(t, func() bool { return timerEntries(t, s) == 0 })
		stop()
		if n := topicBodies(t, s, tp.ID); n != messages || len(again.dispatched) != onTimer {
			t.Errorf("crash %d: after the start %d are in the topic, %d of %d were dispatched", i, n, len(again.dispatched), onTimer)
		}
		for body, times := range again.dispatched {
			if len(times) != 1 {
				t.Errorf("crash %d: %s was dispatched %d times", i, body, len(times))
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if between == 0 {
		t.Error("no crash came while they fired")
	}
}

// A delivery that fired and was not settled fires again at the next start; one that was settled durably does not.
func TestCrashBetweenFireAndSettle(t *testing.T) {
	fs := vfs.NewCrashableMem()
	store := openStore(t, fs)
	settled := func(body string) bool { return body[0] == 's' }
	got := newTaker(settled)
	e, stop := begin(t, store, got)
	defer store.Close()
	defer stop()
	tp := topic(t, e, "orders")
	sub, _, err := e.PutSubscription(tp, engine.SubscriptionConfig{Name: "s", Kind: "webhook", Endpoint: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	const each = 50
	for i := range each {
		for _, kind := range []string{"settled ", "open "} {
			m := engine.NewMessage()
			m.Set(engine.FieldBody, []byte(fmt.Sprint(kind, i)))
			if err := e.Notify(sub, m); err != nil {
				t.Fatal(err)
			}
			m.Release()
		}
	}
	waitUntil(t, func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.due) == 2*each })
	if err := publish(e, tp, "a sync"); err != nil { // what was applied before is durable behind it
		t.Fatal(err)
	}
	clone := fs.CrashClone(vfs.CrashCloneCfg{})
	for body, n := range got.due {
		if n != 1 {
			t.Errorf("%s fired %d times before it was settled", body, n)
		}
	}
	s := openStore(t, clone)
	defer s.Close()
	again := newTaker(func(string) bool { return true })
	_, stopAgain := begin(t, s, again)
	waitUntil(t, func() bool { return timerEntries(t, s) == 0 })
	stopAgain()
	for i := range each {
		if n := again.due[fmt.Sprint("open ", i)]; n != 1 {
			t.Errorf("the open delivery %d fired %d times after the crash, want once", i, n)
		}
		if n := again.due[fmt.Sprint("settled ", i)]; n != 0 {
			t.Errorf("the settled delivery %d fired %d times after the crash", i, n)
		}
	}
}

func openStore(t *testing.T, fs vfs.FS) engine.Store {
	t.Helper()
	s, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// topicBodies counts the messages of a topic, each with a body of its own.
func topicBodies(t *testing.T, s engine.Store, id engine.TopicID) int {
	t.Helper()
	seen := map[string]bool{}
	err := s.ReadTopic(id, 1, 1<<62, func(seq engine.Sequence, record []byte) bool {
		m, err := engine.DecodeMessage(record)
		if err != nil {
			t.Errorf("sequence %d: %v", seq, err)
			return true
		}
		defer m.Release()
		if seen[string(m.Body())] {
			t.Errorf("%s is in the topic twice", m.Body())
		}
		seen[string(m.Body())] = true
		return true
	})
	if err != nil {
		t.Error(err)
	}
	return len(seen)
}

// waitUntil polls until a condition holds.
func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not come about within a minute")
		}
	}
}
