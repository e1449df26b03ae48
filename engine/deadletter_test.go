package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// subscribed is an engine with one subscription.
func subscribed(t *testing.T, store engine.Store) (*engine.Engine, *engine.Subscription) {
	t.Helper()
	e, _ := start(t, engine.Options{Store: store, Shards: 1}, newRecorder())
	s, _, err := e.PutSubscription(topic(t, e, "orders"), engine.SubscriptionConfig{Name: "s", Endpoint: "http://127.0.0.1:9/"})
	if err != nil {
		t.Fatal(err)
	}
	return e, s
}

// putLetters writes dead letters 1 to n: the odd ones were refused with 410, the others ran out of attempts.
func putLetters(t *testing.T, store engine.Store, s *engine.Subscription, n int) {
	t.Helper()
	other, stop := start(t, engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1}, newRecorder())
	defer stop()
	elsewhere := topic(t, other, "t")
	b := store.NewBatch()
	for i := 1; i <= n; i++ {
		m := engine.NewMessage()
		m.SetExpiresAt(1) // long ago
		m.Set(engine.FieldBody, fmt.Append(nil, i))
		d := engine.DeadLetter{At: int64(1000 * i), Attempts: 3, Reason: engine.ReasonAttempts, Failure: "x"}
		if i%2 == 1 {
			d.Reason, d.Status = engine.ReasonRefused, 410
		}
		if err := other.Publish(elsewhere, m); err != nil { // makes its record complete
			t.Fatal(err)
		}
		b.PutDeadLetter(s.ID, engine.Sequence(i), engine.AppendDeadLetterHead(nil, &d), m.Record())
		m.Release()
	}
	if err := b.Apply(true); err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(); err != nil {
		t.Fatal(err)
	}
}

