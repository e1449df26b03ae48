package sns

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/ingress/facetest"
)

// barrier holds every group until it is opened, from the moment it is shut.
type barrier struct {
	shut   atomic.Bool
	opened chan struct{}
}

type gatedStore struct {
	engine.Store
	gate *barrier
}

type gatedBatch struct {
	engine.Batch
	gate *barrier
}

func (s gatedStore) NewBatch() engine.Batch { return gatedBatch{s.Store.NewBatch(), s.gate} }

func (b gatedBatch) Apply(wait bool) error {
	if b.gate.shut.Load() {
		<-b.gate.opened
	}
	return b.Batch.Apply(wait)
}

// While a group is on its way to the store a whole PublishBatch comes behind it, none of its messages waits for
// another, and all become one group.
func TestBatchIsOneGroup(t *testing.T) {
	gate := &barrier{opened: make(chan struct{})}
	open := sync.OnceFunc(func() { close(gate.opened) })
	e := facetest.NewEngine(t, gatedStore{memstore.New(memstore.Options{}), gate}, facetest.Quiet())
	face := setup(t, e)
	t.Cleanup(open) // before the engine is closed
	gate.shut.Store(true)
	before := e.Stats()

	first := make(chan error, 1)
	go func() {
		m := engine.NewMessage()
		defer m.Release()
		m.Set(engine.FieldBody, []byte("first"))
		first <- e.Publish(e.Topic([]byte("orders")), m)
	}()
	waiting := func(bytes int64) {
		t.Helper()
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for deadline := time.Now().Add(10 * time.Second); e.Stats().Waiting < bytes; <-ticker.C {
			if time.Now().After(deadline) {
				t.Fatalf("%d bytes wait, want %d: the messages of a batch wait for each other", e.Stats().Waiting, bytes)
			}
		}
	}
	waiting(1)

	const messages, size = 10, 1000
	var entries [][]string
	for i := range messages {
		entries = append(entries, []string{"Id", fmt.Sprint("id", i), "Message", strings.Repeat("m", size)})
	}
	reply := make(chan []byte, 1)
	go func() { reply <- facetest.Do(t, face, []byte(post(form(batchOf(entries...)...), ""))) }()
	waiting(messages * size)
	open()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if got := <-reply; strings.Count(string(got), "<MessageId>") != messages {
		t.Fatalf("%s", got)
	}
	after := e.Stats()
	if n := after.Messages - before.Messages; n != 1+messages {
		t.Errorf("%d messages, want %d", n, 1+messages)
	}
	if n := after.Groups - before.Groups; n != 2 {
		t.Errorf("%d groups, want one for the first message and one for the batch", n)
	}
}
