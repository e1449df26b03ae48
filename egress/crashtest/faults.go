package crashtest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fault is what goes wrong with the disk in a run.
type fault struct {
	at    int64 // the number of the operation, from 1
	err   error
	stays bool // every write behind it fails as well
	half  bool // a write does half of its work
}

func (f fault) String() string {
	how := "once"
	if f.stays {
		how = "from there on"
	}
	return fmt.Sprintf("%q at operation %d %s, half written %v", f.err, f.at, how, f.half)
}

// injector is a plug that makes operations fail.
type injector struct {
	fault
	count atomic.Int64
	hit   atomic.Pointer[string] // the first operation that failed
	read  atomic.Bool            // an operation that changes nothing failed
	over  atomic.Bool            // the fault has gone away
}

func (i *injector) plug(o op, at moment, path string) (half bool, err error) {
	if at != beforeOp {
		return false, nil
	}
	n := i.count.Add(1)
	later := i.stays && n > i.at && o < opOpen && !i.over.Load()
	if n != i.at && !later {
		return false, nil
	}
	if o >= opOpen {
		i.read.Store(true)
	}
	what := o.String() + " " + path
	i.hit.CompareAndSwap(nil, &what)
	return i.half && o == opWrite, i.err
}

// scenario is a disk and its history that faults are tried on, again and again.
type scenario struct {
	seed    uint64
	shape   shape
	fs      *vfs.MemFS
	history *history
	steps   int
}

// patience is how long anything may take before it counts as hanging.
const patience = 20 * time.Second

// trial is one run of a scenario with a fault.
type trial struct {
	run
	injector *injector
	names    *names
	w        *world
	load     *workload

	repaired bool // the fault went away and the work with it went on

	ended string

	once sync.Once
	dead chan struct{}
	last *cut // the disk and the history at the death
}

func (s *scenario) trial(f fault) *trial {
	t := &trial{dead: make(chan struct{})}
	h := s.history.fork()
	t.run = run{
		plan: plan{seed: s.seed, steps: s.steps}, rng: newRand(s.seed, 5), shape: s.shape, history: h, lossy: true,
		fs: s.fs.CrashClone(vfs.CrashCloneCfg{}), network: newNetwork(h, newRand(s.seed, 6)), tally: tally{kinds: map[string]int{}},
	}
	t.w = &world{history: h, network: t.network, shape: t.shape, death: t.death}
	t.injector = &injector{fault: f}
	return t
}

// death keeps what there is at the moment at which the process would end.
func (t *trial) death(why string) {
	t.once.Do(func() {
		t.last = t.snapshot(why)
		t.injector.over.Store(true) // what is left of Pebble tries again and again without a pause
		close(t.dead)
	})
}

// snapshot is the disk after a power cut now: nothing is kept that was not synced.
func (t *trial) snapshot(note string) *cut {
	x := &cut{quiet: true, note: note, before: t.history.clock.Load()}
	x.fs = t.names.clone(t.fs, vfs.CrashCloneCfg{})
	x.after, x.at = t.history.clock.Load(), time.Now().UnixMilli()
	return x
}

// repairTime is when a fault that stays goes away. Until then writers may wait: Pebble stalls them while it cannot
// write its tables, and tries again and again.
const repairTime = 60 * time.Millisecond

// step runs a part of the trial. It reports whether the world is alive behind it, or what hangs.
func (t *trial) step(what string, fn func()) (alive bool, f *failure) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	repair, late := time.NewTimer(repairTime), time.NewTimer(patience)
	defer repair.Stop()
	defer late.Stop()
	select {
	case <-done:
	case <-t.dead:
	case <-repair.C:
		t.repaired = t.repaired || t.injector.hit.Load() != nil
		t.injector.over.Store(true)
	}
	select {
	case <-done:
	case <-t.dead:
	case <-late.C:
		buf := make([]byte, 16<<20)
		return false, t.failed(t.where(what), "it hangs", string(buf[:runtime.Stack(buf, true)]))
	}
	select {
	case <-t.dead:
		return false, nil
	default:
		return true, nil
	}
}

