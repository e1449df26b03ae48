package engine_test

import (
	"testing"
	"time"

	"fanfare/engine"
)

// A message that is behind one that is old and deleted already is not ended with it.
func TestSweepLeavesWhatIsBehindADeletedMessage(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		defer stop()
		config := engine.NewQueueConfig("q")
		config.Retention = engine.QueueRetentionMin
		q := queue(t, e, config)
		send(t, e, q, "old")
		remove(t, q, engine.Receipt{Topic: q.Topic().ID, Sequence: 1, Receives: 1}) // of before a crash
		time.Sleep(45 * time.Second)
		send(t, e, q, "new")
		time.Sleep(20 * time.Second)
		got, _ := receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got, "new/1")
	})
}
