//go:build !race

// Not in race builds: what a test here shares with the goroutine that runs the timer is put in order by the time of
// the bubble, which the race detector does not know.

package schedule_test

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine/schedule"
)

const (
	hour = time.Hour
	year = 365 * 24 * time.Hour

	wrongFor = 3 * time.Minute // how long a scenario's clock is wrong
)

// wrongClocks say how far the wall clock is off, by the time since the scenario began.
var wrongClocks = map[string]func(e time.Duration) time.Duration{
	"right":                       func(time.Duration) time.Duration { return 0 },
	"an hour ahead":               func(time.Duration) time.Duration { return hour },
	"an hour behind":              func(time.Duration) time.Duration { return -hour },
	"ten years ahead":             func(time.Duration) time.Duration { return 10 * year },
	"ten years behind":            func(time.Duration) time.Duration { return -10 * year },
	"before 1970":                 func(time.Duration) time.Duration { return -60 * year },
	"an hour ahead later":         after(time.Minute, hour),
	"an hour behind later":        after(time.Minute, -hour),
	"ten years ahead later":       after(time.Minute, 10*year),
	"ten years behind later":      after(time.Minute, -10*year),
	"leap second, repeated":       after(time.Minute, -time.Second),
	"leap second, left out":       after(time.Minute, time.Second),
	"leap second, smeared":        func(e time.Duration) time.Duration { return -min(e/100, time.Second) },
	"stands still":                func(e time.Duration) time.Duration { return -e },
	"runs backwards":              func(e time.Duration) time.Duration { return -2 * e },
	"back a second each second":   func(e time.Duration) time.Duration { return -e.Truncate(time.Second) },
	"back a minute each second":   func(e time.Duration) time.Duration { return -60 * e.Truncate(time.Second) },
	"ahead an hour each second":   func(e time.Duration) time.Duration { return 3600 * e.Truncate(time.Second) },
	"twice as fast":               func(e time.Duration) time.Duration { return e },
	"half as fast":                func(e time.Duration) time.Duration { return -e / 2 },
	"to and fro by 20 ms":         alternate(50*time.Millisecond, 20*time.Millisecond),
	"to and fro by a second":      alternate(time.Second, time.Second),
	"to and fro by 15 seconds":    alternate(3*time.Second, 15*time.Second),
	"to and fro by an hour":       alternate(time.Second, hour),
	"to and fro by ten years":     alternate(7*time.Second, 10*year),
	"ahead for one second":        func(e time.Duration) time.Duration { return window(e, time.Minute, time.Second, hour) },
	"behind for one second":       func(e time.Duration) time.Duration { return window(e, time.Minute, time.Second, -hour) },
	"ten years ahead for a while": func(e time.Duration) time.Duration { return window(e, time.Minute, 20*time.Second, 10*year) },
}

func after(at, offset time.Duration) func(time.Duration) time.Duration {
	return func(e time.Duration) time.Duration { return window(e, at, year, offset) }
}

func window(e, at, length, offset time.Duration) time.Duration {
	if e >= at && e < at+length {
		return offset
	}
	return 0
}

func alternate(every, by time.Duration) func(time.Duration) time.Duration {
	return func(e time.Duration) time.Duration {
		if e/every%2 == 1 {
			return by
		}
		return -by
	}
}

// clockRun tries deliveries on a timer whose clock is wrong.
type clockRun struct {
	t     *testing.T
	r     *rand.Rand
	shelf *shelf
	timer *schedule.Timer
	begin time.Time
	wrong func(time.Duration) time.Duration

	looks  int                  // how often the timer looked at the clock
	left   map[schedule.Key]int // attempts, of the entries that wait
	held   map[schedule.Key]int // of those that were put off
	made   int                  // attempts
	told   int                  // entries fired
	putOff int
	late   time.Duration // the latest attempt, by the wall clock; of those due by a right clock
	right  bool          // the clock is right again
	fresh  map[schedule.Key]bool
}

func (c *clockRun) wall() time.Time {
	return time.Now().Add(c.wrong(time.Since(c.begin)))
}

// add schedules a delivery with so many attempts left.
func (c *clockRun) add(left int, fresh bool) {
	k := c.timer.NewKey(c.wall().Add(time.Duration(c.r.Int64N(int64(5 * time.Second)))).UnixMilli())
	c.left[k] = left
	if fresh {
		c.fresh[k] = true
	}
	c.shelf.put(k)
	c.timer.Added(k)
}

