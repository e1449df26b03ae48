package pebblestore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/pebblestore"
	"fanfare/engine/transfer"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// running is an engine on a store, with the queues of the test.
type running struct {
	store  *pebblestore.Store
	engine *engine.Engine
	queues []*engine.Queue
	stop   func()
}

func runEngine(t *testing.T, fs vfs.FS) *running {
	t.Helper()
	s := open(t, small(fs))
	e, err := engine.New(engine.Options{Store: s, Shards: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(nobody{}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { e.Run(ctx) })
	r := &running{store: s, engine: e}
	r.stop = sync.OnceFunc(func() {
		cancel()
		run.Wait()
		e.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	for _, name := range []string{"dead", "dead.fifo", "a", "b", "a.fifo", "b.fifo"} {
		config := engine.NewQueueConfig(name)
		to := "dead"
		if len(name) > len(".fifo") && name[len(name)-len(".fifo"):] == ".fifo" {
			config.FIFO = &engine.FIFO{ByContent: true}
			to = "dead.fifo"
		}
		if name != to {
			config.DeadLetters = engine.QueueRedrive{Queue: to, Receives: 3}
		}
		q, _, err := e.CreateQueue(config)
		if err != nil {
			t.Fatal(err)
		}
		r.queues = append(r.queues, q)
	}
	return r
}

// act does something to a queue of the engine, as clients would.
func (r *running) act(rng *rand.Rand, number uint64) error {
	q := r.queues[rng.IntN(len(r.queues))]
	switch n := rng.IntN(100); {
	case n < 40:
		m := engine.NewMessage()
		defer m.Release()
		m.Set(engine.FieldBody, fmt.Appendf(nil, "message %d", number))
		m.Set(engine.FieldGroup, fmt.Append(nil, rng.IntN(3)))
		return r.engine.Publish(q.Topic(), m)
	case n == 99 && q.Config().DeadLetters != engine.QueueRedrive{}: // what is on its way to another one would be gone, too
		return r.engine.PurgeQueue(q)
	}
	got, err := q.Receive(engine.ReceiveRequest{Max: 1 + rng.IntN(10), Visibility: time.Duration(rng.IntN(10)) * time.Millisecond}, nil)
	if err != nil {
		return err
	}
	var gone, back []engine.Receipt
	for _, g := range got {
		switch rng.IntN(3) {
		case 0:
			gone = append(gone, g.Receipt)
		case 1:
			back = append(back, g.Receipt)
		}
		g.Message.Release()
	}
	errs := make([]error, len(gone)+len(back))
	q.Delete(gone, errs)
	q.ChangeVisibility(back, make([]time.Duration, len(back)), errs[len(gone):])
	for _, err := range errs {
		if err != nil && !errors.Is(err, engine.ErrReceiptExpired) && !errors.Is(err, engine.ErrNotInFlight) {
			return err
		}
	}
	return nil
}

// drain receives and deletes all messages of all queues until there were so many, and then looks for more.
func (r *running) drain(t *testing.T, want uint64) {
	t.Helper()
	got := uint64(0)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		before := got
		for _, q := range r.queues {
			received, err := q.Receive(engine.ReceiveRequest{Max: 10, Visibility: engine.VisibilityMax, Wait: time.Millisecond}, nil)
			if err != nil {
				t.Fatal(err)
			}
			receipts := make([]engine.Receipt, 0, len(received))
			for _, g := range received {
				receipts = append(receipts, g.Receipt)
				g.Message.Release()
			}
			errs := make([]error, len(receipts))
			if q.Delete(receipts, errs); errors.Join(errs...) != nil {
				t.Fatal(errors.Join(errs...))
			}
			got += uint64(len(receipts))
		}
		if got >= want && got == before {
			break
		}
	}
	if got != want {
		t.Errorf("%d messages were received, the report had %d", got, want)
	}
	for _, q := range r.queues {
		if c := q.Counts(); c != (engine.QueueCounts{}) {
			t.Errorf("queue %s has %+v, want none", q.Name(), c)
		}
	}
}

// moved exports a store and imports it into another one, which holds the same.
func moved(t *testing.T, fs vfs.FS) vfs.FS {
	t.Helper()
	from, err := pebblestore.OpenCopy(pebblestore.Options{Dir: "store", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	exported, err := transfer.Export(from, &stream, nil)
	if err = errors.Join(err, from.Close()); err != nil {
		t.Fatal(err)
	}
	to := vfs.NewMem()
	s := open(t, small(to))
	imported, err := transfer.Import(s, &stream, nil)
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	report, err := pebblestore.Check(pebblestore.Options{Dir: "store", FS: to})
	if err != nil {
		t.Fatal(err)
	}
	if imported != exported || report.MessageCount != exported.Messages || !report.Sound() || len(report.Leftovers) > 0 {
		t.Fatalf("exported %+v, imported %+v: %+v", exported, imported, report)
	}
	return to
}

// Whenever the power fails, whatever of what was not synced is lost: the store is sound, and what the report counts is what
// an engine finds in its queues, no more and no less.
func TestCheckOfQueuesBehindPowerCuts(t *testing.T) {
	rounds := 8
	if longForm() {
		rounds = 300
	}
	checked, messages := 0, uint64(0)
	for seed := range uint64(rounds) {
		fs := vfs.NewCrashableMem()
		r := runEngine(t, fs)
		var acts atomic.Uint64
		var workers sync.WaitGroup
		for w := range uint64(3) {
			rng := rand.New(rand.NewPCG(seed, w))
			workers.Go(func() {
				for range 150 {
					if err := r.act(rng, acts.Add(1)); err != nil {
						t.Errorf("seed %d: %v", seed, err)
						return
					}
				}
			})
		}
		rng := rand.New(rand.NewPCG(seed, 99))
		var clones []vfs.FS
		look := time.NewTicker(time.Millisecond)
		for _, at := range []uint64{100 + rng.Uint64N(100), 200 + rng.Uint64N(100), 450} {
			for acts.Load() < at && !t.Failed() {
				<-look.C
			}
			clones = append(clones, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng}))
		}
		look.Stop()
		workers.Wait()
		r.stop()
		for i, clone := range clones {
			report, err := pebblestore.Check(pebblestore.Options{Dir: "store", FS: clone})
			if err != nil {
				t.Fatal(err)
			}
			if !report.Sound() || len(report.Leftovers) > 0 {
				t.Fatalf("seed %d, cut %d: damages %v, leftovers %v", seed, i, report.Damages, report.Leftovers)
			}
			want := report.MessageCount
			for _, q := range report.Queues {
				want += q.Scheduled
			}
			if i == 1 {
				clone = moved(t, clone)
			}
			again := runEngine(t, clone)
			again.drain(t, want)
			again.stop()
			checked++
			messages += want
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d power cuts, %d messages found behind them", checked, messages)
}
