//go:build !race

// Not in race builds: what a test here shares with the goroutine that runs the timer is put in order by the time of
// the bubble, which the race detector does not know.

package schedule_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine/schedule"
)

// workbench is a timer on a shelf whose receiver takes a while for each entry, in the time of the bubble.
type workbench struct {
	t     *testing.T
	shelf *shelf
	timer *schedule.Timer
	costs time.Duration
	again func(k schedule.Key) (at time.Time, ok bool) // when not nil, says whether an entry is put off

	fired func(k schedule.Key) // when not nil, called instead of noting how late it was

	order []schedule.Key // as they fired for the last time
	late  map[schedule.Key]time.Duration
}

func newWorkbench(t *testing.T) *workbench {
	w := &workbench{t: t, shelf: newShelf(), late: map[schedule.Key]time.Duration{}}
	w.timer = schedule.New(w.shelf, func(err error) { t.Error(err) })
	return w
}

func (w *workbench) fire(k schedule.Key) {
	late := time.Since(time.UnixMilli(k.Due))
	if w.costs > 0 {
		time.Sleep(w.costs)
	}
	if w.again != nil {
		if at, ok := w.again(k); ok {
			w.timer.Snooze(k, at.UnixMilli())
			return
		}
	}
	if w.fired != nil {
		w.fired(k)
		w.shelf.delete(k)
		w.timer.Settled(k)
		return
	}
	if _, twice := w.late[k]; twice || late < 0 {
		w.t.Errorf("%v fired %v late, and %v is that it fired before", k, late, twice)
	}
	w.late[k] = late
	w.order = append(w.order, k)
	w.shelf.delete(k)
	w.timer.Settled(k)
}

// run runs the timer while test runs.
func (w *workbench) run(test func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.timer.Run(ctx, w.fire) }()
	test()
	synctest.Wait()
	cancel()
	<-done
	if n := w.timer.Near(); n != 0 {
		w.t.Errorf("%d entries are in memory when all is over", n)
	}
}

// keep puts an entry into the store, as it was before the start.
func (w *workbench) keep(due time.Time) schedule.Key {
	k := w.timer.NewKey(due.UnixMilli())
	w.shelf.put(k)
	return k
}

// add puts an entry into the store and tells the timer.
func (w *workbench) add(due time.Time) schedule.Key {
	k := w.keep(due)
	w.timer.Added(k)
	return k
}

// expect looks whether these fired, none later than that.
func (w *workbench) expect(name string, keys []schedule.Key, most time.Duration) {
	w.t.Helper()
	missing, worst := 0, time.Duration(0)
	for _, k := range keys {
		late, ok := w.late[k]
		if !ok {
			missing++
		}
		worst = max(worst, late)
	}
	if missing > 0 || worst > most {
		w.t.Errorf("%s: %d of %d did not fire; the latest was %v late, want at most %v", name, missing, len(keys), worst, most)
	}
}

// policy says how a delivery is tried again: as the egress does it.
type policy struct {
	least, most time.Duration
	attempts    int
}

func (p policy) delay(r *rand.Rand, attempt int) time.Duration {
	return p.least/2 + time.Duration(r.Int64N(int64(min(p.least<<min(attempt, 20), p.most))))
}

var policies = []policy{
	{time.Millisecond, 50 * time.Millisecond, 3},
	{time.Second, 10 * time.Minute, 8},
	{20 * time.Second, 20 * time.Second, 50},
	{10 * time.Second, 10 * time.Second, 3},
	{5 * time.Second, time.Hour, 12},
	{time.Minute, 24 * time.Hour, 5},
}