func listed(t *testing.T, e *engine.Engine, s *engine.Subscription, f engine.DeadLetterFilter) []engine.Sequence {
	t.Helper()
	got := []engine.Sequence{}
	err := e.DeadLetters(s, f, func(d engine.DeadLetter, _ *engine.Message) bool {
		got = append(got, d.Sequence)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// entries are the timer's entries in a store, with the bodies of their messages.
func entries(t *testing.T, store engine.Store) (keys []engine.TimerKey, bodies []string) {
	t.Helper()
	err := store.ReadTimers(engine.TimerKey{}, engine.TimerKeyMax, func(k engine.TimerKey) bool {
		keys = append(keys, k)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		value, ok, err := store.ReadTimer(k, nil)
		if err != nil || !ok {
			t.Fatalf("entry %v: %v %v", k, ok, err)
		}
		_, _, _, m, err := engine.ParseTimerEntry(value)
		if err != nil {
			t.Fatal(err)
		}
		if m.ExpiresAt() != 0 {
			t.Error("a replayed letter would be dropped as expired")
		}
		bodies = append(bodies, string(m.Body()))
		m.Release()
	}
	return keys, bodies
}

func TestDeadLetterFilter(t *testing.T) {
	store := memstore.New(memstore.Options{})
	e, s := subscribed(t, store)
	putLetters(t, store, s, 6)
	b := store.NewBatch()
	b.PutDeadLetter(s.ID, 7, []byte("torn"), nil)
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	f := func(filter engine.DeadLetterFilter, want ...engine.Sequence) {
		t.Helper()
		if got := listed(t, e, s, filter); !slices.Equal(got, want) {
			t.Errorf("%+v: got %v, want %v", filter, got, want)
		}
	}
	f(engine.DeadLetterFilter{}, 1, 2, 3, 4, 5, 6, 7)
	f(engine.DeadLetterFilter{After: 4}, 5, 6, 7)
	f(engine.DeadLetterFilter{Only: 3}, 3)
	f(engine.DeadLetterFilter{Only: 7}, 7)
	f(engine.DeadLetterFilter{Only: 9})
	f(engine.DeadLetterFilter{Only: 3, After: 3})
	f(engine.DeadLetterFilter{Only: 3, Reason: engine.ReasonAttempts})
	f(engine.DeadLetterFilter{Reason: engine.ReasonRefused}, 1, 3, 5)
	f(engine.DeadLetterFilter{Status: 410, After: 1}, 3, 5)
	f(engine.DeadLetterFilter{Since: 2000, Until: 4000}, 2, 3)

	// A damaged one stays behind a replay, and goes with a purge.
	if n, last, err := e.ReplayDeadLetters(s, engine.DeadLetterFilter{Reason: engine.ReasonRefused}, 0, 2); n != 2 || last != 3 || err != nil {
		t.Errorf("replay up to a limit: %d, %d, %v", n, last, err)
	}
	f(engine.DeadLetterFilter{}, 2, 4, 5, 6, 7)
	if n, _, err := e.ReplayDeadLetters(s, engine.DeadLetterFilter{After: 4}, 0, 100); n != 2 || err != nil {
		t.Errorf("replay: %d, %v", n, err)
	}
	f(engine.DeadLetterFilter{}, 2, 4, 7)
	if n, _, err := e.PurgeDeadLetters(s, engine.DeadLetterFilter{Only: 2}, 100); n != 1 || err != nil {
		t.Errorf("purge of one: %d, %v", n, err)
	}
	if n, _, err := e.PurgeDeadLetters(s, engine.DeadLetterFilter{}, 100); n != 2 || err != nil {
		t.Errorf("purge of all: %d, %v", n, err)
	}
	f(engine.DeadLetterFilter{})
	_, bodies := entries(t, store)
	slices.Sort(bodies)
	if !slices.Equal(bodies, []string{"1", "3", "5", "6"}) {
		t.Errorf("scheduled: %v", bodies)
	}
	if st := e.Stats(); st.Replayed != 4 || st.Purged != 3 {
		t.Errorf("counted: %+v", st)
	}
}

// The due times of a replay with a rate are as far apart as it says, also of one that comes behind another, or
// beside it.
func TestReplayKeepsItsRate(t *testing.T) {
	const rate, gap = 100, 10 // per second, ms
	store := memstore.New(memstore.Options{})
	e, s := subscribed(t, store)
	putLetters(t, store, s, 40)
	replay := func(f engine.DeadLetterFilter, limit, want int) {
		if n, _, err := e.ReplayDeadLetters(s, f, rate, limit); n != want || err != nil {
			t.Errorf("replay: %d, %v", n, err)
		}
	}
	begin := time.Now().UnixMilli()
	replay(engine.DeadLetterFilter{}, 10, 10)
	replay(engine.DeadLetterFilter{}, 10, 10)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 5 {
				replay(engine.DeadLetterFilter{Only: engine.Sequence(21 + 5*i + j)}, 1, 1)
			}
		})
	}
	wg.Wait()
	keys, _ := entries(t, store)
	if len(keys) != 40 || keys[0].Due < begin {
		t.Fatalf("%d entries, the first at %d", len(keys), keys[0].Due-begin)
	}
	for i := 1; i < len(keys); i++ {
		if apart := keys[i].Due - keys[i-1].Due; apart < gap-1 {
			t.Errorf("entries %d and %d are %d ms apart", i-1, i, apart)
		}
	}
}

func TestConcurrentReplaysTakeEachOnce(t *testing.T) {
	const letters = 2500 // more than two batches
	store := memstore.New(memstore.Options{})
	e, s := subscribed(t, store)
	putMany(t, store, s, letters)
	var replayed atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			n, _, err := e.ReplayDeadLetters(s, engine.DeadLetterFilter{}, 0, letters)
			if err != nil {
				t.Error(err)
			}
			replayed.Add(int64(n))
		})
	}
	wg.Wait()
	_, bodies := entries(t, store)
	slices.Sort(bodies)
	if n := len(slices.Compact(slices.Clone(bodies))); replayed.Load() != letters || n != letters || len(bodies) != letters {
		t.Errorf("%d replayed, %d scheduled, %d different", replayed.Load(), len(bodies), n)
	}
}

