package crashtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// queuePlan is what is done to queues with a seed.
type queuePlan struct {
	seed        uint64
	generations int
	steps       int // of each worker in a generation
	cutsMax     int // in a generation; 0: no power cut
	shape       queueShape
}

// queueTally counts what runs did.
type queueTally struct {
	runs, cuts, losses, restarts int
	sent, received, deleted      int
	duplicates, moved, probes    int
	kinds                        map[string]int
}

func (t *queueTally) add(o *queueTally) {
	t.runs += o.runs
	t.cuts += o.cuts
	t.losses += o.losses
	t.restarts += o.restarts
	t.sent += o.sent
	t.received += o.received
	t.deleted += o.deleted
	t.duplicates += o.duplicates
	t.moved += o.moved
	t.probes += o.probes
	for k, n := range o.kinds {
		t.kinds[k] += n
	}
}

func (t *queueTally) String() string {
	return fmt.Sprintf("messages sent %d, receives %d, answered deletes %d, duplicates %d, moved %d, sent again behind a cut %d, "+
		"power losses in a run %d, restarts %d; by kind of write %v",
		t.sent, t.received, t.deleted, t.duplicates, t.moved, t.probes, t.losses, t.restarts, t.kinds)
}

// queueRun is one world of queues through its generations.
type queueRun struct {
	queuePlan
	model *queueModel
	fs    *vfs.MemFS
	load  *queueLoad
	queueTally
}

func performQueues(p queuePlan) (*queueTally, *failure) {
	r := &queueRun{queuePlan: p, model: newQueueModel(p.shape.redrive), fs: vfs.NewCrashableMem(), queueTally: queueTally{runs: 1, kinds: map[string]int{}}}
	r.load = &queueLoad{}
	for g := range p.generations {
		if f := r.generation(g); f != nil {
			return &r.queueTally, f
		}
	}
	return &r.queueTally, nil
}

func (r *queueRun) failed(where string, wrong ...string) *failure {
	return &failure{seed: r.seed, where: where, wrong: wrong}
}

// generation runs a world from its start to its end, which is a clean stop or one of the power cuts.
func (r *queueRun) generation(g int) *failure {
	seed := mix(r.seed, uint64(g), 7)
	c := &cutter{history: &r.model.history, fs: r.fs, seed: seed, limit: r.cutsMax}
	d := newDisk(r.fs, c.plug)
	c.names = d.names
	if g == 0 {
		c.limit = 0 // the queues are made first
	}
	w, err := bootQueues(d, r.model, r.shape, nil)
	if err != nil {
		return r.failed(fmt.Sprintf("start of generation %d", g), err.Error())
	}
	c.mu.Lock()
	c.limit = r.cutsMax
	c.mu.Unlock()
	r.load.world, r.load.cutter = w, c
	r.load.run(seed, r.steps)
	if err := w.stop(); err != nil {
		return r.failed(fmt.Sprintf("stop of generation %d", g), err.Error())
	}
	if len(r.model.wrong) > 0 {
		return r.failed(fmt.Sprintf("answers in generation %d", g), r.model.wrong...)
	}
	r.count()
	next := -1
	rng := newRand(seed, 3)
	if len(c.cuts) > 0 && rng.IntN(2) == 0 {
		next = rng.IntN(len(c.cuts))
	}
	return r.judge(g, c.cuts, next)
}

// judge examines all cuts of a generation, or its end, and goes on with one of them.
func (r *queueRun) judge(g int, cuts []*cut, next int) *failure {
	now := r.model.tick()
	end := &cut{quiet: true, note: "(an orderly end)", before: now, after: now, at: millis(), fs: r.fs}
	model := r.model
	for i, x := range append(cuts, end) {
		chosen := i == next || x == end && next < 0
		if x == end && !chosen {
			break
		}
		fs := x.fs
		if chosen {
			fs = fs.CrashClone(vfs.CrashCloneCfg{})
		}
		found, wrong := examine(fs, model.at(x), r.shape, x == end)
		if len(wrong) > 0 {
			return r.failed(fmt.Sprintf("generation %d, %s", g, x), wrong...)
		}
		r.probes += found.probes
		if x != end {
			r.cuts++
			r.kinds[x.kind()]++
		}
		if chosen {
			r.goOn(x, found, x == end)
		} else {
			x.fs = nil
		}
	}
	return nil
}

// goOn makes the disk of a cut the one that the next generation starts on.
func (r *queueRun) goOn(x *cut, found *emptied, orderly bool) {
	for i, at := range found.where {
		if i < len(r.model.sends) && at.place != r.model.sends[i].place {
			r.moved++
		}
	}
	r.model = r.model.at(x)
	r.model.decide(found.where, r.model.tick())
	r.model.temps.decide(found.life, found.temps, r.model.tick())
	r.fs = x.fs
	r.load.receipts = slices.DeleteFunc(r.load.receipts, func(h held) bool { // of what may never have been
		c := r.model.copies[h.key]
		return c == nil || c.loose
	})
	if orderly {
		r.restarts++
	} else {
		r.losses++
	}
}

// count adds what was done in a generation.
func (r *queueRun) count() {
	for _, s := range r.model.sends {
		if s.outcome == accepted && !s.found {
			r.sent++
			if s.duplicate {
				r.duplicates++
			}
		}
	}
	for _, c := range r.model.copies {
		r.received += len(c.receives)
		for _, d := range c.deletes {
			if d.end != 0 {
				r.deleted++
			}
		}
	}
}

func queuePlanOf(seed uint64) queuePlan {
	return queuePlan{
		seed: seed, generations: 1 + int(seed%3), steps: 25, cutsMax: 12, shape: newQueueShape(seed, time.Second),
	}
}
