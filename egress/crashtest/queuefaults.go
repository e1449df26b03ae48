package crashtest

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// queueTrial is one run of a workload of queues on a disk with a fault. It uses the steps of a trial: each either ends,
// or the process would have, or it hangs. There is no bubble of time around it, since what is left of a process that
// would have ended never ends.
type queueTrial struct {
	trial
	model  *queueModel
	shape  queueShape
	queues *queueWorld
	work   *queueLoad
}

func newQueueTrial(seed uint64, f fault) *queueTrial {
	shape := newQueueShape(seed, time.Millisecond)
	m := newQueueModel(shape.redrive)
	t := &queueTrial{model: m, shape: shape}
	t.dead = make(chan struct{})
	t.run = run{plan: plan{seed: seed}, history: &m.history, fs: vfs.NewCrashableMem()}
	t.injector = &injector{fault: f}
	return t
}

const queueFaultSteps = 20

// perform runs the trial to its end and compares what the disk holds.
func (t *queueTrial) perform() *failure {
	alive, f, err := t.start(func(d *disk) (err error) {
		t.queues, err = bootQueues(d, t.model, t.shape, func(why string) {
			t.death(why)
			select {}
		})
		return err
	})
	switch {
	case f != nil:
		return f
	case !alive:
		return t.judge(t.last)
	case err != nil:
		t.ended = endStart
		return t.judge(t.snapshot("after a start that failed: " + err.Error()))
	}
	return t.operate()
}

func (t *queueTrial) operate() *failure {
	t.work = &queueLoad{world: t.queues, calm: true}
	alive, f := t.step("work", func() { t.work.run(t.seed, queueFaultSteps) })
	if alive {
		if wrong := t.answers(); len(wrong) > 0 {
			return t.failed(t.where("answers"), wrong...)
		}
		if f = t.judge(t.snapshot("while it runs")); f == nil {
			alive, f = t.step("stop", func() { _ = t.queues.stop() })
		}
	}
	switch {
	case f != nil:
		return f
	case !alive:
		return t.judge(t.last)
	}
	return t.judge(t.snapshot("behind a stop"))
}

// answers looks whether what the engine says fits what it did.
func (t *queueTrial) answers() []string {
	ready := t.queues.engine.Ready()
	if ready != nil {
		t.ended = endUnready
	}
	t.model.mu.Lock()
	wrong := append([]string(nil), t.model.wrong...)
	t.model.mu.Unlock()
	return append(wrong, t.fits(ready, t.work.unsure.Load())...)
}

// judge empties a disk and compares what came with the model.
func (t *queueTrial) judge(x *cut) *failure {
	_, wrong := examine(x.fs, t.model.at(x), t.shape, false)
	if len(wrong) == 0 {
		return nil
	}
	return t.failed(t.where(x.String()), wrong...)
}
