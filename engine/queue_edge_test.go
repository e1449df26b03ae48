package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"fanfare/engine"
	"fanfare/engine/memstore"

	"github.com/google/go-cmp/cmp"
)

// What is done to a queue is no longer so when the queue is deleted: one of the same name has no moves.
func TestMovesGoWithTheirQueue(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		queue(t, e, engine.NewQueueConfig("to"))
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		send(t, e, q, "a", "b", "c")
		if _, err := e.StartMove(q, engine.MoveOptions{To: "to", PerSecond: 1}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if err := e.DeleteQueue("jobs"); err != nil {
			t.Fatal(err)
		}
		q = queue(t, e, engine.NewQueueConfig("jobs"))
		time.Sleep(10 * time.Second) // the move has found out
		if moves := e.Moves(q, 10); len(moves) != 0 {
			t.Fatalf("a new queue has moves: %+v", moves)
		}
		send(t, e, q, "d")
		stop()

		e, stop = open()
		defer stop()
		time.Sleep(10 * time.Second)
		if moves := e.Moves(e.Queue([]byte("jobs")), 10); len(moves) != 0 {
			t.Fatalf("a new queue has moves behind a restart: %+v", moves)
		}
		got, _ := receive(t, e.Queue([]byte("jobs")), engine.ReceiveRequest{})
		wantBodies(t, got, "d/1")
	})
}

// A move from a queue to itself would not end.
func TestMoveToItself(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		defer stop()
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		var field *engine.FieldError
		if _, err := e.StartMove(q, engine.MoveOptions{To: "jobs"}); !errors.As(err, &field) {
			t.Fatalf("started: %v", err)
		}
	})
}

// A deletion that was repeated behind a restart counts once.
func TestFIFOQueueCountsDeletionsOnce(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		config := engine.NewQueueConfig("jobs.fifo")
		config.FIFO = &engine.FIFO{}
		q := queue(t, e, config)
		send(t, e, q, "a:1", "b:1", "c:1")
		_, receipts := receive(t, q, engine.ReceiveRequest{Visibility: time.Minute})
		remove(t, q, receipts[1])
		stop()

		e, stop = open()
		defer stop()
		q = e.Queue([]byte("jobs.fifo"))
		remove(t, q, receipts[1])
		time.Sleep(time.Hour)
		if got := q.Counts(); got != (engine.QueueCounts{Visible: 2}) {
			t.Fatalf("counts: %+v", got)
		}
		got, _ := receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got, "a:1/2", "c:1/2")
	})
}

// What was delayed in a FIFO topic is as much a duplicate as what was not, be it that the engine was started anew meanwhile.
func TestDuplicatesOfDelayed(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			runtime.GC() // pooled messages carry channels of another bubble
			synctest.Test(t, func(t *testing.T) {
				s := store()
				e, stop := begin(t, s, newTaker(nil))
				topic, _, err := e.CreateTopicWith(engine.TopicConfig{Name: "orders.fifo", FIFO: &engine.FIFO{}})
				if err != nil {
					t.Fatal(err)
				}
				for _, id := range []string{"1", "2", "1", "2", "3"} {
					m := engine.NewMessage()
					m.Set(engine.FieldBody, []byte("body "+id))
					m.Set(engine.FieldGroup, []byte("a"))
					m.Set(engine.FieldDeduplicationID, []byte(id))
					m.SetDeliverAt(m.PublishedAt() + 60_000)
					if err := e.Publish(topic, m); err != nil {
						t.Fatal(err)
					}
					m.Release()
				}
				stop()
				taker := newTaker(nil)
				_, stop = begin(t, s, taker)
				time.Sleep(2 * time.Minute)
				stop()
				if diff := cmp.Diff([]string{"body 1", "body 2", "body 3"}, taker.order); diff != "" {
					t.Errorf("dispatched (-want +got):\n%s", diff)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			runtime.GC()
			runtime.GC()
		})
	}
}

