package pebblestore_test

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/pebblestore"
	"fanfare/engine/schedule"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func long() bool { return os.Getenv("FANFARE_LONG") == "1" }

// timerStore opens a store in memory with a small cache and returns it with a function that puts entries.
func timerStore(t *testing.T) (*pebblestore.Store, func(keys ...schedule.Key)) {
	t.Helper()
	s := open(t, pebblestore.Options{Dir: "store", FS: vfs.NewMem(), CacheBytes: 1 << 20})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b := s.NewBatch()
	return s, func(keys ...schedule.Key) {
		t.Helper()
		for part := range slices.Chunk(keys, 4096) {
			b.Reset()
			for _, k := range part {
				b.PutTimer(k, []byte("head"), []byte("record"))
			}
			if err := b.Apply(false); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// runTimer runs a timer until the returned function is called.
func runTimer(t *testing.T, timer *schedule.Timer, fire func(schedule.Key)) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); timer.Run(ctx, fire) }()
	return func() { cancel(); <-done }
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// loaded is what a timer keeps in memory of n entries that are spread over the next twelve hours, behind the
// same number of near ones, when it has loaded what it wants to.
func loaded(t *testing.T, n int) (entries int, bytes int64) {
	const near = 1000
	s, put := timerStore(t)
	timer := schedule.New(s, func(err error) { t.Error(err) })
	now := time.Now()
	r := rand.New(rand.NewPCG(1, 2))
	keys := make([]schedule.Key, 0, n)
	for range near {
		keys = append(keys, timer.NewKey(now.Add(8*time.Second).UnixMilli()))
	}
	for len(keys) < n {
		ahead := time.Minute + time.Duration(r.Int64N(int64(12*time.Hour)))
		keys = append(keys, timer.NewKey(now.Add(ahead).UnixMilli()))
	}
	put(keys...)
	first := timer.NewKey(now.Add(-time.Second).UnixMilli())
	put(first)
	before := heapInUse()
	fired := make(chan struct{})
	stop := runTimer(t, timer, func(k schedule.Key) {
		if k == first {
			timer.Settled(k)
			close(fired)
		}
	})
	<-fired // what is overdue is loaded behind what is near
	for _, k := range keys {
		timer.Added(k) // as if they came while it runs
	}
	bytes = heapInUse() - before
	entries = timer.Near()
	stop()
	runtime.KeepAlive(keys)
	if entries < near || entries > near+n/1000 {
		t.Errorf("%d of %d entries are in memory, of which %d are near", entries, n, near)
	}
	return entries, bytes
}

// A million entries that are due in the next hours cost the timer what ten thousand do.
func TestTimerMemoryFollowsTheNearEntries(t *testing.T) {
	const few = 10_000
	many := 1_000_000
	if testing.Short() {
		many = 200_000
	}
	fewEntries, fewBytes := loaded(t, few)
	manyEntries, manyBytes := loaded(t, many)
	t.Logf("%d entries: %d in memory, %d bytes; %d entries: %d in memory, %d bytes", few, fewEntries, fewBytes, many, manyEntries, manyBytes)
	if manyEntries > schedule.WaitingMax {
		t.Errorf("%d entries are in memory, the bound is %d", manyEntries, schedule.WaitingMax)
	}
	// Reads bring blocks of the store into its cache of 1 MiB: that much is not the timer's.
	if slack := int64(4 << 20); manyBytes > 2*max(fewBytes, 0)+slack {
		t.Errorf("%d entries take %d bytes, %d take %d", few, fewBytes, many, manyBytes)
	}
}

// The same when all of them are due within the horizon: the bound holds, and none is lost.
func TestTimerMemoryIsBoundedWhenAllIsNear(t *testing.T) {
	n := 300_000
	if testing.Short() {
		n = 100_000
	}
	s, put := timerStore(t)
	timer := schedule.New(s, func(err error) { t.Error(err) })
	b := s.NewBatch()
	most, left := 0, n
	done := make(chan struct{})
	stop := runTimer(t, timer, func(k schedule.Key) {
		b.DeleteTimer(k)
		if left--; b.Len() == 1000 || left == 0 {
			if err := b.Apply(false); err != nil {
				t.Error(err)
			}
			b.Reset()
		}
		timer.Settled(k)
		most = max(most, timer.Near())
		if left == 0 {
			close(done)
		}
	})
	keys := make([]schedule.Key, 0, n)
	due := time.Now().Add(2 * time.Second).UnixMilli()
	for i := range n {
		keys = append(keys, timer.NewKey(due+int64(i%500)))
	}
	put(keys...)
	for _, k := range keys {
		timer.Added(k)
	}
	if near := timer.Near(); near > schedule.WaitingMax {
		t.Errorf("%d entries are in memory, the bound is %d", near, schedule.WaitingMax)
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("not all fired within a minute")
	}
	stop()
	if left != 0 || most > schedule.WaitingMax || timer.Near() != 0 {
		t.Errorf("%d did not fire; there were up to %d in memory, at the end %d", left, most, timer.Near())
	}
}

// lateness makes so many attempts on a real clock and returns how late they were, sorted. An attempt schedules
// the next one of its delivery, by policies of 10 ms to a few seconds.
func lateness(t *testing.T, deliveries, attempts int) []time.Duration {
	t.Helper()
	s, put := timerStore(t)
	timer := schedule.New(s, func(err error) { t.Error(err) })
	r := rand.New(rand.NewPCG(3, 4))
	delay := func(made int) time.Duration {
		return 10*time.Millisecond + time.Duration(r.Int64N(int64(min(20*time.Millisecond<<made, 8*time.Second))))
	}
	made := make(map[schedule.Key]int, deliveries)
	keys := make([]schedule.Key, 0, deliveries)
	begin := time.Now().Add(time.Second) // behind the loading and the first reads
	for range deliveries {
		// 10,000 a second: a load that leaves the machine mostly idle.
		k := timer.NewKey(begin.Add(time.Duration(r.Int64N(int64(time.Duration(deliveries*attempts) * 100 * time.Microsecond)))).UnixMilli())
		made[k] = 0
		keys = append(keys, k)
	}
	put(keys...)
	late := make([]time.Duration, 0, deliveries*attempts)
	done := make(chan struct{})
	b := s.NewBatch()
	stop := runTimer(t, timer, func(k schedule.Key) {
		late = append(late, time.Since(time.UnixMilli(k.Due)))
		n, ok := made[k]
		if !ok {
			t.Errorf("%v fired and nobody waits for it", k)
		}
		delete(made, k)
		b.Reset()
		b.DeleteTimer(k)
		var next schedule.Key
		if n+1 < attempts {
			next = timer.NewKey(time.Now().Add(delay(n)).UnixMilli())
			made[next] = n + 1
			b.PutTimer(next, []byte("head"), []byte("record"))
		}
		if err := b.Apply(false); err != nil {
			t.Error(err)
		}
		timer.Settled(k)
		if !next.IsZero() {
			timer.Added(next)
		}
		if len(late) == cap(late) {
			close(done)
		}
	})
	select {
	case <-done:
	case <-time.After(10 * time.Minute):
		t.Error("not all attempts were made")
	}
	stop()
	if len(late) != deliveries*attempts || len(made) != 0 || timer.Near() != 0 {
		t.Fatalf("%d attempts were made, want %d; %d wait, %d are in memory", len(late), deliveries*attempts, len(made), timer.Near())
	}
	slices.Sort(late)
	return late
}

// Attempts on the real clock: none early, all made, and on an idle machine the 99th percentile within 50 ms. A
// busy machine has three tries for a generous bound.
func TestTimerLatenessOnTheRealClock(t *testing.T) {
	deliveries, attempts, tries, bound := 3000, 8, 3, time.Second
	if long() {
		deliveries, attempts, tries, bound = 125_000, 8, 1, 50*time.Millisecond
	}
	for try := range tries {
		late := lateness(t, deliveries, attempts)
		n := len(late)
		p99 := late[n*99/100]
		t.Logf("%d attempts: p50 %v, p99 %v, p99.9 %v, latest %v", n, late[n/2], p99, late[n*999/1000], late[n-1])
		if late[0] < 0 {
			t.Fatalf("an attempt was %v early", -late[0])
		}
		if p99 <= bound {
			return
		}
		if try == tries-1 {
			t.Errorf("the 99th percentile is %v late, want at most %v", p99, bound)
		}
	}
}

// A backlog of years on a real store fires once each and oldest first.
func TestTimerBacklogFiresOldestFirst(t *testing.T) {
	n := 100_000
	s, put := timerStore(t)
	timer := schedule.New(s, func(err error) { t.Error(err) })
	r := rand.New(rand.NewPCG(8, 9))
	keys := make([]schedule.Key, 0, n)
	for range n {
		keys = append(keys, timer.NewKey(time.Now().UnixMilli()-1-r.Int64N(5*365*24*3600*1000)))
	}
	put(keys...)
	slices.SortFunc(keys, func(a, b engine.TimerKey) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
	var fired []schedule.Key
	b := s.NewBatch()
	done := make(chan struct{})
	stop := runTimer(t, timer, func(k schedule.Key) {
		b.Reset()
		b.DeleteTimer(k)
		if err := b.Apply(false); err != nil {
			t.Error(err)
		}
		timer.Settled(k)
		if fired = append(fired, k); len(fired) == n {
			close(done)
		}
	})
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("not all fired within a minute")
	}
	stop()
	if !slices.Equal(fired, keys) {
		t.Errorf("%d of %d fired, oldest first and once each: false", len(fired), n)
	}
}

// What one fired entry costs with the store: read, value, deletion, settled.
func BenchmarkTimerFire(b *testing.B) {
	b.ReportAllocs()
	s, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: vfs.NewMem()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	timer := schedule.New(s, func(err error) { b.Error(err) })
	batch := s.NewBatch()
	value := make([]byte, 1024)
	for i := range b.N {
		batch.PutTimer(schedule.Key{Due: int64(i / 10), ID: uint64(i)}, nil, value)
		if batch.Len() == 1000 || i == b.N-1 {
			if err := batch.Apply(false); err != nil {
				b.Fatal(err)
			}
			batch.Reset()
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	n := 0
	b.ResetTimer()
	timer.Run(ctx, func(k schedule.Key) {
		var ok bool
		if value, ok, err = s.ReadTimer(k, value[:0]); !ok || err != nil {
			b.Errorf("reading %v: %v, %v", k, ok, err)
		}
		batch.DeleteTimer(k)
		if n++; batch.Len() == 100 || n == b.N {
			if err := batch.Apply(false); err != nil {
				b.Error(err)
			}
			batch.Reset()
		}
		timer.Settled(k)
		if n == b.N {
			cancel()
		}
	})
}
