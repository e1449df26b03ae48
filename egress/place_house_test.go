package egress_test

import (
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/sns"
	"fanfare/egress/sqs"
	"fanfare/engine"
)

func queueKind() *sqs.Kind { return sqs.New(sqs.Options{Documents: sns.New(sns.Options{})}) }

// placing are options of an egress that delivers into queues.
func placing() egress.Options {
	k := queueKind()
	return egress.Options{Kinds: []egress.Kind{plain{}, k}, Queue: k}
}

func (h *house) queue(config engine.QueueConfig) *engine.Queue {
	h.t.Helper()
	config.Visibility = time.Hour
	q, _, err := h.Engine.CreateQueue(config)
	if err != nil {
		h.t.Fatal(err)
	}
	return q
}

// into makes a subscription that delivers into a queue.
func (h *house) into(t *engine.Topic, c engine.SubscriptionConfig) *engine.Subscription {
	h.t.Helper()
	c.Kind = "sqs"
	s, _, err := h.Engine.PutSubscription(t, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// got is a message that was received.
type got struct {
	Body, Group, Deduplication string
	Attributes                 int
	Origin                     engine.Origin
}

// drainQueue receives n messages, and deletes them.
func drainQueue(t testing.TB, q *engine.Queue, n int) (all []got) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for len(all) < n {
		received, err := q.Receive(engine.ReceiveRequest{Max: 10, Visibility: -1, Wait: 20 * time.Second}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has %d of %d messages", q.Name(), len(all), n)
		}
		receipts := make([]engine.Receipt, 0, len(received))
		for _, r := range received {
			m := r.Message
			g := got{Body: string(m.Body()), Group: string(m.Get(engine.FieldGroup)), Deduplication: string(m.Get(engine.FieldDeduplicationID)), Origin: m.Origin()}
			for it := m.Attributes(); it.Next(); {
				g.Attributes++
			}
			all, receipts = append(all, g), append(receipts, r.Receipt)
			m.Release()
		}
		errs := make([]error, len(receipts))
		q.Delete(receipts, errs)
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// wantEmpty checks that a queue has nothing.
func wantEmpty(t testing.TB, q *engine.Queue) {
	t.Helper()
	if c := q.Counts(); c != (engine.QueueCounts{}) {
		t.Errorf("%s has %+v", q.Name(), c)
	}
}

// tight is a store that can be full.
type tight struct {
	engine.Store
	full atomic.Bool
}

func (s *tight) Full() error {
	if s.full.Load() {
		return engine.ErrUnavailable
	}
	return nil
}
