package egress

import (
	"time"

	"fanfare/engine"
)

// Rewind sets the lane back, or on. The ledger does it, since it is what trims the topic: between its look at
// the lane's floor and the trim nothing may come.
func (l *lane) Rewind(next engine.Sequence) (engine.Sequence, error) {
	r := &rewind{next: max(next, 1), done: make(chan error, 1)}
	if !l.worker.rewind(l, r) {
		return 0, engine.ErrClosed
	}
	err := <-r.done
	return r.next, err
}

// rewind is a request to the ledger.
type rewind struct {
	next engine.Sequence // where to; afterwards where it came to
	done chan error
}

// rewind hands a request to the ledger, unless it has ended.
func (w *worker) rewind(l *lane, r *rewind) bool {
	w.mu.Lock()
	ended := w.ended
	if !ended {
		w.notes = append(w.notes, note{kind: noteRewind, lane: l, rewind: r})
	}
	w.mu.Unlock()
	signal(w.wake)
	return !ended
}

// applyRewind moves a lane to where the request says, or to the first message behind it that is stored, and adds
// its progress to the batch. What is under way belongs to the epoch before and settles nothing any more.
func (w *worker) applyRewind(n *note) error {
	l, r := n.lane, n.rewind
	t := l.sub.Topic
	high := t.High()
	r.next = min(r.next, high+1)
	first := high + 1
	err := w.egress.engine.ReadTopic(t, r.next, high, func(seq engine.Sequence, _ *engine.Message) bool {
		first = seq
		return false
	})
	if err != nil {
		return engine.ErrUnavailable
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return engine.ErrSubscriptionNotFound
	}
	r.next = first
	l.epoch++
	l.rewound = time.Now().UnixMilli() // or what is older than the policy's longest age would get one try and no more
	l.next = first
	l.seen = max(l.seen, high)
	l.progress = engine.Progress{Floor: first - 1}
	for n := l.queue.len; n > 0; n-- {
		// Those from the timer stay: they are owed whatever the progress says.
		if d := l.queue.popFront(); d.entry.IsZero() {
			l.dropLocked(d)
		} else {
			l.queue.pushBack(d)
		}
	}
	l.purgeLocked(l.dropLocked)
	l.saved = l.progress.Floor
	w.batch.SaveProgress(l.sub.ID, l.progress.AppendBytes(nil))
	l.feedLocked()
	return nil
}
