package engine

import "github.com/cespare/xxhash/v2"

// A queue keeps some of its messages in memory.
const (
	queueFreshMax      = 256     // new messages of a standard queue; as many are looked at together in a FIFO queue
	queueFreshBytesMax = 1 << 20 // of them
	queueLookMax       = 20_000  // messages of a FIFO queue that are known at a time: what is behind them waits for one to go
)

// offer tells the queue of a new durable message. The dispatcher of its shard calls it in the order of the sequences.
func (q *Queue) offer(m *Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.topic.deleted.Load() {
		q.ledger.note(queueNote{kind: noteEnded, queue: q}) // it was committed at the moment of the deletion
		return
	}
	q.high = m.Sequence()
	if q.aheadLocked() == q.high {
		q.takeInLocked(m)
	}
	q.waiters.wakeLocked()
}

// aheadLocked is the sequence behind what memory has of the new messages.
func (q *Queue) aheadLocked() Sequence {
	if n := len(q.fresh); n > 0 {
		return q.fresh[n-1].Sequence() + 1
	}
	return q.next
}

// takeInLocked takes a new message into memory, and reports whether it did, or had it.
func (q *Queue) takeInLocked(m *Message) bool {
	switch {
	case q.topic.deleted.Load():
		return false
	case m.Sequence() < q.aheadLocked():
		return true
	case q.fifo():
		return q.lookLocked(m)
	case len(q.fresh)-q.freshAt >= queueFreshMax || !q.holdLocked(m, len(q.fresh) == 0):
		return false
	}
	m.Retain()
	q.fresh = append(q.fresh, m)
	return true
}

// lookLocked takes in the next message of a FIFO queue.
func (q *Queue) lookLocked(m *Message) bool {
	if q.table.Len() >= queueLookMax {
		return false
	}
	seq := m.Sequence()
	q.next = seq + 1
	if q.skipsLocked(seq) {
		return true
	}
	e := q.table.AddTo(xxhash.Sum64(m.Get(FieldGroup)), uint64(seq))
	e.SentAt = m.PublishedAt()
	if state, ok := q.stored[seq]; ok {
		delete(q.stored, seq)
		q.restoreLocked(e, state)
	} else if m.DeliverAt() > nowMillis() {
		q.table.Hide(e, m.DeliverAt(), false)
	}
	if q.holdLocked(m, false) {
		m.Retain()
		e.Held = m
	}
	return true
}

// skipsLocked reports whether a new message is not one: it was deleted by a receipt of before a crash, or it is known
// already, which only happens when the progress was damaged.
func (q *Queue) skipsLocked(seq Sequence) bool {
	if _, gone := q.skip[seq]; gone {
		delete(q.skip, seq)
		return true
	}
	return q.table.Get(uint64(seq)) != nil
}

// holdLocked counts a message as kept in memory, if there is room or it must be.
func (q *Queue) holdLocked(m *Message, must bool) bool {
	size := int64(m.Size())
	if !must && q.heldBytes+size > queueFreshBytesMax {
		return false
	}
	if held := q.engine.queueHeld.Add(size); !must && held > int64(q.engine.opts.QueueMemoryMax) {
		q.engine.queueHeld.Add(-size)
		return false
	}
	q.heldBytes += size
	return true
}

func (q *Queue) unholdLocked(m *Message) {
	q.heldBytes -= int64(m.Size())
	q.engine.queueHeld.Add(int64(-m.Size()))
}

// lagsLocked reports whether there are new messages in the store that memory does not have, and has room for.
func (q *Queue) lagsLocked() bool {
	if q.next > q.high {
		return false
	}
	if q.fifo() {
		return q.table.Len() < queueLookMax
	}
	return len(q.fresh) == 0
}

// fill reads new messages from the store into memory.
func (q *Queue) fill() error {
	q.reading.Lock()
	defer q.reading.Unlock()
	q.mu.Lock()
	first, last, lags := q.next, q.high, q.lagsLocked()
	q.mu.Unlock()
	if !lags {
		return nil // somebody else has read
	}
	n, whole := 0, true
	err := q.engine.ReadTopic(q.topic, first, last, func(_ Sequence, m *Message) bool {
		if m == nil {
			return true // damaged, and reported
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		n++
		whole = n <= queueFreshMax && q.takeInLocked(m)
		return whole
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.engine.opts.Log.Error().Err(err).Str("queue", q.Name()).Msg("reading the messages of a queue failed")
		return ErrUnavailable
	}
	if whole && len(q.fresh) == 0 {
		q.next = max(q.next, last+1) // what lies between is gone
	}
	return nil
}

// read reads one message, nil when it is gone.
func (q *Queue) read(seq Sequence) (*Message, error) {
	var found *Message
	damaged := false
	err := q.engine.ReadTopic(q.topic, seq, seq, func(_ Sequence, m *Message) bool {
		if damaged = m == nil; !damaged {
			m.Retain()
			found = m
		}
		return false
	})
	if err != nil {
		q.engine.opts.Log.Error().Err(err).Str("queue", q.Name()).Msg("reading a message of a queue failed")
		return nil, ErrUnavailable
	}
	if found == nil {
		q.lose(seq)
	}
	return found, nil
}

// stores reports whether the store has a message: one that was deleted before a restart is not to be counted once more.
func (q *Queue) stores(seq Sequence) (found bool) {
	err := q.engine.opts.Store.ReadTopic(q.topic.ID, seq, seq, func(Sequence, []byte) bool {
		found = true
		return false
	})
	return found || err != nil
}

// lose takes out a message that cannot be read; the store keeps what it has of it.
func (q *Queue) lose(seq Sequence) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e := q.table.Get(uint64(seq)); e != nil {
		q.removeLocked(e)
	}
}

// load reads how far the queue has come.
func (q *Queue) load() error {
	store, t := q.engine.opts.Store, q.topic
	t.durable.Store(true)
	stored, err := store.ReadProgress(SubscriptionID(t.ID))
	if err != nil {
		return err
	}
	p, ok := ParseQueueProgress(stored)
	if !ok {
		q.engine.opts.Log.Error().Str("queue", q.Name()).Msg("how far the queue has come is damaged; how many messages it has is not known, and what was received is received again")
	}
	high, err := store.HighWater(t.ID)
	if err != nil {
		return err
	}
	high = max(high, p.High)
	t.next, t.found, q.high = high, high, high
	t.high.Store(uint64(high))
	q.next, q.floor, q.gone = p.Next, p.Next, min(p.Gone, uint64(high))
	err = store.ReadStates(t.ID, StateReceived, 0, func(seq Sequence, value []byte) bool {
		state, ok := parseReceived(value)
		if !ok {
			q.engine.opts.Log.Error().Str("queue", q.Name()).Uint64("sequence", uint64(seq)).Msg("what is known of a received message is damaged; it is visible")
			state.sentAt = nowMillis() // its retention begins anew
		}
		if q.fifo() {
			q.stored[seq] = state
		} else {
			q.restoreLocked(q.table.Add(uint64(seq)), state)
		}
		return true
	})
	if err != nil {
		return err
	}
	return q.engine.loadDuplicates(t)
}
