package engine_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
)

// gated is a store whose syncs take until the gate is opened, and whose reads fail when they are told to.
type gated struct {
	engine.Store
	gate    atomic.Pointer[chan struct{}] // nil: open
	failing atomic.Bool
	reading atomic.Pointer[chan struct{}] // nil, or a gate of the reads
	putting atomic.Pointer[chan struct{}] // nil, or a gate of the states
	saved   chan []byte                   // nil, or where progress goes
}

var errRead = errors.New("the disk cannot be read")

func (g *gated) NewBatch() engine.Batch { return gatedBatch{g.Store.NewBatch(), g} }

func (g *gated) ReadTopic(topic engine.TopicID, first, last engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	if gate := g.reading.Load(); gate != nil {
		<-*gate
	}
	if g.failing.Load() {
		return errRead
	}
	return g.Store.ReadTopic(topic, first, last, fn)
}

type gatedBatch struct {
	engine.Batch
	store *gated
}

func (b gatedBatch) PutState(topic engine.TopicID, kind engine.StateKind, sequence engine.Sequence, value []byte) {
	if gate := b.store.putting.Load(); gate != nil {
		<-*gate
	}
	b.Batch.PutState(topic, kind, sequence, value)
}

func (b gatedBatch) SaveProgress(sub engine.SubscriptionID, progress []byte) {
	if b.store.saved != nil {
		b.store.saved <- slices.Clone(progress)
	}
	b.Batch.SaveProgress(sub, progress)
}

func (b gatedBatch) Wait() error {
	if gate := b.store.gate.Load(); gate != nil {
		<-*gate
	}
	return b.Batch.Wait()
}

// inGatedTime runs a test on an engine with a gated store, in a bubble of time.
func inGatedTime(t *testing.T, run func(t *testing.T, s *gated, e *engine.Engine)) {
	runtime.GC()
	runtime.GC() // pooled messages carry channels of another bubble
	synctest.Test(t, func(t *testing.T) {
		s := &gated{Store: memstore.New(memstore.Options{})}
		e, stop := begin(t, s, newTaker(nil))
		defer stop()
		run(t, s, e)
	})
	runtime.GC()
	runtime.GC()
}

