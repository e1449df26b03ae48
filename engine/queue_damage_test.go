package engine_test

import (
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
)

// A message whose state is damaged is visible, whatever the kind of its queue.
func TestDamagedStateMakesAMessageVisible(t *testing.T) {
	for _, fifo := range []*engine.FIFO{nil, {}} {
		s := memstore.New(memstore.Options{})
		e, stop := begin(t, s, newTaker(nil))
		config := engine.NewQueueConfig("q")
		config.FIFO = fifo
		q := queue(t, e, config)
		send(t, e, q, "a:1")
		got, _ := receive(t, q, engine.ReceiveRequest{Visibility: engine.VisibilityMax})
		wantBodies(t, got, "a:1/1")
		stop()
		b := s.NewBatch()
		b.PutState(q.Topic().ID, engine.StateReceived, 1, []byte("garbage"))
		if err := b.Apply(false); err != nil {
			t.Fatal(err)
		}
		e, stop = begin(t, s, newTaker(nil))
		got, _ = receive(t, e.Queue([]byte("q")), engine.ReceiveRequest{Visibility: engine.VisibilityMax})
		wantBodies(t, got, "a:1/1")
		stop()
	}
}