// start boots what is tried on a disk that fails; err is why it did not start.
func (t *trial) start(boot func(d *disk) error) (alive bool, f *failure, err error) {
	d := newDisk(t.fs, t.injector.plug)
	t.names = d.names
	var booted error
	alive, f = t.step("start", func() {
		defer func() {
			if p := recover(); p != nil {
				t.death(fmt.Sprintf("panic: %v", p))
			}
		}()
		booted = boot(d)
	})
	if f != nil || !alive {
		return alive, f, nil // it may be at work still
	}
	return true, nil, booted
}

// perform runs the trial to its end and compares what the disk holds.
func (t *trial) perform() *failure {
	alive, f, err := t.start(func(d *disk) error { return t.w.boot(d, nil) })
	if f != nil {
		return f
	}
	if !alive {
		return t.judge(t.last)
	}
	if err != nil {
		t.ended = endStart
		return t.judge(t.snapshot("after a start that failed: " + err.Error()))
	}
	return t.work()
}

func (t *trial) work() *failure {
	t.load = newWorkload(t.w, nil, t.seed, t.steps)
	t.load.calm = true
	alive, f := t.step("work", func() { t.load.run() })
	if alive {
		if wrong := t.answers(); len(wrong) > 0 {
			return t.failed(t.where("answers"), wrong...)
		}
		x := t.snapshot("while it runs")
		if alive, f = t.step("stop", func() { _ = t.w.stop() }); f == nil {
			_, f = t.compare(x)
		}
	}
	switch {
	case f != nil:
		return f
	case !alive:
		t.network.powerOff()
		return t.judge(t.last)
	}
	return t.judge(t.snapshot("behind a stop"))
}

// answers looks whether what the engine says fits what it did.
func (t *trial) answers() (wrong []string) {
	wrong = append(wrong, t.load.faults...)
	ready := t.w.engine.Ready()
	if ready != nil {
		t.ended = endUnready
	}
	return append(wrong, t.fits(ready, t.load.unsure.Load())...)
}

// fits compares what the engine says of itself with how many answers left open what happened.
func (t *trial) fits(ready error, unsure int64) (wrong []string) {
	if unsure > 0 && ready == nil && !t.injector.read.Load() {
		wrong = append(wrong, "something was answered with unavailable, and the engine says that it is ready")
	}
	if ready != nil && !strings.Contains(ready.Error(), t.injector.err.Error()) {
		wrong = append(wrong, "the engine is not ready and does not say why: "+ready.Error())
	}
	return wrong
}

// The ends of a trial.
const (
	endNone    = "the work went on"
	endRepair  = "the work stood still until the fault was gone"
	endUnready = "the engine was not ready any more, and said why"
	endStart   = "the start failed"
	endDeath   = "the process would have ended: "
)

// end says what the fault led to.
func (t *trial) end() string {
	switch {
	case t.last != nil:
		why, _, _ := strings.Cut(strings.TrimPrefix(t.last.note, "pebble: "), ": write")
		why, _, _ = strings.Cut(why, " store/")
		return endDeath + why
	case t.ended != "":
		return t.ended
	case t.repaired:
		return endRepair
	}
	return endNone
}

func (t *trial) where(what string) string {
	hit := "nothing"
	if p := t.injector.hit.Load(); p != nil {
		hit = *p
	}
	return fmt.Sprintf("%s, which hit %s: %s", t.injector.fault, hit, what)
}

// compare opens a disk and compares it with the history.
func (t *trial) compare(x *cut) (*state, *failure) {
	s, f := t.checkCut(0, x, true)
	if f != nil {
		f.where = t.where(f.where)
	}
	return s, f
}

// judge compares a disk with the history, starts on it without a fault and lets everything arrive.
func (t *trial) judge(x *cut) *failure {
	s, f := t.compare(x)
	if f != nil {
		return f
	}
	if f = t.drive(0, x, s); f != nil {
		f.where = t.where(f.where)
	}
	return f
}
