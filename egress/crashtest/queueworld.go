package crashtest

import (
	"context"
	"sync"
	"time"

	"fanfare/engine"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// queueShape is what differs from run to run.
type queueShape struct {
	shards, tableBytes, groupMax int
	redrive                      [places]int
	delay                        time.Duration // of the FIFO queue
	unit                         time.Duration // of all other times
}

func newQueueShape(seed uint64, unit time.Duration) queueShape {
	rng := newRand(seed, 87)
	s := queueShape{
		shards:     1 + rng.IntN(2),
		tableBytes: [...]int{16 << 10, 64 << 10, 256 << 10}[rng.IntN(3)],
		groupMax:   [...]int{2, 16, 1024}[rng.IntN(3)],
		unit:       unit,
	}
	s.redrive[jobs], s.redrive[fifo] = rng.IntN(4), rng.IntN(4)
	s.delay = time.Duration(rng.IntN(2)*3) * unit
	return s
}

// hiddenMax is the longest that a message is hidden, or delayed, in units.
const hiddenMax = 120

// queueWorld is an engine with its store on a disk in memory, and queues.
type queueWorld struct {
	model *queueModel
	shape queueShape

	store  engine.Store
	engine *engine.Engine
	queues [places]*engine.Queue
	end    context.CancelFunc
	run    sync.WaitGroup
}

func bootQueues(fs vfs.FS, m *queueModel, shape queueShape, fatal func(string)) (*queueWorld, error) {
	store, err := openStore(fs, shape.tableBytes, fatal)
	if err != nil {
		return nil, err
	}
	w := &queueWorld{model: m, shape: shape, store: store}
	w.engine, err = engine.New(engine.Options{Store: store, Shards: shape.shards, RingSlots: 64, GroupMessagesMax: shape.groupMax})
	if err != nil {
		_ = store.Close()
		return nil, err
	}
	w.engine.Start()
	ctx, cancel := context.WithCancel(context.Background())
	w.end = cancel
	w.run.Go(func() { w.engine.Run(ctx) })
	if err := w.make(); err != nil {
		_ = w.stop()
		return nil, err
	}
	for _, c := range m.copies {
		c.until = 0 // what was received may be visible earlier
	}
	return w, nil
}

// make makes the queues, or finds them.
func (w *queueWorld) make() (err error) {
	for place, name := range placeNames {
		c := engine.NewQueueConfig(name)
		if isFIFO(place) {
			c.FIFO = &engine.FIFO{}
		}
		if place == fifo {
			c.Delay = w.shape.delay
		}
		if n := w.shape.redrive[place]; n > 0 {
			c.DeadLetters = engine.QueueRedrive{Queue: placeNames[place+1], Receives: n}
		}
		if w.queues[place], _, err = w.engine.CreateQueue(c); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the world as SIGTERM does.
func (w *queueWorld) stop() error {
	w.end()
	w.run.Wait()
	w.engine.Close()
	return w.store.Close()
}

func (w *queueWorld) wait(units int) { <-time.After(time.Duration(units) * w.shape.unit) }
