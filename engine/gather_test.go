package engine_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
)

// heldDisk is a store whose syncs wait until the test lets them end.
type heldDisk struct {
	*memstore.Store
	held       atomic.Bool
	begun, end chan struct{}
}

func (s *heldDisk) NewBatch() engine.Batch { return &heldBatch{s.Store.NewBatch(), s} }

type heldBatch struct {
	engine.Batch
	disk *heldDisk
}

func (b *heldBatch) Wait() error {
	if b.disk.held.Load() {
		b.disk.begun <- struct{}{}
		<-b.disk.end
	}
	return b.Batch.Wait()
}

// What arrives while a group is being synced is one group, however it arrives.
func TestGroupTakesWhatArrivesDuringASync(t *testing.T) {
	disk := &heldDisk{Store: memstore.New(memstore.Options{}), begun: make(chan struct{}), end: make(chan struct{})}
	e, err := engine.New(engine.Options{Store: disk, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(newRecorder()); err != nil {
		t.Fatal(err)
	}
	e.Start()
	defer e.Close()
	topic, _, err := e.CreateTopic("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	disk.held.Store(true)
	var publishers sync.WaitGroup
	publish := func(i int) {
		publishers.Go(func() {
			m := engine.NewMessage()
			defer m.Release()
			m.Set(engine.FieldBody, fmt.Appendf(nil, "%03d", i))
			if err := e.Publish(topic, m); err != nil {
				t.Error(err)
			}
		})
	}
	waiting := func(n int64) {
		t.Helper()
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for deadline := time.Now().Add(30 * time.Second); e.Stats().Waiting < n; <-look.C {
			if time.Now().After(deadline) {
				t.Fatalf("%d bytes wait, want %d", e.Stats().Waiting, n)
			}
		}
	}
	publish(0)
	<-disk.begun
	size := e.Stats().Waiting
	for i := 1; i <= 100; i++ {
		publish(i)
		if i%10 == 0 {
			waiting(size * int64(i+1)) // so that they come in portions
		}
	}
	disk.end <- struct{}{}
	<-disk.begun
	disk.end <- struct{}{}
	publishers.Wait()
	e.Close()
	if got := e.Stats().Groups; got != 2 {
		t.Errorf("%d groups, want 2", got)
	}
}

// A batch has one publisher, for whom nobody need wait.
func TestPublisherOfABatchCountsOnce(t *testing.T) {
	e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(newRecorder()); err != nil {
		t.Fatal(err)
	}
	e.Start()
	topic, _, err := e.CreateTopic("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	batch := make([]*engine.Message, 10)
	for i := range batch {
		batch[i] = engine.NewMessage()
	}
	batch[0].Release()
	batch[0] = nil // refused by its face
	errs := make([]error, len(batch))
	e.PublishGroup(topic, batch, errs)
	for _, m := range batch[1:] {
		m.Release()
	}
	e.Close()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	// Its messages may have come in several groups, and then the last of them may have had none but followers.
	if got := e.Answered(0); got > 1 {
		t.Errorf("%d publishers were counted", got)
	}
}
