//go:build !race

// Not in race builds: what a test here shares with the goroutine that runs the timer is put in order by the time of
// the bubble, which the race detector does not know.

package schedule_test

import (
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine/schedule"
)

// So many are added while a read is under way that some of them leave memory again: none is lost, and what the
// read found is in time.
func TestMoreAddedDuringAReadThanThereIsRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		w.timer.Tighten()
		now := time.Now()
		var keys []schedule.Key
		for i := range 40 {
			keys = append(keys, w.keep(now.Add(time.Duration(i)*250*time.Millisecond)))
		}
		rounds := 0
		w.shelf.during = func(int) error {
			if rounds++; rounds%3 != 0 || rounds > 60 {
				return nil
			}
			for i := range 12 {
				keys = append(keys, w.add(time.Now().Add(9*time.Second-time.Duration(i)*700*time.Millisecond)))
			}
			return nil
		}
		w.run(func() {
			time.Sleep(time.Minute)
			w.expect("all", keys, time.Millisecond)
			if n := w.timer.Waiting(); n != 0 {
				t.Errorf("%d entries are in memory", n)
			}
		})
	})
}

// The clock goes ahead while there is a backlog, and back before that is over: nothing fires before its time,
// nothing stays in memory, and all fires in the end.
func TestClockGoesBackInTheMiddleOfABacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		w.costs = time.Millisecond
		var offset time.Duration
		wall := func() time.Time { return time.Now().Add(offset) }
		w.timer.SetNow(wall)
		begin := time.Now()
		for i := range 10_000 { // an hour of them, and no wall clock shows an hour while they fire
			w.keep(begin.Add(-time.Minute + time.Duration(i)*360*time.Millisecond))
		}
		early := 0
		w.again = func(k schedule.Key) (time.Time, bool) {
			if wall().UnixMilli() < k.Due {
				early++ // the clock may be set while a round of up to 256 is being handed over
			}
			return time.Time{}, false
		}
		fired := func() int { return 10_000 - w.shelf.len() }
		w.fired = func(schedule.Key) {}
		w.run(func() {
			time.Sleep(time.Second)
			offset = time.Hour
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if n := fired(); n < 1000 || n > 9000 {
				t.Fatalf("%d fired; the test wants to be in the middle", n)
			}
			offset = 0
			at := fired()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n := fired() - at; n > 2000 {
				t.Errorf("%d fired after the clock went back", n)
			}
			if n := w.timer.Near(); n > 100 {
				t.Errorf("%d entries are in memory after the clock went back", n)
			}
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			if n := w.shelf.len(); n != 0 || early > 256 {
				t.Errorf("%d did not fire, %d fired early", n, early)
			}
		})
	})
}

// The clock goes ahead again and again while there is a backlog: what is still to be read of it is not forgotten.
func TestBacklogGrowsWhileItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		w.costs = time.Millisecond
		var offset time.Duration
		w.timer.SetNow(func() time.Time { return time.Now().Add(offset) })
		w.fired = func(schedule.Key) {}
		begin := time.Now()
		for i := range 20_000 {
			w.keep(begin.Add(-time.Hour + time.Duration(i)*360*time.Millisecond))
		}
		w.run(func() {
			for range 5 {
				time.Sleep(2 * time.Second)
				offset += 12 * time.Minute
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := w.shelf.len(); n != 0 {
				t.Errorf("%d of 20000 did not fire", n)
			}
		})
	})
}

// While the store cannot be read it is asked once a second, however often the timer is woken.
func TestFailedReadsAreNotRepeatedAtEveryWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		failures := 0
		timer := schedule.New(w.shelf, func(error) { failures++ })
		w.timer = timer
		broken := false
		w.shelf.during = func(int) error {
			if broken {
				return errBroken
			}
			return nil
		}
		w.run(func() {
			time.Sleep(time.Second)
			broken = true
			for range 10_000 {
				time.Sleep(time.Millisecond)
				w.add(time.Now())
			}
			if failures > 12 {
				t.Errorf("%d reads failed in ten seconds, want one a second", failures)
			}
			broken = false
			time.Sleep(time.Minute)
		})
	})
}

// The same at the end of a read that found nothing: what leaves memory then lies below where the read ended.
func TestMoreAddedAtTheEndOfAReadThanThereIsRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		w.timer.Tighten()
		var keys []schedule.Key
		ends := 0
		w.shelf.during = func(left int) error {
			if left > 0 || ends == 5 {
				return nil
			}
			ends++
			for i := range 12 {
				keys = append(keys, w.add(time.Now().Add(9*time.Second-time.Duration(i)*700*time.Millisecond)))
			}
			return nil
		}
		w.run(func() {
			time.Sleep(3 * time.Minute)
			if ends != 5 {
				t.Errorf("%d reads came to their end, want 5 and more", ends)
			}
			w.expect("all", keys, time.Millisecond)
		})
	})
}

// Entries that were near by a clock that was ahead leave memory when it goes back, and fire when it is time.
func TestClockGoesBackBeforeEntriesThatAreNear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkbench(t)
		offset := time.Hour
		w.timer.SetNow(func() time.Time { return time.Now().Add(offset) })
		w.fired = func(k schedule.Key) {
			if time.Now().UnixMilli() < k.Due {
				t.Errorf("%v fired before its time", k)
			}
		}
		w.run(func() {
			time.Sleep(time.Second)
			for range 1000 {
				w.add(time.Now().Add(offset + 8*time.Second))
			}
			if n := w.timer.Near(); n != 1000 {
				t.Errorf("%d entries are in memory, want 1000 that are near", n)
			}
			offset = 0
			time.Sleep(2 * time.Second)
			if n := w.timer.Near(); n != 0 {
				t.Errorf("%d entries are in memory that are due in an hour", n)
			}
			time.Sleep(2 * time.Hour)
			if n := w.shelf.len(); n != 0 {
				t.Errorf("%d did not fire", n)
			}
		})
	})
}
