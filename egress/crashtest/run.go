package crashtest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// plan is what is done with a seed.
type plan struct {
	seed        uint64
	generations int
	steps       int // of each publisher in a generation
	cutsMax     int // in a generation; 0: no power cut
	drivesEach  int // of the cuts of a generation, about how many are driven on
	wrap        wrapStore
	patience    time.Duration // how long is waited for what is owed; 0: finishTime
}

// failure is what a run found wrong.
type failure struct {
	seed  uint64
	where string
	wrong []string
}

func (f *failure) Error() string {
	return fmt.Sprintf("seed %d: %s:\n\t%s", f.seed, f.where, strings.Join(f.wrong, "\n\t"))
}

// run is one world through its generations.
type run struct {
	plan
	rng     *rand.Rand
	shape   shape
	fs      *vfs.MemFS
	history *history
	network *network
	lossy   bool // the power was lost: what arrived may arrive again
	tally
}

func newRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

func newShape(rng *rand.Rand) shape {
	return shape{
		shards:     1 + rng.IntN(2),
		tableBytes: [...]int{16 << 10, 64 << 10, 256 << 10}[rng.IntN(3)],
		window:     [...]int{2, 4, 16, 256}[rng.IntN(4)],
		groupMax:   [...]int{2, 16, 1024}[rng.IntN(3)],
		breaker:    1 + rng.IntN(5),
		progress:   time.Duration(1+rng.IntN(4)) * time.Millisecond,
		findFrom:   [...]int{1, 2, 1000}[rng.IntN(3)],
	}
}

// perform runs a plan to its end.
func perform(p plan) (*tally, *failure) {
	rng := newRand(p.seed, 77)
	h := &history{}
	r := &run{
		plan: p, rng: rng, shape: newShape(rng), history: h, fs: vfs.NewCrashableMem(),
		network: newNetwork(h, newRand(p.seed, 78)), tally: tally{kinds: map[string]int{}},
	}
	for g := range p.generations {
		if f := r.generation(g); f != nil {
			return &r.tally, f
		}
	}
	f := r.finish("at the end")
	r.acknowledged += h.acknowledged()
	return &r.tally, f
}

func (r *run) failed(where string, wrong ...string) *failure {
	return &failure{seed: r.seed, where: where, wrong: wrong}
}

// generation runs a world from its start to its end, which is a clean stop or one of the power cuts.
func (r *run) generation(g int) *failure {
	seed := mix(r.seed, uint64(g))
	w := &world{history: r.history, network: r.network, shape: r.shape}
	c := &cutter{history: r.history, fs: r.fs, seed: seed, limit: r.cutsMax}
	d := newDisk(r.fs, c.plug)
	c.names = d.names
	if err := w.boot(d, r.wrap); err != nil {
		return r.failed(fmt.Sprintf("start of generation %d", g), err.Error())
	}
	l := newWorkload(w, c, seed, r.steps)
	l.run()
	lose := r.rng.IntN(2) == 0 && r.cutsMax > 0
	if lose {
		w.kill()
	} else if err := w.stop(); err != nil {
		return r.failed(fmt.Sprintf("stop of generation %d", g), err.Error())
	}
	if len(l.faults) > 0 {
		return r.failed(fmt.Sprintf("answers in generation %d", g), l.faults...)
	}
	next := -1
	if lose && len(c.cuts) > 0 {
		next = r.rng.IntN(len(c.cuts))
	} else if lose {
		c.quiet(0) // nothing is begun any more: the same as a clean stop
		next = 0
	}
	return r.examine(g, c.cuts, next)
}

// examine checks all cuts of a generation, drives some of them on, and goes on with one, if it is not negative.
func (r *run) examine(g int, cuts []*cut, next int) *failure {
	for i, x := range cuts {
		driven := i == next || r.rng.IntN(len(cuts)) < r.drivesEach
		s, f := r.checkCut(g, x, driven)
		if f != nil {
			return f
		}
		if driven && i != next {
			if f := r.drive(g, x, s); f != nil {
				return f
			}
		}
		if i == next {
			defer func() {
				r.history.rewind(x, s)
				r.fs = x.fs
			}()
		} else {
			x.fs = nil
		}
	}
	if next >= 0 {
		r.lossy = true
		r.losses++
		return nil
	}
	r.restarts++
	// A clean stop saves everything: what is in the store is no less than what was known.
	s, err := r.look(r.fs)
	if err != nil {
		return r.failed(fmt.Sprintf("restart behind generation %d", g), err.Error())
	}
	r.saw(s)
	now := r.history.clock.Load()
	if wrong := newChecker(r.history, s, now, now, time.Now().UnixMilli()).check(); len(wrong) > 0 {
		return r.failed(fmt.Sprintf("restart behind generation %d", g), wrong...)
	}
	return nil
}