// A message that could not be published can be published again, and what became of it before is forgotten.
func TestPublishAgain(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		defer stop()
		gone, q := queue(t, e, engine.NewQueueConfig("gone")), queue(t, e, engine.NewQueueConfig("jobs"))
		if err := e.DeleteQueue("gone"); err != nil {
			t.Fatal(err)
		}
		m := engine.NewMessage()
		defer m.Release()
		m.Set(engine.FieldBody, []byte("x"))
		if err := e.Publish(gone.Topic(), m); !errors.Is(err, engine.ErrTopicNotFound) {
			t.Fatal(err)
		}
		if err := e.Publish(q.Topic(), m); err != nil {
			t.Fatalf("published again: %v", err)
		}
	})
}

// watched is a store that looks behind every batch whether a standard queue's progress is true of it.
type watched struct {
	engine.Store
	queue atomic.Uint64 // the id of its topic

	mu     sync.Mutex
	faults []string // guarded by mu
}

type watchedBatch struct {
	engine.Batch
	s *watched
}

func (s *watched) NewBatch() engine.Batch { return watchedBatch{s.Store.NewBatch(), s} }

func (b watchedBatch) Apply(durable bool) error {
	err := b.Batch.Apply(durable)
	if err == nil {
		b.s.look()
	}
	return err
}

// look finds messages before next that were neither received nor are gone.
func (s *watched) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := engine.TopicID(s.queue.Load())
	stored, err := s.ReadProgress(engine.SubscriptionID(id))
	p, ok := engine.ParseQueueProgress(stored)
	if err != nil || !ok {
		s.faults = append(s.faults, fmt.Sprint(err))
		return
	}
	received := map[engine.Sequence]bool{}
	err = s.ReadStates(id, engine.StateReceived, 0, func(seq engine.Sequence, _ []byte) bool {
		received[seq] = true
		return true
	})
	lost := 0
	err = errors.Join(err, s.ReadTopic(id, 0, p.Next-1, func(seq engine.Sequence, _ []byte) bool {
		if !received[seq] {
			lost++
		}
		return true
	}))
	if err != nil || lost > 0 {
		s.faults = append(s.faults, fmt.Sprintf("%d messages before %d are not known to be received: %v", lost, p.Next, err))
	}
}

// A power cut in the middle of a sweep leaves no message behind that nobody would ever look for.
func TestQueueSweepBatchByBatch(t *testing.T) {
	runtime.GC()
	runtime.GC() // pooled messages carry channels of another bubble
	synctest.Test(t, func(t *testing.T) {
		s := &watched{Store: memstore.New(memstore.Options{})}
		e, stop := begin(t, s, newTaker(nil))
		config := engine.NewQueueConfig("jobs")
		config.Retention = time.Minute
		q := queue(t, e, config)
		s.queue.Store(uint64(q.Topic().ID))
		for range 100 {
			for i := range 250 {
				send(t, e, q, fmt.Sprint(i))
			}
			time.Sleep(3 * time.Minute)
			if got := q.Counts(); got != (engine.QueueCounts{}) {
				t.Errorf("counts: %+v", got)
			}
		}
		stop()
		if len(s.faults) > 0 {
			t.Errorf("%d faults, the first: %s", len(s.faults), s.faults[0])
		}
	})
	runtime.GC()
	runtime.GC()
}

