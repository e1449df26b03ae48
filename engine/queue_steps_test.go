package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanfare/engine"
)

// The steps of a queueModel: each does something at random to the queue, and compares the answer with what the model says.

func (m *queueModel) send() {
	m.sent++
	x := &modelMessage{body: fmt.Sprintf("m%d", m.sent), sentAt: nowMillis()}
	r := engine.NewMessage()
	defer r.Release()
	r.Set(engine.FieldBody, []byte(x.body))
	key := x.body
	if m.fifo {
		x.group = fmt.Sprintf("g%d", m.rng.IntN(3))
		if m.rng.IntN(2) == 0 {
			key = fmt.Sprintf("k%d", m.rng.IntN(4))
		}
		r.Set(engine.FieldGroup, []byte(x.group))
		r.Set(engine.FieldDeduplicationID, []byte(key))
	}
	delay := m.config.Delay
	if !m.fifo && m.rng.IntN(5) == 0 {
		delay = time.Duration(m.rng.IntN(60)) * time.Second
		r.SetDeliverAt(x.sentAt + delay.Milliseconds())
	}
	if err := m.engine.Publish(m.queue.Topic(), r); err != nil {
		m.fatal("sending: %v", err)
	}
	m.note("send %s to group %q with key %s, delay %v: sequence %d, duplicate %v", x.body, x.group, key, delay, r.Sequence(), r.Duplicate())
	if m.duplicate(key, r) {
		return
	}
	x.sequence = r.Sequence()
	if (x.sequence == 0) != (!m.fifo && delay > 0) {
		m.fatal("the sequence of %s is %d", x.body, x.sequence)
	}
	if delay > 0 {
		x.until = x.sentAt + delay.Milliseconds()
	}
	m.messages = append(m.messages, x)
}

func (m *queueModel) receive() {
	n := 1 + m.rng.IntN(10)
	hidden := []time.Duration{0, time.Second, 20 * time.Second, 5 * time.Minute}[m.rng.IntN(4)]
	got, err := m.queue.Receive(engine.ReceiveRequest{Max: n, Visibility: hidden}, nil)
	if err != nil {
		m.fatal("receiving: %v", err)
	}
	now := nowMillis()
	want := m.expect(n)
	var bodies, wanted []string
	for i, x := range want {
		x.receives++
		x.known, x.inFlight, x.until = true, true, now+hidden.Milliseconds()
		if x.firstTime == 0 {
			x.firstTime = now
		}
		wanted = append(wanted, fmt.Sprintf("%s/%d/%d", x.body, x.receives, x.firstTime))
		if i < len(got) {
			m.receipts = append(m.receipts, modelReceipt{message: x, receipt: got[i].Receipt, count: x.receives})
		}
	}
	for _, g := range got {
		bodies = append(bodies, fmt.Sprintf("%s/%d/%d", g.Message.Body(), g.Receives, g.FirstAt))
		g.Message.Release()
	}
	m.note("receive %d for %v: %v", n, hidden, bodies)
	if !slices.Equal(bodies, wanted) {
		m.fatal("received %v, want %v", bodies, wanted)
	}
	m.receipts = m.receipts[max(0, len(m.receipts)-40):]
}

func (m *queueModel) some() []modelReceipt {
	var some []modelReceipt
	for _, i := range m.rng.Perm(len(m.receipts))[:min(len(m.receipts), 1+m.rng.IntN(4))] {
		some = append(some, m.receipts[i])
	}
	return some
}

func (m *queueModel) remove() {
	for _, r := range append(m.some(), modelReceipt{}) {
		var want error
		switch x := r.message; {
		case x == nil: // one of another queue
			r.receipt = engine.Receipt{Topic: m.queue.Topic().ID + 99, Sequence: 1}
			want = engine.ErrReceiptInvalid
		case !m.there(x):
		case m.fifo && (r.count < x.receives || x.until <= nowMillis()):
			want = engine.ErrReceiptExpired
		default:
			m.forget(x)
		}
		errs := make([]error, 1)
		m.queue.Delete([]engine.Receipt{r.receipt}, errs)
		m.note("delete by receipt %d of sequence %d: %v", r.count, r.receipt.Sequence, errs[0])
		if !errors.Is(errs[0], want) {
			m.fatal("deleting: %v, want %v", errs[0], want)
		}
	}
}

func (m *queueModel) change() {
	for _, r := range m.some() {
		hidden := time.Duration(m.rng.IntN(3)*20) * time.Second
		x, now := r.message, nowMillis()
		var want error
		switch {
		case !m.there(x) || m.fifo && x.until <= now:
			want = engine.ErrNotInFlight
		case m.fifo && r.count != x.receives:
			want = engine.ErrReceiptExpired
		default: // of a standard queue whichever, and whenever
			x.until, x.inFlight = now+hidden.Milliseconds(), true
		}
		errs := make([]error, 1)
		m.queue.ChangeVisibility([]engine.Receipt{r.receipt}, []time.Duration{hidden}, errs)
		m.note("hide %s by receipt %d for %v: %v", x.body, r.count, hidden, errs[0])
		if !errors.Is(errs[0], want) {
			m.fatal("changing a visibility: %v, want %v", errs[0], want)
		}
	}
}

func (m *queueModel) sleep() {
	d := []time.Duration{time.Second, 10 * time.Second, time.Minute, 4 * time.Minute, 20 * time.Minute}[m.rng.IntN(5)]
	m.note("sleep %v", d)
	time.Sleep(d)
}

func (m *queueModel) purge() {
	m.note("purge")
	if err := m.engine.PurgeQueue(m.queue); err != nil {
		m.fatal("purging: %v", err)
	}
	clear(m.keys)
	m.messages = slices.DeleteFunc(m.messages, func(x *modelMessage) bool { return !x.dead })
}

func (m *queueModel) configure() {
	err := m.engine.UpdateQueue(m.queue, func(c *engine.QueueConfig) {
		c.Delay = time.Duration(m.rng.IntN(3)) * 7 * time.Second
		c.Retention = []time.Duration{10 * time.Minute, time.Hour, 24 * time.Hour}[m.rng.IntN(3)]
		c.DeadLetters = engine.QueueRedrive{}
		if n := m.rng.IntN(4); n > 0 {
			c.DeadLetters = engine.QueueRedrive{Queue: "dead", Receives: n}
		}
		m.config = *c
	})
	m.note("configure delay %v, retention %v, receives %d", m.config.Delay, m.config.Retention, m.config.DeadLetters.Receives)
	if err != nil {
		m.fatal("configuring: %v", err)
	}
}

func (m *queueModel) restart() {
	m.note("restart")
	m.stop()
	m.restarted = true
	m.boot()
}

// drainDead empties the dead-letter queue.
func (m *queueModel) drainDead() {
	var want, got []string
	for _, x := range m.messages {
		if x.dead {
			want = append(want, x.body)
		}
	}
	m.messages = slices.DeleteFunc(m.messages, func(x *modelMessage) bool { return x.dead })
	for {
		bodies, receipts := receive(m.t, m.dead, engine.ReceiveRequest{Visibility: time.Hour})
		if len(bodies) == 0 {
			break
		}
		for _, b := range bodies {
			body, _, _ := strings.Cut(b, "/")
			got = append(got, body)
		}
		remove(m.t, m.dead, receipts...)
	}
	m.note("drain the dead letters: %v", got)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		m.fatal("dead letters %v, want %v", got, want)
	}
}
