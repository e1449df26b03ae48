package egress_test

import (
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// interposed is a store that calls before once, ahead of the first batch that holds a write of the kind it waits for.
type interposed struct {
	engine.Store
	kind   string
	before atomic.Pointer[func()]
}

type interposedBatch struct {
	engine.Batch
	store *interposed
	armed bool
}

func (s *interposed) NewBatch() engine.Batch {
	return &interposedBatch{Batch: s.Store.NewBatch(), store: s}
}

func (b *interposedBatch) AppendMessage(t engine.TopicID, s engine.Sequence, record []byte) {
	b.armed = b.armed || b.store.kind == "message"
	b.Batch.AppendMessage(t, s, record)
}

func (b *interposedBatch) SaveProgress(s engine.SubscriptionID, progress []byte) {
	b.armed = b.armed || b.store.kind == "progress"
	b.Batch.SaveProgress(s, progress)
}

func (b *interposedBatch) PutDeadLetter(s engine.SubscriptionID, q engine.Sequence, head, record []byte) {
	b.armed = b.armed || b.store.kind == "letter"
	b.Batch.PutDeadLetter(s, q, head, record)
}

func (b *interposedBatch) Apply(durable bool) error {
	if b.armed {
		if before := b.store.before.Swap(nil); before != nil {
			(*before)()
		}
	}
	return b.Batch.Apply(durable)
}

func (b *interposedBatch) Reset() {
	b.armed = false
	b.Batch.Reset()
}

// What is written at the moment of a deletion does not outlive it.
func TestNothingIsLeftOfWhatWasDeleted(t *testing.T) {
	for _, kind := range []string{"message", "progress", "letter"} {
		t.Run(kind, func(t *testing.T) {
			store := &interposed{Store: newMemory(), kind: kind}
			h := newHouse(t, store, egress.Options{ProgressInterval: time.Millisecond})
			topic := h.topic("orders")
			gone := newRecorder(t, nil)
			gone.Close()
			retry := fastRetry()
			retry.MaxAttempts = 1
			s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: gone.URL, Retry: retry})
			deleted := make(chan struct{})
			before := func() {
				if err := h.Engine.DeleteTopic("orders"); err != nil {
					t.Error(err)
				}
				close(deleted)
			}
			store.before.Store(&before)
			h.publish(topic, "x")
			<-deleted
			left := func() (messages, letters int, progress []byte) {
				_ = store.ReadTopic(topic.ID, 1, 10, func(engine.Sequence, []byte) bool { messages++; return true })
				_ = store.ReadDeadLetters(s.ID, 0, func(engine.Sequence, []byte) bool { letters++; return true })
				progress, _ = store.ReadProgress(s.ID)
				return messages, letters, progress
			}
			h.close()
			if messages, letters, progress := left(); messages+letters+len(progress) > 0 {
				t.Errorf("%d messages, %d dead letters and a progress of %d bytes are left", messages, letters, len(progress))
			}
		})
	}
}