// Attempts of mixed policies, each scheduled by the one before it, are made at their times, all of them.
func TestAttemptsOfMixedPoliciesAreExact(t *testing.T) {
	total := 10_000
	if os.Getenv("FANFARE_LONG") == "1" {
		total = 1_000_000
	}
	synctest.Test(t, func(t *testing.T) {
		type delivery struct{ policy, made int }
		r := rand.New(rand.NewPCG(5, 6))
		w := newWorkbench(t)
		var mu sync.Mutex // over what the two goroutines share
		waiting := map[schedule.Key]*delivery{}
		made := make([]int, len(policies))
		plan := func(d *delivery) {
			k := w.add(time.Now().Add(policies[d.policy].delay(r, d.made)))
			waiting[k] = d
		}
		var late []time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.timer.Run(ctx, func(k schedule.Key) {
				mu.Lock()
				defer mu.Unlock()
				d := waiting[k]
				if d == nil {
					t.Errorf("%v fired and nobody waits for it", k)
					return
				}
				late = append(late, time.Since(time.UnixMilli(k.Due)))
				delete(waiting, k)
				d.made++
				made[d.policy]++
				if d.made < policies[d.policy].attempts {
					plan(d)
				}
				w.shelf.delete(k)
				w.timer.Settled(k)
			})
		}()
		want := make([]int, len(policies))
		planned := 0
		for i := 0; planned < total; i++ {
			p := i % len(policies)
			want[p] += policies[p].attempts
			planned += policies[p].attempts
			mu.Lock()
			plan(&delivery{policy: p})
			pause := time.Duration(r.Int64N(int64(100 * time.Millisecond)))
			mu.Unlock()
			if i%10 == 0 {
				time.Sleep(pause)
				synctest.Wait()
			}
		}
		time.Sleep(6 * 24 * time.Hour)
		synctest.Wait()
		cancel()
		<-done
		if !slices.Equal(made, want) || len(waiting) > 0 {
			t.Errorf("attempts made by policy: %v, want %v; %d wait", made, want, len(waiting))
		}
		slices.Sort(late)
		if p99, worst := late[len(late)*99/100], late[len(late)-1]; p99 > 0 || worst > time.Millisecond || late[0] < 0 {
			t.Errorf("of %d attempts the earliest was %v late, the 99th percentile %v, the latest %v", len(late), late[0], p99, worst)
		}
	})
}

// A burst of entries of one millisecond takes as long as the receiver takes, and holds up nobody else for longer.
func TestBurstOfOneMillisecond(t *testing.T) {
	const n, costs = 100_000, 2 * time.Microsecond
	for _, told := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorkbench(t)
			w.costs = costs
			due := time.Now().Add(15 * time.Second)
			if told {
				due = time.Now().Add(3 * time.Second) // within the horizon
			}
			w.run(func() {
				time.Sleep(100 * time.Millisecond)
				var burst, others []schedule.Key
				for range n {
					if told {
						burst = append(burst, w.add(due))
					} else {
						burst = append(burst, w.keep(due))
					}
				}
				if near := w.timer.Near(); near > schedule.WaitingMax {
					t.Errorf("%d entries are in memory, more than %d", near, schedule.WaitingMax)
				}
				for i := range 100 {
					others = append(others, w.add(due.Add(time.Duration(i)*10*time.Millisecond)))
				}
				time.Sleep(20 * time.Second)
				w.expect("the burst", burst, n*costs+10*time.Millisecond)
				w.expect("those behind it", others, n*costs+10*time.Millisecond)
			})
		})
	}
}

// What became due years ago fires oldest first, and what becomes due meanwhile does not wait for it.
func TestOverdueByYearsStarveNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, costs = 60_000, 25 * time.Microsecond
		w := newWorkbench(t)
		w.costs = costs
		r := rand.New(rand.NewPCG(1, 1))
		var old, stored, added []schedule.Key
		for range n {
			old = append(old, w.keep(time.Now().Add(-time.Duration(r.Int64N(int64(5*365*24*time.Hour))))))
		}
		old = append(old, w.keep(time.UnixMilli(-1000))) // before 1970
		for i := range 300 {
			stored = append(stored, w.keep(time.Now().Add(time.Duration(i)*3*time.Millisecond+time.Millisecond)))
		}
		w.run(func() {
			for range 100 {
				time.Sleep(10 * time.Millisecond)
				added = append(added, w.add(time.Now().Add(5*time.Millisecond)))
			}
			if len(w.order) > n {
				t.Fatal("the backlog is over before the test is")
			}
			time.Sleep(time.Minute)
			w.expect("stored, due meanwhile", stored, 50*time.Millisecond)
			w.expect("added, due meanwhile", added, 50*time.Millisecond)
			w.expect("overdue", old, 6*365*24*time.Hour+time.Since(time.UnixMilli(-1000)))
		})
		var fired []schedule.Key
		limit := stored[0].Due
		for _, k := range w.order {
			if k.Due < limit {
				fired = append(fired, k)
			}
		}
		if len(fired) != n+1 || !slices.IsSortedFunc(fired, less) {
			t.Errorf("%d overdue entries fired, oldest first: %v; want %d", len(fired), slices.IsSortedFunc(fired, less), n+1)
		}
	})
}

