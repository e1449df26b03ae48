package schedule_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine/schedule"
)

// source is a store of entries in memory.
type source struct {
	mu   sync.Mutex
	keys []schedule.Key // sorted
	fail bool
}

func less(a, b schedule.Key) int {
	if a == b {
		return 0
	}
	if a.Less(b) {
		return -1
	}
	return 1
}

func (s *source) put(k schedule.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, k)
	slices.SortFunc(s.keys, less)
}

func (s *source) delete(k schedule.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = slices.DeleteFunc(s.keys, func(o schedule.Key) bool { return o == k })
}

func (s *source) ReadTimers(first, last schedule.Key, fn func(schedule.Key) bool) error {
	s.mu.Lock()
	keys := slices.Clone(s.keys)
	fail := s.fail
	s.mu.Unlock()
	if fail {
		return errors.New("broken")
	}
	for _, k := range keys {
		if !k.Less(first) && k.Less(last) && !fn(k) {
			break
		}
	}
	return nil
}

// fired notes what fired and how late, settling each at once.
type fired struct {
	timer *schedule.Timer
	src   *source
	late  map[schedule.Key]time.Duration
}

func (f *fired) fire(k schedule.Key) {
	if _, twice := f.late[k]; twice {
		panic("fired twice")
	}
	f.late[k] = time.Since(time.UnixMilli(k.Due))
	f.src.delete(k)
	f.timer.Settled(k)
}

func run(t *testing.T, src *source, test func(timer *schedule.Timer, f *fired)) {
	timer := schedule.New(src, func(error) {})
	f := &fired{timer: timer, src: src, late: map[schedule.Key]time.Duration{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { timer.Run(ctx, f.fire); close(done) }()
	test(timer, f)
	cancel()
	<-done
}

// Entries that were stored before and entries that come while it runs fire once each, and on time.
func TestFiresOnTimeAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{}
		r := rand.New(rand.NewPCG(1, 2))
		now := time.Now()
		const n = 5000
		for i := range n {
			src.put(schedule.Key{Due: now.Add(time.Duration(r.Int64N(int64(10 * time.Minute)))).UnixMilli(), ID: uint64(i)})
		}
		run(t, src, func(timer *schedule.Timer, f *fired) {
			for range n {
				time.Sleep(time.Duration(r.Int64N(int64(100 * time.Millisecond))))
				k := timer.NewKey(time.Now().Add(time.Duration(r.Int64N(int64(time.Minute)))).UnixMilli())
				src.put(k)
				timer.Added(k)
			}
			time.Sleep(20 * time.Minute)
			synctest.Wait()
			if len(f.late) != 2*n {
				t.Errorf("%d entries fired, want %d", len(f.late), 2*n)
			}
			for k, late := range f.late {
				if late < 0 || late > 50*time.Millisecond {
					t.Errorf("entry %v fired %v late", k, late)
				}
			}
			if near := timer.Near(); near != 0 {
				t.Errorf("%d entries are in memory when all is over", near)
			}
		})
	})
}

func TestOverdueEntriesFireAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{}
		for i := range 100 {
			src.put(schedule.Key{Due: time.Now().Add(-time.Hour).UnixMilli(), ID: uint64(i)})
		}
		run(t, src, func(_ *schedule.Timer, f *fired) {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			if len(f.late) != 100 {
				t.Errorf("%d of 100 overdue entries fired", len(f.late))
			}
		})
	})
}

func TestFarEntriesCostNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{}
		run(t, src, func(timer *schedule.Timer, _ *fired) {
			for range 1000 {
				k := timer.NewKey(time.Now().Add(time.Hour).UnixMilli())
				src.put(k)
				timer.Added(k)
			}
			time.Sleep(time.Second)
			if near := timer.Near(); near != 0 {
				t.Errorf("%d entries due in an hour are in memory", near)
			}
		})
	})
}

func TestSnoozedEntryFiresAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{}
		timer := schedule.New(src, func(error) {})
		var at []time.Duration
		begin := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			timer.Run(ctx, func(k schedule.Key) {
				at = append(at, time.Since(begin))
				if len(at) < 3 {
					timer.Snooze(k, time.Now().Add(time.Second).UnixMilli())
				} else {
					timer.Settled(k)
				}
			})
		}()
		k := timer.NewKey(begin.UnixMilli())
		src.put(k)
		timer.Added(k)
		time.Sleep(time.Minute)
		cancel()
		<-done
		if len(at) != 3 || at[1]-at[0] < time.Second || at[2]-at[1] < time.Second {
			t.Errorf("fired at %v, want three times with a second between", at)
		}
	})
}

func TestFailedReadIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{fail: true}
		src.put(schedule.Key{Due: time.Now().UnixMilli(), ID: 1})
		run(t, src, func(_ *schedule.Timer, f *fired) {
			time.Sleep(5 * time.Second)
			src.mu.Lock()
			src.fail = false
			src.mu.Unlock()
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if len(f.late) != 1 {
				t.Errorf("%d entries fired, want 1", len(f.late))
			}
		})
	})
}

func TestKeyBytesSortAsKeysDo(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		a := schedule.Key{Due: int64(r.Uint64()) >> r.IntN(64), ID: r.Uint64()}
		b := schedule.Key{Due: int64(r.Uint64()) >> r.IntN(64), ID: r.Uint64()}
		x, y := a.AppendBytes(nil), b.AppendBytes(nil)
		if a.Less(b) != (slices.Compare(x, y) < 0) {
			t.Fatalf("%v and %v sort differently as bytes", a, b)
		}
		if back, ok := schedule.ParseKey(x); !ok || back != a {
			t.Fatalf("%v reads back as %v, %v", a, back, ok)
		}
	}
}