// Who deletes what somebody else is deleting waits for the same sync.
func TestQueueSecondDeleteIsDurable(t *testing.T) {
	inGatedTime(t, func(t *testing.T, s *gated, e *engine.Engine) {
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		send(t, e, q, "a")
		_, receipts := receive(t, q, engine.ReceiveRequest{Wait: time.Second, Visibility: -1})
		gate := make(chan struct{})
		s.gate.Store(&gate)
		answered := make(chan error, 2)
		for i := range 2 {
			go func() {
				errs := make([]error, 1)
				q.Delete(receipts, errs)
				answered <- errs[0]
			}()
			synctest.Wait()
			if n := len(answered); n != 0 {
				t.Errorf("%d deletes of %d were answered before the sync", n, i+1)
			}
		}
		s.gate.Store(nil)
		close(gate)
		for range 2 {
			if err := <-answered; err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A dead letter that cannot be read is not moved: it stays where it is, and what was to be written fails.
func TestQueueRedriveOfUnreadable(t *testing.T) {
	inGatedTime(t, func(t *testing.T, s *gated, e *engine.Engine) {
		queue(t, e, engine.NewQueueConfig("dead"))
		config := engine.NewQueueConfig("jobs")
		config.DeadLetters = engine.QueueRedrive{Queue: "dead", Receives: 1}
		q := queue(t, e, config)
		send(t, e, q, "a", "b")
		_, receipts := receive(t, q, engine.ReceiveRequest{Max: 1, Wait: time.Second, Visibility: time.Second})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s.failing.Store(true)
		receive(t, q, engine.ReceiveRequest{Max: 1}) // b; a is to be moved
		synctest.Wait()
		if e.Ready() == nil {
			t.Fatal("a message could not be moved, and the engine says that it is ready")
		}
		s.failing.Store(false)
		found := false
		err := s.ReadTopic(q.Topic().ID, 1, 9, func(seq engine.Sequence, _ []byte) bool {
			found = found || seq == receipts[0].Sequence
			return true
		})
		if err != nil || !found {
			t.Fatalf("the message is gone, and was not moved: %v", err)
		}
	})
}

// A batch of the ledger says how far the queue had come with what is in the batch, not how far it has come meanwhile.
func TestQueueProgressIsThatOfItsBatch(t *testing.T) {
	inGatedTime(t, func(t *testing.T, s *gated, e *engine.Engine) {
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		send(t, e, q, "a", "b")
		synctest.Wait()
		gate := make(chan struct{})
		s.putting.Store(&gate)
		s.saved = make(chan []byte, 10)
		for range 2 { // the second while the batch with the first is collected
			receive(t, q, engine.ReceiveRequest{Max: 1, Visibility: time.Hour})
			synctest.Wait()
		}
		close(gate)
		synctest.Wait()
		for want := engine.Sequence(2); want <= 3; want++ {
			if p, ok := engine.ParseQueueProgress(<-s.saved); !ok || p.Next != want {
				t.Fatalf("the next new message is %d, want %d", p.Next, want)
			}
		}
	})
}

// Behind a batch of the ledger that failed there is none: its progress would claim what that one did not save.
func TestQueueLedgerEndsWithItsFirstFailure(t *testing.T) {
	inGatedTime(t, func(t *testing.T, s *gated, e *engine.Engine) {
		queue(t, e, engine.NewQueueConfig("dead"))
		config := engine.NewQueueConfig("jobs")
		config.DeadLetters = engine.QueueRedrive{Queue: "dead", Receives: 1}
		q := queue(t, e, config)
		send(t, e, q, "a", "b", "c")
		synctest.Wait()
		receive(t, q, engine.ReceiveRequest{Max: 1, Visibility: time.Second})
		time.Sleep(2 * time.Second)
		gate := make(chan struct{})
		s.reading.Store(&gate)
		s.failing.Store(true)
		got, _ := receive(t, q, engine.ReceiveRequest{Max: 1, Visibility: time.Hour}) // a is to be moved
		wantBodies(t, got, "b/1")
		synctest.Wait()
		got, _ = receive(t, q, engine.ReceiveRequest{Max: 1, Visibility: time.Hour}) // before the ledger knows
		wantBodies(t, got, "c/1")
		close(gate)
		synctest.Wait()
		s.reading.Store(nil)
		s.failing.Store(false)
		again, stop := begin(t, s.Store, newTaker(nil))
		defer stop()
		time.Sleep(2 * time.Hour)
		got, _ = receive(t, again.Queue([]byte("jobs")), engine.ReceiveRequest{})
		wantBodies(t, got, "b/1", "c/1")
	})
}

// stuck is an egress that takes nothing until the gate is opened.
type stuck struct {
	*taker
	gate chan struct{}
}

func (s *stuck) Dispatch(*engine.Message) { <-s.gate }

// A purge takes what was answered before it, also while the dispatcher is held up by a message of a topic.
func TestQueuePurgeTakesWhatWasAnswered(t *testing.T) {
	runtime.GC()
	runtime.GC() // pooled messages carry channels of another bubble
	synctest.Test(t, func(t *testing.T) {
		s := &gated{Store: memstore.New(memstore.Options{})}
		out := &stuck{newTaker(nil), make(chan struct{})}
		e, stop := launch(t, s, out, func(*engine.Engine) {})
		defer stop()
		defer close(out.gate)
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		send(t, e, q, "a")
		topics := make([]*engine.Topic, 10) // so many that some of them share the queue's shard
		for i := range topics {
			var err error
			if topics[i], _, err = e.CreateTopic(fmt.Sprint("t", i), nil); err != nil {
				t.Fatal(err)
			}
		}
		gate := make(chan struct{})
		s.gate.Store(&gate)
		for _, topic := range topics {
			go publishBody(t, e, topic, "x")
			synctest.Wait()
		}
		go publishBody(t, e, q.Topic(), "b")
		synctest.Wait()
		s.gate.Store(nil)
		close(gate)
		synctest.Wait()
		for range 2 { // the first message of each shard is in a group of its own
			out.gate <- struct{}{}
		}
		synctest.Wait()
		if n := q.Topic().High(); n != 2 {
			t.Fatalf("%d messages are durable, want 2", n)
		}
		if err := e.PurgeQueue(q); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			out.gate <- struct{}{}
		}
		synctest.Wait()
		got, _ := receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got)
		if got := q.Counts(); got != (engine.QueueCounts{}) {
			t.Fatalf("counts: %+v", got)
		}
		send(t, e, q, "c")
		got, _ = receive(t, q, engine.ReceiveRequest{Wait: time.Second})
		wantBodies(t, got, "c/1")
	})
	runtime.GC()
	runtime.GC()
}

func publishBody(t *testing.T, e *engine.Engine, topic *engine.Topic, body string) {
	m := engine.NewMessage()
	defer m.Release()
	m.Set(engine.FieldBody, []byte(body))
	if err := e.Publish(topic, m); err != nil {
		t.Error(err)
	}
}

// Receipts of a FIFO queue are as good behind a restart as they were before it, also before anybody received.
func TestFIFOQueueReceiptsOutliveARestart(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		config := engine.NewQueueConfig("jobs.fifo")
		config.FIFO = &engine.FIFO{}
		q := queue(t, e, config)
		send(t, e, q, "a:1", "b:1", "c:1", "d:1")
		synctest.Wait()
		_, old := receive(t, q, engine.ReceiveRequest{Visibility: time.Second})
		time.Sleep(2 * time.Second)
		_, receipts := receive(t, q, engine.ReceiveRequest{Visibility: time.Minute})
		remove(t, q, receipts[3])
		stop()
		e, stop = open()
		q = e.Queue([]byte("jobs.fifo"))
		errs := make([]error, 1)
		if q.ChangeVisibility(receipts[:1], []time.Duration{time.Hour}, errs); errs[0] != nil {
			t.Fatalf("a message in flight cannot be kept there behind a restart: %v", errs[0])
		}
		stop()
		e, stop = open()
		q = e.Queue([]byte("jobs.fifo"))
		if q.Delete(old[1:2], errs); !errors.Is(errs[0], engine.ErrReceiptExpired) {
			t.Fatalf("deleted by an old receipt behind a restart: %v", errs[0])
		}
		remove(t, q, receipts[3], receipts[3]) // it is gone, and counts as gone once
		stop()
		e, stop = open()
		defer stop()
		q = e.Queue([]byte("jobs.fifo"))
		time.Sleep(2 * time.Minute)
		got, _ := receive(t, q, engine.ReceiveRequest{Visibility: time.Hour})
		wantBodies(t, got, "b:1/3", "c:1/3")
		if got := q.Counts(); got != (engine.QueueCounts{InFlight: 3}) {
			t.Fatalf("counts: %+v", got)
		}
	})
}

// One receive gets a message once, also when it is visible again before all are found.
func TestQueueReceiveGetsAMessageOnce(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		send(t, e, q, "a", "b")
		receive(t, q, engine.ReceiveRequest{Max: 1, Wait: time.Second, Visibility: time.Second})
		stop()
		e, stop = open() // a is known, b has to be read
		defer stop()
		time.Sleep(2 * time.Second)
		got, _ := receive(t, e.Queue([]byte("jobs")), engine.ReceiveRequest{Visibility: 0})
		wantBodies(t, got, "a/2", "b/1")
	})
}
