package engine

import (
	"time"

	"fanfare/engine/visibility"
)

// Receive appends up to r.Max messages to dst and hides them; it waits for the first of them as long as the request says.
// Without one it returns dst and no error. Messages of a group of a FIFO queue come in their order, and only while none of
// the group is in flight. After a crash a message may be visible earlier than it was to be.
func (q *Queue) Receive(r ReceiveRequest, dst []Received) ([]Received, error) {
	c := q.Config()
	if r.Wait < 0 {
		r.Wait = c.ReceiveWait
	}
	if r.Visibility < 0 {
		r.Visibility = c.Visibility
	}
	dst, limited, err := q.take(&r, dst)
	if err != nil || len(dst) > 0 {
		return dst, err
	}
	if r.Wait == 0 {
		if limited {
			err = ErrInFlightLimit
		}
		return dst, err
	}
	return q.waiters.wait(&r, dst)
}

// takeOf is what take gives out, or moves.
type takeOf struct {
	sequence Sequence
	message  *Message // nil: it has to be read
	receives uint32
	firstAt  int64
}

// take is Receive without a wait. limited says that there is nothing since too many messages are in flight.
func (q *Queue) take(r *ReceiveRequest, dst []Received) (_ []Received, limited bool, err error) {
	var few [ReceiveMessagesMax]takeOf
	taken := few[:0]
	q.mu.Lock()
	for {
		if err = q.errLocked(); err != nil {
			break
		}
		now := nowMillis()
		q.table.Advance(now)
		taken, limited = q.takeLocked(r, now, taken)
		if len(taken) == r.Max || limited || !q.lagsLocked() || len(taken) > 0 && q.fifo() {
			break // in a FIFO queue what comes may be of the same groups: looking for more may take long
		}
		q.mu.Unlock()
		err = q.fill()
		q.mu.Lock()
		if err != nil {
			break
		}
	}
	if len(taken) > 0 {
		if q.anyLocked() {
			q.waiters.wakeLocked() // the next one: there is more
		}
		q.waiters.armLocked()
	}
	q.mu.Unlock()
	before := len(dst)
	for i := range taken {
		m, lost := taken[i].message, error(nil)
		if m == nil {
			m, lost = q.read(taken[i].sequence)
		}
		if lost != nil {
			q.giveBack(taken[i].sequence, taken[i].receives)
			err = lost
		}
		if m != nil {
			dst = append(dst, Received{
				Message: m, Receives: int(taken[i].receives), FirstAt: taken[i].firstAt,
				Receipt: Receipt{q.topic.ID, taken[i].sequence, taken[i].receives},
			})
		}
	}
	if len(dst) > 0 {
		q.engine.received.Add(uint64(len(dst) - before))
		err = nil // what was not read is visible again
	}
	return dst, limited, err
}

func (q *Queue) errLocked() error {
	if q.topic.deleted.Load() {
		return ErrQueueNotFound
	}
	return q.engine.state.Load().err()
}

// takeLocked takes what memory has: first what was received before, or looked at, and then what is new. What is taken already
// may be visible again meanwhile: to that only what is new is added.
func (q *Queue) takeLocked(r *ReceiveRequest, now int64, taken []takeOf) (_ []takeOf, limited bool) {
	c := q.Config()
	more := len(taken) > 0
	for len(taken) < r.Max {
		if q.table.InFlight() >= QueueInFlightMax {
			return taken, len(taken) == 0
		}
		e := q.table.First()
		if e == nil || more {
			if e = q.freshLocked(); e == nil {
				break
			}
		}
		for e != nil && len(taken) < r.Max {
			following := q.table.Following(e)
			if q.endedLocked(c, e, now) {
				break // its group has another first now
			}
			taken = append(taken, q.hideLocked(e, now, r.Visibility))
			e = following
		}
	}
	return taken, false
}

