//go:build !race

// Not in race builds: what a test here shares with the goroutine that runs the timer is put in order by the time of
// the bubble, which the race detector does not know.

package schedule_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine/schedule"
)

// state is what the model knows of an entry.
type state struct {
	due     int64         // ms since 1970
	since   time.Duration // when it was added, by the true clock
	held    bool          // has fired and belongs to the receiver
	snoozed bool          // and was put off
	until   time.Duration // not before, by the true clock
}

// model is what the timer promises, without a heap, a horizon or a bound: an entry that was added fires when it
// is due by the wall clock, is the receiver's until it is settled or put off, and then fires again, or never.
type model struct {
	t     *testing.T
	seed  uint64
	r     *rand.Rand
	shelf *shelf
	timer *schedule.Timer
	tight bool

	begin   time.Time
	offset  time.Duration // of the wall clock
	broken  bool          // reads may fail
	busy    bool          // a read does something in between
	entries map[schedule.Key]*state
	live    []schedule.Key
	fired   int
}

func (m *model) elapsed() time.Duration { return time.Since(m.begin) }
func (m *model) wall() time.Time        { return time.Now().Add(m.offset) }

func (m *model) fail(format string, args ...any) {
	m.t.Errorf("seed %d: %s", m.seed, fmt.Sprintf(format, args...))
}

// add puts an entry into the store and tells the timer.
func (m *model) add(told bool) {
	spreads := []time.Duration{5 * time.Millisecond, time.Second, 12 * time.Second, 30 * time.Second, 2 * time.Minute}
	due := m.wall().Add(time.Duration(m.r.Int64N(int64(spreads[m.r.IntN(len(spreads))]))))
	if m.r.IntN(8) == 0 {
		due = m.wall().Add(-time.Duration(m.r.Int64N(int64(time.Hour))))
	}
	k := m.timer.NewKey(due.UnixMilli())
	m.entries[k] = &state{due: k.Due, since: m.elapsed()}
	m.live = append(m.live, k)
	m.shelf.put(k)
	if told {
		m.timer.Added(k)
	}
}

// end settles an entry, or puts off one that fired.
func (m *model) end(at int) {
	k := m.live[at]
	e := m.entries[k]
	if e.held && m.r.IntN(2) == 0 {
		delay := time.Duration(m.r.Int64N(int64(3 * time.Second)))
		e.held, e.snoozed = false, true
		e.until = m.elapsed() + delay - time.Millisecond // it is told in whole ms
		e.since = m.elapsed() + delay
		m.timer.Snooze(k, m.wall().Add(delay).UnixMilli())
		return
	}
	m.live[at] = m.live[len(m.live)-1]
	m.live = m.live[:len(m.live)-1]
	delete(m.entries, k)
	m.shelf.delete(k)
	m.timer.Settled(k)
}

func (m *model) endAny() {
	if len(m.live) > 0 {
		m.end(m.r.IntN(len(m.live)))
	}
}

func (m *model) fire(k schedule.Key) {
	m.fired++
	e := m.entries[k]
	switch {
	case e == nil:
		m.fail("%v fired and is settled", k)
		return
	case e.held:
		m.fail("%v fired again and nobody settled it", k)
	case !e.snoozed && m.wall().UnixMilli() < e.due:
		m.fail("%v fired %v early", k, time.UnixMilli(e.due).Sub(m.wall()))
	case e.snoozed && !m.tight && m.elapsed() < e.until:
		m.fail("%v fired %v before it was put off to", k, e.until-m.elapsed())
	}
	e.held = true
	if m.r.IntN(3) == 0 {
		for i, o := range m.live {
			if o == k {
				m.end(i)
				break
			}
		}
	}
}

// during is what happens in the middle of a read.
func (m *model) during(int) error {
	if m.broken && m.r.IntN(4) == 0 {
		return errBroken
	}
	if m.busy && m.r.IntN(4) == 0 {
		if m.r.IntN(2) == 0 {
			m.add(true)
		} else {
			m.endAny()
		}
	}
	return nil
}

