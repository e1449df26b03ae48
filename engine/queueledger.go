package engine

import (
	"sync"
)

// A queueLedger writes down what becomes of the messages of a shard's queues: one goroutine, one batch for all that was
// noted meanwhile. Who deletes waits for the disk, together with all others who do; what only was received does not.
//
// A note carries how far its queue had come when it was made, so that a batch never says more than the notes in it and
// before it do.
type queueLedger struct {
	engine *Engine
	wake   chan struct{}

	mu    sync.Mutex
	notes []queueNote // guarded by mu
	round *round      // guarded by mu: what is waited for; nil when nobody waits
	ended bool        // guarded by mu: nothing is written any more

	batch   Batch
	writing []queueNote
	touched map[*Queue]QueueProgress
	failed  bool // what was to be written is missing: nothing may follow it
	scratch []byte
	record  []byte
}

// round is one write of the ledger that is waited for.
type round struct {
	done chan struct{} // closed when it is durable
	err  error
}

// queueNote is something for the ledger to write.
type queueNote struct {
	kind     queueNoteKind
	queue    *Queue
	sequence Sequence
	progress QueueProgress
	state    receivedState // of noteReceived
	to       *Queue        // of noteMoved
	origin   string        // of noteMoved: the queue that the message is a dead letter of, "" for none
	key      TimerKey      // of noteMoved: the entry it became
}

type queueNoteKind uint8

const (
	noteReceived queueNoteKind = iota // or its visibility was changed
	noteDeleted
	noteMoved
	notePurged // all up to the sequence
	noteEnded  // the queue was deleted
)

func newQueueLedger(e *Engine) *queueLedger {
	return &queueLedger{engine: e, wake: make(chan struct{}, 1), batch: e.opts.Store.NewBatch(), touched: map[*Queue]QueueProgress{}}
}

// note hands over what happened to a queue's message. The caller holds the queue's mutex.
func (l *queueLedger) note(n queueNote) {
	l.mu.Lock()
	l.notes = append(l.notes, n)
	l.mu.Unlock()
	l.signal()
}

// flush returns when all that was noted before is durable.
func (l *queueLedger) flush() error {
	r := l.join()
	<-r.done
	return r.err
}

// join returns the round that has all that was noted before.
func (l *queueLedger) join() *round {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.round
	if r == nil {
		r = &round{done: make(chan struct{})}
		if l.ended {
			r.err = ErrClosed
			close(r.done)
			return r
		}
		l.round = r
	}
	l.signal()
	return r
}

func (l *queueLedger) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run writes until stop is closed, and then what is left.
func (l *queueLedger) run(stop <-chan struct{}) {
	for {
		select {
		case <-l.wake:
			l.write(false)
		case <-stop:
			l.write(true)
			return
		}
	}
}

// write writes the notes in one batch, and waits for the disk if somebody does, or if it is the last one.
func (l *queueLedger) write(last bool) {
	l.mu.Lock()
	l.notes, l.writing = l.writing[:0], l.notes
	r := l.round
	l.round, l.ended = nil, last
	l.mu.Unlock()
	var err error
	if len(l.writing) > 0 || r != nil {
		err = l.apply(last || r != nil)
		l.failed = l.failed || err != nil
	}
	for i := range l.writing {
		if n := &l.writing[i]; err == nil && !n.key.IsZero() {
			l.engine.timers.Added(n.key)
		}
	}
	clear(l.writing)
	if r != nil {
		r.err = err
		close(r.done)
	}
}

func (l *queueLedger) apply(durable bool) error {
	if l.failed {
		return ErrUnavailable
	}
	l.batch.Reset()
	for i := range l.writing {
		if err := l.collect(&l.writing[i]); err != nil {
			clear(l.touched)
			l.engine.fail(err)
			return ErrUnavailable
		}
	}
	for q, p := range l.touched {
		l.scratch = p.AppendBytes(l.scratch[:0])
		l.batch.SaveProgress(SubscriptionID(q.topic.ID), l.scratch)
	}
	clear(l.touched)
	err := l.batch.Apply(durable)
	if err == nil && durable {
		err = l.batch.Wait()
	}
	if err != nil {
		l.engine.fail(err)
		return ErrUnavailable
	}
	return nil
}

// collect adds what a note says to the batch. With an error the batch must not be applied.
func (l *queueLedger) collect(n *queueNote) error {
	t := n.queue.topic
	if n.kind == noteEnded {
		// The deletion did this already; what was about to be written at that moment came behind it.
		delete(l.touched, n.queue)
		l.batch.DropTopic(t.ID)
		l.batch.DropSubscription(SubscriptionID(t.ID))
		return nil
	}
	if t.deleted.Load() {
		return nil
	}
	l.touched[n.queue] = n.progress
	switch n.kind {
	case noteReceived:
		l.scratch = n.state.appendTo(l.scratch[:0])
		l.batch.PutState(t.ID, StateReceived, n.sequence, l.scratch)
	case noteMoved:
		return l.move(n)
	case noteDeleted:
		l.delete(n)
	case notePurged:
		l.batch.TrimTopic(t.ID, 0, n.sequence)
		l.batch.TrimStates(t.ID, StateReceived, 0, n.sequence)
	case noteEnded:
	}
	return nil
}

func (l *queueLedger) delete(n *queueNote) {
	l.batch.DeleteMessage(n.queue.topic.ID, n.sequence)
	l.batch.DeleteState(n.queue.topic.ID, StateReceived, n.sequence)
}

// move puts a message on the timer, as one that is sent to another queue at once. Both happen in one batch, so that a crash
// finds it in one of the two. What is damaged is reported, and stays for whoever examines it.
func (l *queueLedger) move(n *queueNote) error {
	now := nowMillis()
	return l.engine.opts.Store.ReadTopic(n.queue.topic.ID, n.sequence, n.sequence, func(_ Sequence, record []byte) bool {
		m, err := DecodeMessage(record)
		if err != nil {
			l.engine.opts.Log.Error().Err(err).Str("queue", n.queue.Name()).Uint64("sequence", uint64(n.sequence)).
				Msg("a message that was to be moved to another queue cannot be read")
			return false
		}
		l.record = m.appendMoved(l.record[:0], n.origin, n.to.Config().FIFO != nil, now)
		m.Release()
		n.key = l.engine.timers.NewKey(now)
		l.scratch = appendTimerHead(l.scratch[:0], TimerPublish, uint64(n.to.topic.ID), Parked{Since: now})
		l.batch.PutTimer(n.key, l.scratch, l.record)
		n.to.parked(now)
		l.delete(n)
		return false
	})
}

// appendMoved appends the record of a message as it is sent to another queue.
func (m *Message) appendMoved(dst []byte, origin string, fifo bool, now int64) []byte {
	c := emptyMessage()
	defer c.Release()
	c.buf = append(c.buf[:0], m.buf...)
	if m.Has(FieldSource) { // where it came from before: else it would grow with every move
		old := m.fields[FieldSource]
		c.buf = append(c.buf[:old.start-fieldHeaderSize], m.buf[old.end:]...)
	}
	if origin != "" {
		c.Set(FieldSource, []byte(origin))
	}
	c.SetDeliverAt(0)
	if fifo {
		c.SetPublishedAt(now) // its retention begins anew; that of others counts from when they were sent
	}
	c.setSequence(0)
	c.seal()
	return append(dst, c.buf...)
}
