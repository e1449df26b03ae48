package crashtest

import (
	"fmt"
	"time"
)

// tally counts what runs did.
type tally struct {
	cuts, drives, restarts, losses       int
	acknowledged, obliged                int
	parked, dead, waiting, held, trimmed int            // seen in the stores that were looked at
	kinds                                map[string]int // of writes the power was cut at
	took                                 time.Duration
}

func (t *tally) add(o *tally) {
	t.cuts += o.cuts
	t.drives += o.drives
	t.restarts += o.restarts
	t.losses += o.losses
	t.acknowledged += o.acknowledged
	t.obliged += o.obliged
	t.parked += o.parked
	t.dead += o.dead
	t.waiting += o.waiting
	t.held += o.held
	t.trimmed += o.trimmed
	for k, n := range o.kinds {
		t.kinds[k] += n
	}
}

// saw counts what a store holds.
func (t *tally) saw(s *state) {
	t.parked += len(s.parked)
	t.waiting += len(s.waiting)
	t.held += len(s.held)
	for _, sub := range s.subs {
		t.dead += len(sub.dead)
	}
	for _, topic := range s.topics {
		if topic.high > 0 && topic.trimmed(1) {
			t.trimmed++
		}
	}
}

func (t *tally) String() string {
	return fmt.Sprintf("messages acknowledged %d, claims checked %d, driven on %d, power losses in a run %d, restarts %d, "+
		"seen: retries on the timer %d, dead letters %d, delayed %d, held %d, trimmed topics %d; by kind of write %v; %v",
		t.acknowledged, t.obliged, t.drives, t.losses, t.restarts, t.parked, t.dead, t.waiting, t.held, t.trimmed,
		t.kinds, t.took.Round(time.Millisecond))
}