// checkCut opens the disk of a power cut and compares. With keep the disk stays as it was found.
func (r *run) checkCut(g int, x *cut, keep bool) (*state, *failure) {
	where := fmt.Sprintf("generation %d, %s", g, x)
	fs := x.fs
	if keep {
		fs = fs.CrashClone(vfs.CrashCloneCfg{})
	}
	s, err := r.look(fs)
	if err != nil {
		return nil, r.failed(where, err.Error())
	}
	r.saw(s)
	c := newChecker(r.history, s, x.before, x.after, x.at)
	wrong := c.check()
	r.obliged += c.obliged
	r.cuts++
	r.kinds[x.kind()]++
	if len(wrong) > 0 {
		return nil, r.failed(where, wrong...)
	}
	return s, nil
}

// look opens a store, reads all of it and closes it.
func (r *run) look(fs vfs.FS) (*state, error) {
	store, err := openStore(fs, r.shape.tableBytes, nil)
	if err != nil {
		return nil, err
	}
	s, err := inspect(store, r.history)
	if closeErr := store.Close(); err == nil {
		err = closeErr
	}
	return s, err
}

// drive goes on from a power cut in a world of its own, with endpoints that are well, until all that was owed has
// arrived.
func (r *run) drive(g int, x *cut, s *state) *failure {
	h := r.history.fork()
	h.rewind(x, s)
	d := &run{
		plan: plan{seed: r.seed, wrap: r.wrap, patience: r.patience}, rng: r.rng, shape: r.shape, fs: x.fs, history: h, lossy: true,
		network: newNetwork(h, newRand(r.seed, 79)), tally: tally{kinds: map[string]int{}},
	}
	f := d.finish(fmt.Sprintf("generation %d, driven on from the %s", g, x))
	r.add(&d.tally)
	r.drives++
	return f
}

const finishTime = 60 * time.Second

// finish starts the world once more, publishes a little with endpoints that are well, waits until nothing is owed
// any more, and compares.
func (r *run) finish(where string) *failure {
	w := &world{history: r.history, network: r.network, shape: r.shape}
	r.network.heal()
	if err := w.boot(r.fs, r.wrap); err != nil {
		return r.failed(where, err.Error())
	}
	l := newWorkload(w, nil, mix(r.seed, 99), 4)
	l.calm = true
	l.run()
	r.await(w)
	if err := w.stop(); err != nil {
		return r.failed(where, "stop: "+err.Error())
	}
	s, err := r.look(r.fs)
	if err != nil {
		return r.failed(where, err.Error())
	}
	r.saw(s)
	now := r.history.clock.Load()
	c := newChecker(r.history, s, now, now, time.Now().UnixMilli())
	wrong := append(c.check(), l.faults...)
	r.obliged += c.obliged
	for _, p := range c.open {
		wrong = append(wrong, fmt.Sprintf("message %d never arrived at subscription life %d", p.message, p.sub))
	}
	for p, n := range c.evidence.heard {
		if n > 1 && !r.lossy {
			wrong = append(wrong, fmt.Sprintf("subscription life %d acknowledged message %d %d times in an untroubled run", p.sub, p.message, n))
		}
	}
	if len(wrong) > wrongMax {
		wrong = wrong[:wrongMax]
	}
	if len(wrong) > 0 {
		return r.failed(where, wrong...)
	}
	return nil
}

// await returns when nothing is owed any more, or after a long time. What moves from one place to another while the
// store is read may be seen in neither, but not twice in a row.
func (r *run) await(w *world) {
	wait, seen := 2*time.Millisecond, 0
	for deadline := time.Now().Add(cmp.Or(r.patience, finishTime)); time.Now().Before(deadline); {
		if s, err := inspect(w.store, r.history); err != nil || !r.settled(s) {
			seen = 0
		} else if seen++; seen == 2 {
			return
		}
		<-time.After(wait)
		wait = min(2*wait, 20*time.Millisecond)
	}
}

// settled reports whether a store says that nothing is owed but what is due much later.
func (r *run) settled(s *state) bool {
	now, at := time.Now().UnixMilli(), r.history.clock.Load()
	for m := range s.waiting {
		if life := r.history.messages[m]; s.topics[life.topic.index] != nil && life.deliverAt < now+time.Minute.Milliseconds() {
			return false
		}
	}
	c := newChecker(r.history, s, at, at, now)
	c.check()
	return len(c.open) == 0
}
