package visibility_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"fanfare/engine/visibility"
)

var seedFlag = flag.Uint64("seed", 0, "replay one seed")

// modelEntry is one message of the naive model: all of its rules look at every message.
type modelEntry struct {
	sequence uint64
	group    uint64 // 0: none
	until    int64  // 0: visible
	inFlight bool
}

type model []*modelEntry

// sameGroup reports whether two messages are of one group.
func (e *modelEntry) sameGroup(o *modelEntry) bool { return e.group != 0 && e.group == o.group }

// takable reports whether a message may be taken first: it is visible, none of its group is in flight, and it is the
// group's first.
func (m model) takable(e *modelEntry) bool {
	for _, o := range m {
		if e.sameGroup(o) && (o.inFlight || o.sequence < e.sequence) {
			return false
		}
	}
	return e.until == 0
}

func (m model) first() (first *modelEntry) {
	for _, e := range m {
		if m.takable(e) && (first == nil || e.sequence < first.sequence) {
			first = e
		}
	}
	return first
}

// following is the next of the group, if it is visible.
func (m model) following(e *modelEntry) (next *modelEntry) {
	for _, o := range m {
		if e.sameGroup(o) && o.sequence > e.sequence && (next == nil || o.sequence < next.sequence) {
			next = o
		}
	}
	if next != nil && next.until != 0 {
		return nil
	}
	return next
}

func (m model) advance(now int64) {
	for _, e := range m {
		if e.until != 0 && e.until <= now {
			e.until, e.inFlight = 0, false
		}
	}
}

func (m model) next() (at int64) {
	for _, e := range m {
		if e.until != 0 && (at == 0 || e.until < at) {
			at = e.until
		}
	}
	return at
}

// pair is a table and its model.
type pair struct {
	rng   *rand.Rand
	table *visibility.Table
	model model
	last  uint64
	now   int64
	log   []string
	wrong error // found on the way
}

func (p *pair) note(format string, args ...any) {
	p.log = append(p.log, fmt.Sprintf(format, args...))
}

// step does something at random to both.
func (p *pair) step(groups uint64) {
	switch n := p.rng.IntN(10); {
	case n < 3 || len(p.model) == 0:
		p.add(groups)
	case n < 5:
		p.take(1 + p.rng.IntN(10))
	case n < 6:
		p.now += int64(p.rng.IntN(20))
		p.note("advance to %d", p.now)
		p.table.Advance(p.now)
		p.model.advance(p.now)
	default:
		p.change(n)
	}
}

func (p *pair) add(groups uint64) {
	p.last += 1 + uint64(p.rng.IntN(3))
	e := &modelEntry{sequence: p.last}
	if groups > 0 {
		e.group = 1 + p.rng.Uint64N(groups)
		p.table.AddTo(e.group, e.sequence)
	} else {
		p.table.Add(e.sequence)
	}
	p.note("add %d to %d", e.sequence, e.group)
	p.model = append(p.model, e)
}

func (p *pair) change(n int) {
	i := p.rng.IntN(len(p.model))
	e := p.model[i]
	switch {
	case n < 7:
		p.note("remove %d", e.sequence)
		p.table.Remove(p.table.Get(e.sequence))
		p.model = append(p.model[:i:i], p.model[i+1:]...)
	case n < 8:
		p.note("show %d", e.sequence)
		p.table.Show(p.table.Get(e.sequence))
		e.until, e.inFlight = 0, false
	default:
		e.until, e.inFlight = p.now+1+int64(p.rng.IntN(40)), p.rng.IntN(2) == 0
		p.note("hide %d until %d, in flight %v", e.sequence, e.until, e.inFlight)
		p.table.Hide(p.table.Get(e.sequence), e.until, e.inFlight)
	}
}

// take takes up to n messages, as a receiver does.
func (p *pair) take(n int) {
	until := p.now + 1 + int64(p.rng.IntN(40))
	for n > 0 {
		e, want := p.table.First(), p.model.first()
		if e == nil || want == nil || e.Sequence != want.sequence {
			return // compare finds it
		}
		for ; e != nil && n > 0; n-- {
			following, next := p.table.Following(e), p.model.following(want)
			p.note("take %d until %d", e.Sequence, until)
			p.table.Hide(e, until, true)
			want.until, want.inFlight = until, true
			if (following == nil) != (next == nil) || next != nil && following.Sequence != next.sequence {
				p.wrong = fmt.Errorf("what follows %d is %+v, want %+v", e.Sequence, following, next)
				return
			}
			e, want = following, next
		}
	}
}

// compare returns how the two differ.
func (p *pair) compare() error {
	hidden, inFlight := 0, 0
	for _, e := range p.model {
		at := p.table.Get(e.sequence)
		if at == nil || at.InFlight() != e.inFlight || e.until != 0 && at.Until() != e.until {
			return fmt.Errorf("message %d is %+v, want %+v", e.sequence, at, e)
		}
		if e.until != 0 {
			hidden++
		}
		if e.inFlight {
			inFlight++
		}
	}
	if n, h, f := p.table.Len(), p.table.Hidden(), p.table.InFlight(); n != len(p.model) || h != hidden || f != inFlight {
		return fmt.Errorf("%d messages, %d hidden, %d in flight; want %d, %d, %d", n, h, f, len(p.model), hidden, inFlight)
	}
	if at, ok := p.table.Next(); ok != (hidden > 0) || at != p.model.next() {
		return fmt.Errorf("the next becomes visible at %d, want %d", at, p.model.next())
	}
	first, want := p.table.First(), p.model.first()
	if (first == nil) != (want == nil) || want != nil && first.Sequence != want.sequence {
		return fmt.Errorf("the first is %+v, want %+v", first, want)
	}
	return p.wrong
}

const logTold = 40

func runModel(seed uint64, steps int) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	p := &pair{rng: rng, table: visibility.New()}
	groups := [...]uint64{0, 1, 3, 20}[rng.IntN(4)]
	for range steps {
		p.step(groups)
		if err := p.compare(); err != nil {
			return fmt.Errorf("%w\nbehind: %q", err, p.log[max(0, len(p.log)-logTold):])
		}
	}
	return nil
}

// A table does what the naive model does, with groups and without. FANFARE_LONG=1 makes a thousand times as many runs.
func TestTableModel(t *testing.T) {
	if *seedFlag != 0 {
		if err := runModel(*seedFlag, 400); err != nil {
			t.Fatal(err)
		}
		return
	}
	runs := uint64(500)
	if testing.Short() {
		runs = 15
	}
	if os.Getenv("FANFARE_LONG") == "1" {
		runs = 500_000
	}
	base := uint64(time.Now().UnixNano())
	for i := range runs {
		if err := runModel(base+i, 400); err != nil {
			t.Fatalf("seed %d: %v\nreplay it with: go test ./engine/visibility -run TestTableModel -seed %d", base+i, err, base+i)
		}
	}
	t.Logf("%d runs of 400 steps, seeds %d..%d", runs, base, base+runs-1)
}