// check looks for entries that should have fired by now.
func (m *model) check(slack time.Duration) {
	waiting, held := 0, 0
	for k, e := range m.entries {
		if e.held {
			held++
			continue
		}
		waiting++
		limit := slack
		if e.snoozed && m.tight {
			limit += 10 * time.Second // it may have found no place in memory, with all the others
		}
		if e.snoozed {
			limit += 20 * time.Millisecond // the shortest snooze
		}
		if m.wall().UnixMilli() >= e.due && m.elapsed() > e.since+limit && m.wall().Sub(time.UnixMilli(e.due)) > limit {
			m.fail("%v (put off: %v) has not fired %v after its time, %v after it came", k, e.snoozed,
				m.wall().Sub(time.UnixMilli(e.due)), m.elapsed()-e.since)
		}
	}
	bound := schedule.WaitingMax
	if m.tight {
		bound = schedule.TightMax
	}
	if n := m.timer.Near(); n > min(waiting, bound)+held {
		m.fail("%d entries are in memory; %d wait, %d have fired", n, waiting, held)
	}
	if n := m.timer.Waiting(); n > bound {
		m.fail("%d entries wait in memory, more than %d", n, bound)
	}
}

// wait lets time go by.
func (m *model) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// run does so many random steps, and then waits for all that is left.
func (m *model) run(steps int) {
	m.begin = time.Now()
	m.timer = schedule.New(m.shelf, func(error) {})
	m.timer.SetNow(m.wall)
	if m.tight {
		m.timer.Tighten()
	}
	for range m.r.IntN(30) {
		m.add(false) // they were there before it started
	}
	ctx, cancel := context.WithCancel(m.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); m.timer.Run(ctx, m.fire) }()
	defer func() { cancel(); <-done }()
	breaks, jumps := m.r.IntN(3) == 0, m.r.IntN(3) == 0
	m.busy = m.r.IntN(2) == 0
	m.shelf.during = m.during
	slack := time.Duration(0) // with a clock that nobody sets and a store that works all is exact
	if jumps || breaks {
		slack = 30 * time.Second
	}
	for range steps {
		synctest.Wait()
		switch op := m.r.IntN(20); {
		case op < 7:
			m.add(true)
		case op < 12:
			m.endAny()
		case op == 12 && breaks:
			m.broken = !m.broken
			slack = time.Hour // by the end it is repaired
		case op == 13 && jumps:
			m.offset = time.Duration(m.r.Int64N(int64(6*time.Minute))) - 3*time.Minute
			slack = time.Hour
		case op < 18:
			m.wait(time.Duration(m.r.Int64N(int64(3 * time.Second))))
		default:
			m.wait(time.Duration(m.r.Int64N(int64(40 * time.Second))))
		}
		if slack < time.Hour {
			m.check(slack)
		}
	}
	m.broken, m.busy, m.offset = false, false, 0
	m.wait(6 * time.Minute) // for everything to become due
	m.check(time.Minute)
	for len(m.live) > 0 {
		m.settleAll()
		m.wait(15 * time.Second)
		m.check(time.Minute)
	}
	if n := m.timer.Near(); n != 0 {
		m.fail("%d entries are in memory when all is over", n)
	}
}

// settleAll settles what has fired.
func (m *model) settleAll() {
	for at := len(m.live) - 1; at >= 0; at-- {
		if m.entries[m.live[at]].held {
			m.end(at)
		}
	}
}

// The timer does what the model says, in whatever order entries come, end, are put off, reads fail and the
// clock is set; half of the runs have bounds of a few entries.
func TestTimerAgreesWithTheModel(t *testing.T) {
	runs := uint64(3000)
	if testing.Short() {
		runs = 500
	}
	if os.Getenv("FANFARE_LONG") == "1" {
		runs = 300_000
	}
	fired := 0
	for seed := uint64(0); seed < runs && !t.Failed(); seed++ {
		fired += runModel(t, seed)
	}
	if fired < int(runs) {
		t.Errorf("only %d entries fired in %d runs", fired, runs)
	}
	t.Logf("%d runs, %d entries fired", runs, fired)
}

// runModel runs one seed and returns how many entries fired.
func runModel(t *testing.T, seed uint64) (fired int) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 7))
		m := &model{t: t, seed: seed, r: r, shelf: newShelf(), tight: seed%2 == 0, entries: map[schedule.Key]*state{}}
		m.run(60)
		fired = m.fired
	})
	return fired
}