// A message that goes round between two queues, each of which has the other for its dead letters, does not grow.
func TestQueueRedriveInCircles(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		defer stop()
		var queues [2]*engine.Queue
		for i, name := range []string{"left", "right"} {
			config := engine.NewQueueConfig(name)
			config.DeadLetters = engine.QueueRedrive{Queue: []string{"right", "left"}[i], Receives: 1}
			queues[i] = queue(t, e, config)
		}
		send(t, e, queues[0], "a")
		size := 0
		for i := range 12 {
			q, other := queues[i%2], queues[(i+1)%2]
			got, err := q.Receive(engine.ReceiveRequest{Max: 1, Wait: 20 * time.Second}, nil)
			if err != nil || len(got) != 1 {
				t.Fatalf("round %d: %d messages, %v", i, len(got), err)
			}
			m := got[0].Message
			if i == 2 {
				size = m.Size()
			}
			if i > 0 && string(m.Get(engine.FieldSource)) != other.Name() || i > 1 && i%2 == 0 && m.Size() != size {
				t.Fatalf("round %d: from %q, %d bytes; it had %d", i, m.Get(engine.FieldSource), m.Size(), size)
			}
			m.Release()
			none, err := q.Receive(engine.ReceiveRequest{Max: 1}, nil) // moves it
			if err != nil || len(none) != 0 {
				t.Fatalf("round %d: %d messages, %v", i, len(none), err)
			}
		}
	})
}

// Nothing keeps a deleted queue in memory, nor an engine that was closed: not even a message that is hidden for hours.
func TestQueueIsLetGo(t *testing.T) {
	for _, name := range []string{"deleted", "closed"} {
		t.Run(name, func(t *testing.T) {
			e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1})
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Attach(newTaker(nil)); err != nil {
				t.Fatal(err)
			}
			e.Start()
			q := queue(t, e, engine.NewQueueConfig("jobs"))
			send(t, e, q, "a")
			receive(t, q, engine.ReceiveRequest{Visibility: time.Hour})
			receive(t, q, engine.ReceiveRequest{Visibility: time.Hour, Wait: time.Millisecond}) // sets the alarm
			held := weak.Make(q)
			if name == "deleted" {
				if err := e.DeleteQueue("jobs"); err != nil {
					t.Fatal(err)
				}
				defer e.Close()
			} else {
				e.Close()
				e = nil
			}
			deadline := time.Now().Add(10 * time.Second)
			for tick := time.NewTicker(10 * time.Millisecond); held.Value() != nil; <-tick.C {
				if runtime.GC(); time.Now().After(deadline) {
					t.Fatal("it is still in memory")
				}
			}
			runtime.KeepAlive(e)
		})
	}
}

// What is moved to a FIFO queue keeps its order, also when there is no room in the shard for all of it at once.
func TestFIFOQueueRedriveKeepsOrder(t *testing.T) {
	e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1, RingSlots: 16})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(newTaker(nil)); err != nil {
		t.Fatal(err)
	}
	e.Start()
	ctx, cancel := context.WithCancel(t.Context())
	var timer sync.WaitGroup
	timer.Go(func() { e.Run(ctx) })
	defer func() {
		cancel()
		timer.Wait()
		e.Close()
	}()
	config := engine.NewQueueConfig("dead.fifo")
	config.FIFO = &engine.FIFO{}
	dead := queue(t, e, config)
	config.Name, config.DeadLetters = "jobs.fifo", engine.QueueRedrive{Queue: "dead.fifo", Receives: 1}
	q := queue(t, e, config)
	const messages = 200
	for i := range messages {
		send(t, e, q, fmt.Sprintf("a:%d", i))
	}
	for range messages + 1 { // each is received once, and then it is moved
		receive(t, q, engine.ReceiveRequest{Max: 1, Visibility: 0})
	}
	var got []string
	deadline := time.Now().Add(30 * time.Second)
	for len(got) < messages && time.Now().Before(deadline) {
		bodies, receipts := receive(t, dead, engine.ReceiveRequest{Wait: time.Second, Visibility: time.Minute})
		remove(t, dead, receipts...)
		got = append(got, bodies...)
	}
	for i, body := range got {
		if want := fmt.Sprintf("a:%d/1", i); body != want {
			t.Fatalf("message %d of %d is %q", i, len(got), body)
		}
	}
	if len(got) != messages {
		t.Fatalf("%d messages came", len(got))
	}
}
