package engine

import (
	"time"

	"fanfare/engine/visibility"
)

// Delete deletes received messages; it is durable when it returns. errs[i] belongs to receipts[i]: nil also for a message
// that is gone already. A standard queue takes any receipt of the message, a FIFO queue the last one while it lasts.
func (q *Queue) Delete(receipts []Receipt, errs []error) {
	noted, waits := false, false
	err := q.reach(receipts)
	q.mu.Lock()
	if err == nil {
		err = q.errLocked()
	}
	now := nowMillis()
	q.table.Advance(now)
	for i, r := range receipts {
		if errs[i] = err; err != nil {
			continue
		}
		deleted := false
		deleted, errs[i] = q.deleteLocked(r)
		noted = noted || deleted
		waits = waits || errs[i] == nil // also for what somebody else deleted: that may not be durable yet
	}
	if noted && q.anyLocked() {
		q.waiters.wakeLocked() // the next of a group, or one that was over the limit
	}
	q.mu.Unlock()
	if !waits {
		return
	}
	err = q.ledger.flush()
	for i := range errs {
		if errs[i] == nil {
			errs[i] = err
		}
	}
}

// gaveLocked reports whether a receipt can be one of the queue's.
func (q *Queue) gaveLocked(r Receipt) bool {
	return r.Topic == q.topic.ID && r.Sequence != 0 && r.Sequence <= q.high
}

func (q *Queue) deleteLocked(r Receipt) (deleted bool, err error) {
	if !q.gaveLocked(r) {
		return false, ErrReceiptInvalid
	}
	e := q.table.Get(uint64(r.Sequence))
	switch {
	case e == nil && r.Sequence >= q.next:
		// The receipt is of before a crash, which took back that the message was received.
		if _, known := q.skip[r.Sequence]; known || !q.stores(r.Sequence) {
			return false, nil
		}
		if len(q.skip) >= QueueInFlightMax {
			return false, ErrUnavailable
		}
		q.skip[r.Sequence] = struct{}{}
		delete(q.stored, r.Sequence)
		q.gone++
	case e == nil:
		return false, nil
	case q.fifo() && (r.Receives < e.Receives || r.Receives == e.Receives && !e.InFlight()):
		return false, ErrReceiptExpired
	default:
		q.removeLocked(e)
	}
	q.noteLocked(queueNote{kind: noteDeleted, sequence: r.Sequence})
	q.engine.queueDeleted.Add(1)
	return true, nil
}

// reach looks at the messages of a FIFO queue that receipts of before a restart name, if nobody did since.
func (q *Queue) reach(receipts []Receipt) error {
	if !q.fifo() {
		return nil
	}
	for before := Sequence(0); ; {
		q.mu.Lock()
		next, missing := q.next, false
		for _, r := range receipts {
			missing = missing || q.gaveLocked(r) && r.Sequence >= next
		}
		q.mu.Unlock()
		if !missing || next == before {
			return nil
		}
		before = next
		if err := q.fill(); err != nil {
			return err
		}
	}
}

// ChangeVisibility hides messages for so long from now on; 0 gives a message back. errs[i] belongs to receipts[i]. A
// standard queue takes any receipt of the message, also of one that became visible again; a FIFO queue the last one, while
// it lasts.
func (q *Queue) ChangeVisibility(receipts []Receipt, hidden []time.Duration, errs []error) {
	err := q.reach(receipts)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		err = q.errLocked()
	}
	now := nowMillis()
	q.table.Advance(now)
	shown := false
	for i, r := range receipts {
		if errs[i] = err; err != nil {
			continue
		}
		errs[i] = q.hideAgainLocked(r, hidden[i], now)
		shown = shown || errs[i] == nil && hidden[i] == 0
	}
	if shown {
		q.table.Advance(now)
		q.waiters.wakeLocked()
	}
	q.waiters.armLocked()
}

func (q *Queue) hideAgainLocked(r Receipt, hidden time.Duration, now int64) error {
	if !q.gaveLocked(r) {
		return ErrReceiptInvalid
	}
	e := q.table.Get(uint64(r.Sequence))
	switch {
	case e == nil || q.fifo() && !e.InFlight():
		return ErrNotInFlight
	case q.fifo() && r.Receives != e.Receives:
		return ErrReceiptExpired
	}
	q.table.Hide(e, now+hidden.Milliseconds(), true)
	q.noteStateLocked(e)
	return nil
}

// PurgeQueue forgets all messages that were sent before, those in flight included. It is durable when it returns.
func (e *Engine) PurgeQueue(q *Queue) error {
	if err := e.UpdateQueue(q, func(c *QueueConfig) { c.PurgedAt = nowMillis() }); err != nil {
		return err
	}
	q.reading.Lock() // nothing that was read before comes in behind
	q.mu.Lock()
	through := q.high
	q.clearLocked()
	q.next, q.floor, q.gone = through+1, through+1, uint64(through)
	q.noteLocked(queueNote{kind: notePurged, sequence: through})
	q.mu.Unlock()
	q.reading.Unlock()
	return q.ledger.flush()
}

// clearLocked lets go of all that memory has.
func (q *Queue) clearLocked() {
	q.table.All(func(e *visibility.Entry) {
		if m, ok := e.Held.(*Message); ok {
			m.Release()
		}
	})
	for _, m := range q.fresh[q.freshAt:] {
		m.Release()
	}
	clear(q.fresh)
	q.fresh, q.freshAt = q.fresh[:0], 0
	q.engine.queueHeld.Add(-q.heldBytes)
	q.heldBytes = 0
	q.table = visibility.New()
	clear(q.skip)
	clear(q.stored)
}

// end lets go of a queue that was deleted.
func (q *Queue) end() {
	q.reading.Lock()
	defer q.reading.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.clearLocked()
	q.waiters.silenceLocked()
	close(q.ended)
	q.ledger.note(queueNote{kind: noteEnded, queue: q})
}

// Counts returns about how many messages there are. What is delayed since before a restart is not counted.
func (q *Queue) Counts() QueueCounts {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.table.Advance(nowMillis())
	c := QueueCounts{InFlight: uint64(q.table.InFlight())}
	if q.fifo() {
		c.Delayed = uint64(q.table.Hidden() - q.table.InFlight())
	} else {
		c.Delayed = q.delayed()
	}
	total := uint64(q.high) - min(q.gone, uint64(q.high))
	hidden := c.InFlight
	if q.fifo() {
		hidden += c.Delayed
	}
	c.Visible = total - min(total, hidden)
	return c
}