// endedLocked takes out a message that is too old, or that was received too often, and reports whether it did.
func (q *Queue) endedLocked(c *QueueConfig, e *visibility.Entry, now int64) bool {
	seq := Sequence(e.Sequence)
	if e.SentAt+c.Retention.Milliseconds() <= now {
		q.expireLocked(e)
		return true
	}
	if c.DeadLetters.Receives == 0 || int(e.Receives) < c.DeadLetters.Receives {
		return false
	}
	to := q.engine.Queue([]byte(c.DeadLetters.Queue))
	if to == nil || to == q || to.fifo() != q.fifo() {
		return false // there is no such place: it stays
	}
	q.removeLocked(e)
	q.noteLocked(queueNote{kind: noteMoved, sequence: seq, to: to, origin: c.Name})
	q.engine.queueMoved.Add(1)
	return true
}

// hideLocked hides a message that is received.
func (q *Queue) hideLocked(e *visibility.Entry, now int64, d time.Duration) takeOf {
	e.Receives++
	if e.FirstAt == 0 {
		e.FirstAt = now
	}
	t := takeOf{sequence: Sequence(e.Sequence), receives: e.Receives, firstAt: e.FirstAt}
	if m, ok := e.Held.(*Message); ok {
		q.unholdLocked(m)
		t.message, e.Held = m, nil
	}
	q.table.Hide(e, now+d.Milliseconds(), true)
	q.noteStateLocked(e)
	return t
}

// freshLocked takes the next new message of a standard queue in, nil when memory has none.
func (q *Queue) freshLocked() *visibility.Entry {
	for len(q.fresh) > q.freshAt {
		m := q.fresh[q.freshAt]
		q.fresh[q.freshAt] = nil
		q.freshAt++
		if q.freshAt == len(q.fresh) {
			q.fresh, q.freshAt = q.fresh[:0], 0
		}
		seq := m.Sequence()
		q.next = seq + 1
		if q.skipsLocked(seq) {
			q.unholdLocked(m)
			m.Release()
			continue
		}
		e := q.table.Add(uint64(seq))
		e.SentAt, e.Held = m.PublishedAt(), m
		return e
	}
	return nil
}

// anyLocked reports whether a message can be received now.
func (q *Queue) anyLocked() bool { return q.table.First() != nil || len(q.fresh) > 0 || q.lagsLocked() }

// restoreLocked gives a message the state that it had before a restart.
func (q *Queue) restoreLocked(e *visibility.Entry, state receivedState) {
	e.Receives, e.FirstAt = state.receives, state.firstAt
	if state.sentAt != 0 {
		e.SentAt = state.sentAt
	}
	if state.until > nowMillis() {
		q.table.Hide(e, state.until, true)
	}
}

// removeLocked takes a message out for good.
func (q *Queue) removeLocked(e *visibility.Entry) {
	if m, ok := e.Held.(*Message); ok {
		q.unholdLocked(m)
		m.Release()
	}
	q.table.Remove(e)
	q.gone++
}

// giveBack makes a message visible that could not be read, unless it was received again: nobody got it.
func (q *Queue) giveBack(seq Sequence, receives uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e := q.table.Get(uint64(seq)); e != nil && e.Receives == receives {
		if e.Receives--; e.Receives == 0 {
			e.FirstAt = 0
		}
		q.table.Hide(e, nowMillis(), true)
		q.noteStateLocked(e)
		q.table.Show(e)
	}
}

// noteLocked has the ledger write what happened.
func (q *Queue) noteLocked(n queueNote) {
	n.queue, n.progress = q, QueueProgress{Next: q.next, Gone: q.gone, High: q.high}
	if q.fifo() {
		for q.floor < q.next && q.table.Get(uint64(q.floor)) == nil {
			q.floor++
		}
		n.progress.Next = q.floor
	}
	q.ledger.note(n)
}

// noteStateLocked has the ledger write what is known of a message.
func (q *Queue) noteStateLocked(e *visibility.Entry) {
	q.noteLocked(queueNote{kind: noteReceived, sequence: Sequence(e.Sequence), state: receivedState{
		receives: e.Receives, firstAt: e.FirstAt, until: e.Until(), sentAt: e.SentAt,
	}})
}
