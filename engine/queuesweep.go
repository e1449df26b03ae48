package engine

import (
	"time"

	"fanfare/engine/visibility"
)

const (
	sweepEvery = time.Minute
	sweepMax   = 10_000 // messages of a queue that one sweep ends
)

// sweepQueues ends what is too old in queues that nobody receives from, until stop is closed.
func (e *Engine) sweepQueues(stop <-chan struct{}) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		e.catalog.mu.Lock()
		queues := make([]*Queue, 0, len(e.catalog.queues))
		for _, q := range e.catalog.queues {
			queues = append(queues, q)
		}
		e.catalog.mu.Unlock()
		for _, q := range queues {
			q.sweep()
		}
	}
}

// sweep ends the messages that are too old, up to a bound.
func (q *Queue) sweep() {
	for ended := 0; ended < sweepMax; {
		n, lags := q.sweepMemory()
		ended += n
		if !lags || q.fill() != nil {
			return
		}
		if n, _ = q.sweepMemory(); n == 0 {
			return // what comes behind is newer
		}
		ended += n
	}
}

// sweepMemory ends what memory has that is too old. lags says that only the store knows what comes next.
func (q *Queue) sweepMemory() (ended int, lags bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.errLocked() != nil {
		return 0, false
	}
	oldest := nowMillis() - q.Config().Retention.Milliseconds()
	var old []*visibility.Entry
	q.table.All(func(e *visibility.Entry) {
		if e.SentAt <= oldest {
			old = append(old, e)
		}
	})
	for _, e := range old {
		q.expireLocked(e)
	}
	ended = len(old)
	for len(q.fresh) > q.freshAt && q.fresh[q.freshAt].PublishedAt() <= oldest {
		e := q.freshLocked() // its note comes before the next is taken: a batch that ends between them says nothing of that
		switch {
		case e == nil:
		case e.SentAt <= oldest:
			q.expireLocked(e)
			ended++
		default: // the old one was deleted, and this one lies behind it: it stays, and is known from now on
			q.noteStateLocked(e)
		}
	}
	return ended, q.lagsLocked()
}

// expireLocked ends a message that is too old.
func (q *Queue) expireLocked(e *visibility.Entry) {
	seq := Sequence(e.Sequence)
	q.removeLocked(e)
	q.noteLocked(queueNote{kind: noteDeleted, sequence: seq})
	q.engine.queueExpired.Add(1)
}