// fire makes an attempt that fails, or puts it off.
func (c *clockRun) fire(k schedule.Key) {
	c.told++
	left, waits := c.left[k]
	if again, ok := c.held[k]; ok {
		left, waits = again, true
	} else if c.wall().UnixMilli() < k.Due {
		c.t.Errorf("an attempt was made %v early", time.UnixMilli(k.Due).Sub(c.wall()))
	}
	if !waits {
		c.t.Errorf("%v fired and nobody expects it", k)
		return
	}
	if c.fresh[k] && c.held[k] == 0 {
		c.late = max(c.late, c.wall().Sub(time.UnixMilli(k.Due)))
	}
	delete(c.left, k)
	if c.r.IntN(4) == 0 {
		c.held[k] = left
		c.putOff++
		c.timer.Snooze(k, c.wall().Add(time.Duration(c.r.Int64N(int64(time.Second)))).UnixMilli())
		return
	}
	delete(c.held, k)
	c.made++
	c.shelf.delete(k)
	c.timer.Settled(k)
	if left > 1 {
		c.add(left-1, c.fresh[k])
	}
	delete(c.fresh, k)
}

// run lets the clock be wrong, then right, and then lets the years pass that the wrong one was ahead.
func (c *clockRun) run() {
	const deliveries, attempts, more = 60, 6, 20
	c.begin = time.Now()
	wrong := c.wrong
	c.wrong = func(e time.Duration) time.Duration {
		if c.right {
			return 0
		}
		return wrong(e)
	}
	c.timer = schedule.New(c.shelf, func(err error) { c.t.Error(err) })
	c.timer.SetNow(func() time.Time { c.looks++; return c.wall() })
	far := schedule.Key{Due: time.Now().Add(20 * year).UnixMilli(), ID: 1}
	c.shelf.put(far)
	c.left[far] = 1
	for range deliveries / 2 {
		c.add(attempts, false)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.timer.Run(ctx, c.fire) }()
	for range deliveries / 2 {
		time.Sleep(wrongFor / (deliveries / 2))
		synctest.Wait()
		c.add(attempts, false)
	}
	c.right = true
	time.Sleep(2 * time.Second) // until the timer has seen it
	synctest.Wait()
	for range more {
		c.add(attempts, true)
	}
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	if n := len(c.fresh); n > 0 {
		c.t.Errorf("%d of %d deliveries that came when the clock was right again are not through", n, more)
	}
	if c.late > 50*time.Millisecond {
		c.t.Errorf("when the clock was right again an attempt was %v late", c.late)
	}
	for k := range c.left {
		if k.Due < time.Now().UnixMilli() {
			c.t.Errorf("an attempt due %v ago was not made", time.Since(time.UnixMilli(k.Due)))
		}
	}
	c.checkIdle()
	for range 2 * attempts { // what was scheduled by a clock that was ahead is due by that clock
		c.begin, c.right, wrong = time.Now(), false, func(time.Duration) time.Duration { return 30 * year }
		time.Sleep(20 * time.Second)
		synctest.Wait()
	}
	cancel()
	<-done
	if want := (deliveries+more)*attempts + 1; c.made != want || c.told != want+c.putOff {
		c.t.Errorf("%d attempts were made and %d put off, of %d fired; want %d attempts", c.made, c.putOff, c.told, want)
	}
	if len(c.left)+len(c.held)+c.shelf.len()+c.timer.Near() != 0 {
		c.t.Errorf("at the end %d wait, %d are put off, %d are in the store, %d in memory",
			len(c.left), len(c.held), c.shelf.len(), c.timer.Near())
	}
}

// checkIdle looks whether the timer did more than its entries asked for.
func (c *clockRun) checkIdle() {
	seconds := int(time.Since(c.begin).Seconds())
	if most := 4*seconds + 10*(c.told+len(c.left)); c.looks > most {
		c.t.Errorf("the timer looked at the clock %d times in %d s with %d fired, want at most %d", c.looks, seconds, c.told, most)
	}
	if most := 2*seconds + 100; c.shelf.reads > most {
		c.t.Errorf("the timer read the store %d times in %d s, want at most %d", c.shelf.reads, seconds, most)
	}
}

// Whatever the wall clock does, every attempt is made once, none before its time by that clock, and without a
// busy loop; and when the clock is right again all is as if it had always been.
func TestWrongClocks(t *testing.T) {
	seeds := uint64(2)
	if os.Getenv("FANFARE_LONG") == "1" {
		seeds = 40
	}
	for name, wrong := range wrongClocks {
		t.Run(name, func(t *testing.T) {
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) {
					c := &clockRun{
						t: t, r: rand.New(rand.NewPCG(seed, 9)), shelf: newShelf(), wrong: wrong,
						left: map[schedule.Key]int{}, held: map[schedule.Key]int{}, fresh: map[schedule.Key]bool{},
					}
					c.run()
				})
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}
