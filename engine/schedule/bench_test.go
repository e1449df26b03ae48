package schedule_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"
	"time"

	"fanfare/engine/schedule"
)

// endless is a source that is always full of entries that were due long ago.
type endless struct{}

func (endless) ReadTimers(first, last schedule.Key, fn func(schedule.Key) bool) error {
	if first.Due < 0 {
		first = schedule.Key{}
	}
	for k := first; k.Less(last) && fn(k); k.ID++ {
		continue
	}
	return nil
}

// empty is a source without entries, which says when it is read.
type empty struct{ read func() }

func (e empty) ReadTimers(_, _ schedule.Key, _ func(schedule.Key) bool) error {
	e.read()
	return nil
}

// What one overdue entry costs from the read to the settling, without the store's share.
func BenchmarkFireOverdue(b *testing.B) {
	b.ReportAllocs()
	timer := schedule.New(endless{}, func(err error) { b.Error(err) })
	ctx, cancel := context.WithCancel(b.Context())
	n := 0
	timer.Run(ctx, func(k schedule.Key) {
		timer.Settled(k)
		if n++; n == b.N {
			cancel()
		}
	})
}

// looking returns a timer that has looked once at a source without entries, so that it has a horizon.
func looking(b *testing.B) *schedule.Timer {
	ctx, cancel := context.WithCancel(b.Context())
	timer := schedule.New(empty{cancel}, func(err error) { b.Error(err) })
	timer.Run(ctx, func(schedule.Key) {})
	return timer
}

// What one entry costs that is added within the horizon, fires and is settled, beside others that are near.
func BenchmarkAddAndFire(b *testing.B) {
	for _, near := range []int{0, 10_000} {
		b.Run("near="+strconv.Itoa(near), func(b *testing.B) {
			b.ReportAllocs()
			timer := looking(b)
			now := time.Now()
			for range near {
				timer.Added(timer.NewKey(now.Add(8 * time.Second).UnixMilli()))
			}
			ctx, cancel := context.WithCancel(b.Context())
			n := 0
			timer.Added(timer.NewKey(now.UnixMilli()))
			b.ResetTimer()
			timer.Run(ctx, func(k schedule.Key) {
				timer.Settled(k)
				if n++; n == b.N {
					cancel()
					return
				}
				timer.Added(timer.NewKey(now.UnixMilli()))
			})
		})
	}
}

// What it costs to add an entry that is far ahead.
func BenchmarkAddFar(b *testing.B) {
	b.ReportAllocs()
	timer := looking(b)
	far := time.Now().Add(time.Hour).UnixMilli()
	for b.Loop() {
		timer.Added(timer.NewKey(far))
	}
	if n := timer.Near(); n != 0 {
		b.Errorf("%d far entries are in memory", n)
	}
}

// How much memory a near entry takes, when as many wait as loading fills it with.
func BenchmarkMemoryOfNearEntries(b *testing.B) {
	const entries = 16 << 10
	var bytes uint64
	for b.Loop() {
		timer := looking(b)
		due := time.Now().Add(8 * time.Second).UnixMilli()
		before := heapInUse()
		for range entries {
			timer.Added(timer.NewKey(due))
		}
		bytes += heapInUse() - before
		if n := timer.Near(); n != entries {
			b.Fatalf("%d entries are in memory, want %d", n, entries)
		}
	}
	b.ReportMetric(float64(bytes)/float64(b.N)/entries, "B/entry")
}

// heapInUse is how many bytes live objects take.
func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
