package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/transfer"

	"github.com/google/go-cmp/cmp"
)

// nobody is an egress without subscribers.
type nobody struct{}

func (nobody) Check(*engine.SubscriptionConfig) error                            { return nil }
func (nobody) Open(*engine.Subscription, engine.Progress) engine.Receiver        { return nil }
func (nobody) Update(*engine.Subscription)                                       {}
func (nobody) Close(*engine.Subscription)                                        {}
func (nobody) Dispatch(*engine.Message)                                          {}
func (nobody) Due(*engine.Subscription, *engine.Message, engine.Parked) (b bool) { return }

// begin runs an engine on a store until the function it returns is called.
func begin(t *testing.T, s engine.Store) (*engine.Engine, func()) {
	t.Helper()
	e, err := engine.New(engine.Options{Store: s, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(nobody{}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { e.Run(ctx) })
	return e, func() {
		cancel()
		run.Wait()
		e.Close()
	}
}

// publish publishes GROUP:BODY and reports whether it was a duplicate.
func publish(t *testing.T, e *engine.Engine, topic *engine.Topic, text string, due time.Time) bool {
	t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	group, _, _ := strings.Cut(text, ":")
	m.Set(engine.FieldBody, []byte(text))
	m.Set(engine.FieldGroup, []byte(group))
	if !due.IsZero() {
		m.SetDeliverAt(due.UnixMilli())
	}
	if err := e.Publish(topic, m); err != nil {
		t.Fatal(err)
	}
	return m.Duplicate()
}

func receive(t *testing.T, q *engine.Queue, most int, wait time.Duration) (texts []string, receipts []engine.Receipt) {
	t.Helper()
	got, err := q.Receive(engine.ReceiveRequest{Max: most, Visibility: engine.VisibilityMax, Wait: wait}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		texts = append(texts, fmt.Sprintf("%s %d", r.Message.Body(), r.Receives))
		receipts = append(receipts, r.Receipt)
		r.Message.Release()
	}
	return texts, receipts
}

// settle deletes, or gives back, what receipts name.
func settle(t *testing.T, q *engine.Queue, gone, back []engine.Receipt) {
	t.Helper()
	errs := make([]error, len(gone)+len(back))
	q.Delete(gone, errs)
	q.ChangeVisibility(back, make([]time.Duration, len(back)), errs[len(gone):])
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// What queues and FIFO topics held is received from the new store as it would have been from the old one.
func TestQueuesGoOnWhereTheyWere(t *testing.T) {
	for _, to := range stores {
		t.Run(to.name, func(t *testing.T) {
			old := memstore.New(memstore.Options{})
			e, stop := begin(t, old)
			for _, name := range []string{"standard", "fifo", "emptied"} {
				config := engine.NewQueueConfig(name)
				config.Delay = 0
				if name == "fifo" {
					config.FIFO = &engine.FIFO{ByContent: true}
				}
				q, _, err := e.CreateQueue(config)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 6 {
					publish(t, e, q.Topic(), fmt.Sprintf("g%d:%d", i%2, i), time.Time{})
				}
				if name == "emptied" {
					_, receipts := receive(t, q, 10, 0)
					settle(t, q, receipts, nil)
					continue
				}
				// In the FIFO queue the first to come are those of a group: 0, 2, 4.
				_, receipts := receive(t, q, 3, 0)
				settle(t, q, receipts[:1], receipts[2:]) // the second stays in flight
			}
			publish(t, e, e.Queue([]byte("standard")).Topic(), "g:late", time.Now().Add(300*time.Millisecond))
			topic, _, err := e.CreateTopicWith(engine.TopicConfig{Name: "ordered", FIFO: &engine.FIFO{ByContent: true}})
			if err != nil {
				t.Fatal(err)
			}
			publish(t, e, topic, "g:once", time.Time{})
			stop()

			s := to.open(t)
			if _, err := transfer.Import(s, bytes.NewReader(exported(t, old)), nil); err != nil {
				t.Fatal(err)
			}
			e, stop = begin(t, s)
			defer func() {
				stop()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			q := e.Queue([]byte("standard"))
			if diff := cmp.Diff(engine.QueueCounts{Visible: 4, InFlight: 1}, q.Counts()); diff != "" {
				t.Errorf("counts of the standard queue (-want +got):\n%s", diff)
			}
			var texts []string
			for len(texts) < 5 {
				more, _ := receive(t, q, 10, 10*time.Second)
				if len(more) == 0 {
					break
				}
				texts = append(texts, more...)
			}
			if diff := cmp.Diff([]string{"g0:2 2", "g1:3 1", "g0:4 1", "g1:5 1", "g:late 1"}, texts); diff != "" {
				t.Errorf("from the standard queue (-want +got):\n%s", diff)
			}
			q = e.Queue([]byte("fifo"))
			texts, _ = receive(t, q, 10, 0)
			if diff := cmp.Diff([]string{"g1:1 1", "g1:3 1", "g1:5 1"}, texts); diff != "" {
				t.Errorf("from the FIFO queue, while a message of its other group is in flight (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(engine.QueueCounts{Visible: 1, InFlight: 4}, q.Counts()); diff != "" {
				t.Errorf("counts of the FIFO queue (-want +got):\n%s", diff)
			}
			if !publish(t, e, q.Topic(), "g0:0", time.Time{}) || !publish(t, e, e.Topic([]byte("ordered")), "g:once", time.Time{}) {
				t.Error("a duplicate was taken behind the import")
			}
			if q = e.Queue([]byte("emptied")); q.Counts() != (engine.QueueCounts{}) {
				t.Errorf("counts of the emptied queue: %+v, want none", q.Counts())
			}
			publish(t, e, q.Topic(), "g:new", time.Time{})
			_, receipts := receive(t, q, 10, 0)
			if len(receipts) != 1 || receipts[0].Sequence != 7 {
				t.Errorf("the receipts of a new message are %v, want one of sequence 7: a receipt from before must not name it", receipts)
			}
		})
	}
}

// A queue whose progress is damaged, or says less than the store does, is exported with one that fits.
func TestDamagedProgressOfAQueue(t *testing.T) {
	for name, progress := range map[string][]byte{
		"none":    nil,
		"damaged": []byte("damaged"),
		"short":   (&engine.QueueProgress{Next: 1, High: 2}).AppendBytes(nil),
		"too far": (&engine.QueueProgress{Next: 99, Gone: 99, High: 2}).AppendBytes(nil),
	} {
		s := memstore.New(memstore.Options{})
		b := s.NewBatch()
		b.PutCatalog("q/1", []byte("{}"))
		for seq := engine.Sequence(1); seq <= 5; seq++ {
			b.AppendMessage(1, seq, []byte("x"))
		}
		b.DeleteMessage(1, 5)
		if progress != nil {
			b.SaveProgress(1, progress)
		}
		if err := b.Apply(false); err != nil {
			t.Fatal(err)
		}
		to := memstore.New(memstore.Options{})
		if _, err := transfer.Import(to, bytes.NewReader(exported(t, s)), nil); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		stored, err := to.ReadProgress(1)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := engine.ParseQueueProgress(stored)
		want := map[string]engine.QueueProgress{
			"none": {Next: 1, High: 5}, "damaged": {Next: 1, Gone: 1, High: 5}, "short": {Next: 1, High: 5}, "too far": {Next: 6, Gone: 5, High: 5},
		}[name]
		if !ok || p != want {
			t.Errorf("%s: the progress is %+v, want %+v", name, p, want)
		}
	}
}

// What version 1 wrote, which had neither queues nor states, is imported.
func TestVersion1IsImported(t *testing.T) {
	a := memstore.New(memstore.Options{})
	b := a.NewBatch()
	b.PutCatalog("id", []byte("2"))
	b.PutCatalog("s/2", []byte("{}"))
	b.PutCatalog("t/1", []byte("{}"))
	for seq := engine.Sequence(1); seq <= 4; seq++ {
		b.AppendMessage(1, seq, fmt.Append(nil, "message ", seq))
	}
	b.SaveProgress(2, []byte("progress"))
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	s := memstore.New(memstore.Options{})
	if _, err := transfer.Import(s, bytes.NewReader(seal(1, unseal(exported(t, a)))), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dump(t, a), dump(t, s)); diff != "" {
		t.Errorf("imported (-want +got):\n%s", diff)
	}
	for _, stream := range [][]byte{seal(1, unseal(sample(t))), seal(3, unseal(exported(t, a)))} {
		if _, err := transfer.Import(memstore.New(memstore.Options{}), bytes.NewReader(stream), nil); !errors.Is(err, transfer.ErrFormat) {
			t.Errorf("the error is %v, want ErrFormat", err)
		}
	}
}
