package crashtest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// shape is what differs from run to run in how a world is built.
type shape struct {
	shards     int
	tableBytes int
	window     int
	groupMax   int
	breaker    int
	progress   time.Duration
	findFrom   int
}

const storeDir = "store"

// openStore opens the store of a world, or of a clone of its disk.
func openStore(fs vfs.FS, tableBytes int, fatal func(string)) (*pebblestore.Store, error) {
	return pebblestore.Open(pebblestore.Options{
		Dir: storeDir, FS: fs, CacheBytes: 1 << 20, MemTableBytes: int64(tableBytes), Fatal: fatal,
	})
}

// world is an engine with its egress and store on a disk in memory. It runs from boot to stop.
type world struct {
	history *history
	network *network
	shape   shape

	store  engine.Store
	engine *engine.Engine
	egress *egress.Egress
	end    context.CancelFunc
	run    sync.WaitGroup

	death func(why string) // told when the process would end; nil where that must not happen
}

// die is called where the process would end: Pebble gave up, or is about to panic. The goroutine stops here for good,
// and with it what waits for it: to end it would run what Pebble deferred, which does not expect that.
func (w *world) die(why string) {
	if w.death == nil {
		panic("the store gave up: " + why)
	}
	w.death(why)
	select {}
}

// wrapStore puts something between the engine and its store; the tests of the checker plant their bugs there.
type wrapStore func(engine.Store) engine.Store

// boot starts the engine on what the disk holds.
func (w *world) boot(fs vfs.FS, wrap wrapStore) error {
	s, err := openStore(fs, w.shape.tableBytes, w.die)
	if err != nil {
		return err
	}
	w.store = s
	if wrap != nil {
		w.store = wrap(s)
	}
	if err := w.start(); err != nil {
		_ = w.store.Close()
		return err
	}
	return nil
}

func (w *world) start() (err error) {
	w.engine, err = engine.New(engine.Options{
		Store: w.store, Shards: w.shape.shards, RingSlots: 64, GroupMessagesMax: w.shape.groupMax, FindFrom: w.shape.findFrom,
	})
	if err != nil {
		return err
	}
	w.egress, err = egress.New(w.engine, egress.Options{
		Kinds: []egress.Kind{probe{}}, Dial: w.network.dial, WindowMessages: w.shape.window,
		BreakerFailures: w.shape.breaker, BreakerDelayMax: 5 * time.Millisecond, ProgressInterval: w.shape.progress,
	})
	if err != nil {
		return err
	}
	if err := w.find(); err != nil {
		return err
	}
	w.network.powerOn()
	w.egress.Start()
	w.engine.Start()
	ctx, cancel := context.WithCancel(context.Background())
	w.end = cancel
	w.run.Go(func() { w.engine.Run(ctx) })
	return nil
}

// find looks up what the history knows to exist.
func (w *world) find() error {
	for _, t := range w.history.topics {
		if t.create.end == 0 || t.remove.begin != 0 {
			continue
		}
		t.at = w.engine.Topic([]byte(t.name))
		if t.at == nil || t.at.Label(lifeLabel) != strconv.Itoa(t.index) {
			return fmt.Errorf("topic %s (life %d) is not there after the start", t.name, t.index)
		}
	}
	for _, s := range w.history.subs {
		if s.create.end == 0 || s.remove.begin != 0 || s.topic.remove.begin != 0 {
			continue
		}
		if s.at = s.topic.at.Subscription(s.name); s.at == nil {
			return fmt.Errorf("subscription %s of topic %s (life %d) is not there after the start", s.name, s.topic.name, s.index)
		}
	}
	return nil
}

// drainTime is more than any push takes: the endpoints answer at once or the attempt times out.
const drainTime = 20 * time.Second

// stop ends the world as SIGTERM does.
func (w *world) stop() error {
	w.end()
	w.run.Wait()
	w.engine.Close()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := w.egress.Drain(ctx)
	if closeErr := w.store.Close(); err == nil {
		err = closeErr
	}
	return err
}

// kill ends the world after its power was cut: what it still does is of no account.
func (w *world) kill() {
	w.network.powerOff()
	_ = w.stop()
}