// Entries that come while a read is under way, on both sides of where it is, and behind and before the horizon.
func TestAddedDuringARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		r := rand.New(rand.NewPCG(2, 2))
		var keys []schedule.Key
		for i := range 20_000 {
			keys = append(keys, w.keep(time.Now().Add(time.Duration(i)*3*time.Millisecond)))
		}
		adding := true
		w.shelf.during = func(int) error {
			if adding && r.IntN(4) == 0 {
				keys = append(keys, w.add(time.Now().Add(time.Duration(r.Int64N(int64(25*time.Second))))))
			}
			return nil
		}
		w.run(func() {
			time.Sleep(30 * time.Second)
			synctest.Wait()
			adding = false
			time.Sleep(time.Minute)
			if len(keys) < 22_000 {
				t.Errorf("only %d were added during reads", len(keys)-20_000)
			}
			w.expect("all", keys, time.Millisecond)
		})
	})
}

// Entries that are put off over and over, more of them than there is room for, hold up nobody.
func TestSnoozedAndOverdueShareWithTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		w.costs = 2 * time.Microsecond
		open := false
		hogs := map[schedule.Key]bool{}
		w.again = func(k schedule.Key) (time.Time, bool) {
			return time.Now().Add(100 * time.Millisecond), hogs[k] && !open
		}
		var off, added []schedule.Key
		for range 50_000 {
			k := w.keep(time.Now().Add(-time.Hour))
			off = append(off, k)
			hogs[k] = true
		}
		w.run(func() {
			for range 1000 {
				time.Sleep(7 * time.Millisecond)
				added = append(added, w.add(time.Now().Add(20*time.Millisecond)))
			}
			time.Sleep(time.Second)
			if n := w.timer.Waiting(); n > 14<<10 {
				t.Errorf("%d entries wait in memory, of which 8192 may be put off and 4096 overdue", n)
			}
			w.expect("the others", added, 50*time.Millisecond)
			open = true
			at := time.Now()
			time.Sleep(5 * time.Second)
			w.expect("those put off", off, time.Hour+at.Sub(time.UnixMilli(off[0].Due).Add(time.Hour))+5*time.Second)
		})
	})
}

// A snooze of an hour is one of a minute, and one until yesterday makes no busy loop.
func TestSnoozesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		offers := 0
		until := time.Now().Add(24 * 365 * time.Hour)
		w.again = func(schedule.Key) (time.Time, bool) {
			offers++
			return until, true
		}
		k := w.keep(time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.timer.Run(ctx, w.fire) }()
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if offers != 11 {
			t.Errorf("offered %d times in ten minutes, want one a minute", offers)
		}
		until, offers = time.Now().Add(-time.Hour), 0
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if offers < 5500 || offers > 6500 {
			t.Errorf("offered %d times in the last minute, want about 100 a second", offers)
		}
		cancel()
		<-done
		w.timer.Settled(k)
	})
}

// A place of the store that cannot be read is reported, and what is due later comes all the same.
func TestUnreadablePlaceHoldsUpOnlyWhatIsNextToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		failures := 0
		timer := schedule.New(&holed{s, time.Now().Add(time.Minute).UnixMilli()}, func(error) { failures++ })
		w := &workbench{t: t, shelf: s, timer: timer, late: map[schedule.Key]time.Duration{}}
		var before, behind []schedule.Key
		for i := range 60 {
			before = append(before, w.keep(time.Now().Add(time.Duration(i)*time.Second)))
			behind = append(behind, w.keep(time.Now().Add(time.Minute+30*time.Second+time.Duration(i)*time.Second)))
		}
		w.run(func() {
			time.Sleep(5 * time.Minute)
			w.expect("before", before, time.Millisecond)
			w.expect("behind", behind, time.Millisecond)
			if failures < 60 || failures > 700 {
				t.Errorf("%d failures were reported in five minutes, want about one or two a second", failures)
			}
		})
	})
}

// holed is a shelf with an entry that cannot be read.
type holed struct {
	*shelf
	hole int64
}

func (h *holed) ReadTimers(first, last schedule.Key, fn func(schedule.Key) bool) error {
	hole := schedule.Key{Due: h.hole}
	if first.Less(hole) && hole.Less(last) {
		stopped := false
		if err := h.shelf.ReadTimers(first, hole, func(k schedule.Key) bool { stopped = !fn(k); return !stopped }); stopped || err != nil {
			return err
		}
		return errBroken
	}
	if first == hole {
		return errBroken
	}
	return h.shelf.ReadTimers(first, last, fn)
}
