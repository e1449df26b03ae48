package engine_test

import (
	"errors"
	"testing"
	"time"

	"fanfare/engine"
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