// putMany writes dead letters that differ in their sequence alone, fast.
func putMany(t *testing.T, store engine.Store, s *engine.Subscription, n int) {
	t.Helper()
	d := engine.DeadLetter{At: 1, Reason: engine.ReasonRefused}
	head := engine.AppendDeadLetterHead(nil, &d)
	messages := make([]*engine.Message, n)
	for i := range messages {
		messages[i] = engine.NewMessage()
		messages[i].Set(engine.FieldBody, fmt.Append(nil, i+1))
	}
	other, stop := start(t, engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1}, newRecorder())
	defer stop()
	errs := make([]error, n)
	other.PublishGroup(topic(t, other, "t"), messages, errs)
	b := store.NewBatch()
	for i, m := range messages {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		b.PutDeadLetter(s.ID, engine.Sequence(i+1), head, m.Record())
		m.Release()
	}
	if err := b.Apply(true); err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(); err != nil {
		t.Fatal(err)
	}
}

// crashing is a store whose power fails at every step of every batch: each time a clone of the disk is kept.
type crashing struct {
	engine.Store
	fs     *vfs.MemFS
	armed  atomic.Bool
	random *rand.Rand
	clones []*vfs.MemFS
}

func (c *crashing) NewBatch() engine.Batch { return &crashingBatch{c.Store.NewBatch(), c} }

func (c *crashing) cut() {
	if c.armed.Load() {
		for _, kept := range []int{0, 50, 100} {
			c.clones = append(c.clones, c.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: c.random}))
		}
	}
}

type crashingBatch struct {
	engine.Batch
	store *crashing
}

func (b *crashingBatch) Apply(durable bool) error {
	b.store.cut()
	err := b.Batch.Apply(durable)
	b.store.cut()
	return err
}

func (b *crashingBatch) Wait() error {
	err := b.Batch.Wait()
	b.store.cut()
	return err
}

// Whenever the power fails during a replay, each dead letter is listed or scheduled, and never both; the same replay
// goes on with the rest.
func TestReplayAcrossACrash(t *testing.T) {
	const letters = 1500 // two batches
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := &crashing{fs: vfs.NewCrashableMem(), random: rand.New(rand.NewPCG(seed, 0))}
	open := func(fs vfs.FS) engine.Store {
		store, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	c.Store = open(c.fs)
	e, stop := start(t, engine.Options{Store: c, Shards: 1}, newRecorder())
	s, _, err := e.PutSubscription(topic(t, e, "orders"), engine.SubscriptionConfig{Name: "s", Endpoint: "http://127.0.0.1:9/"})
	if err != nil {
		t.Fatal(err)
	}
	putMany(t, c, s, letters)
	c.armed.Store(true)
	if n, _, err := e.ReplayDeadLetters(s, engine.DeadLetterFilter{}, 0, letters); n != letters || err != nil {
		t.Fatal(n, err)
	}
	c.armed.Store(false)
	stop()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}

	middle := 0
	for i, fs := range c.clones {
		store := open(fs)
		after, stop := start(t, engine.Options{Store: store, Shards: 1}, newRecorder())
		s := after.Topic([]byte("orders")).Subscription("s")
		check := func(when string) (left int) {
			t.Helper()
			seen := map[string]int{}
			for _, seq := range listed(t, after, s, engine.DeadLetterFilter{}) {
				seen[fmt.Sprint(seq)]++
				left++
			}
			_, bodies := entries(t, store)
			for _, body := range bodies {
				seen[body]++
			}
			if len(seen) != letters || left+len(bodies) != letters {
				t.Errorf("crash %d, %s: %d of %d letters are there, %d listed and %d scheduled", i, when, len(seen), letters, left, len(bodies))
			}
			return left
		}
		left := check("before")
		if left > 0 && left < letters {
			middle++
		}
		if n, _, err := after.ReplayDeadLetters(s, engine.DeadLetterFilter{}, 0, letters); n != left || err != nil {
			t.Errorf("crash %d: the rest was %d, replayed %d, %v", i, left, n, err)
		}
		check("behind the rest")
		stop()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
	if middle == 0 {
		t.Errorf("none of %d crashes came in the middle", len(c.clones))
	}
	t.Logf("%d crashes, %d in the middle of the replay", len(c.clones), middle)
}
