package egress

import (
	"time"

	"fanfare/engine"
)

// collectLetter adds a dead letter to the batch, at the place its subscription has for them: an entry of the timer
// that publishes it to a topic, or that pushes it to a queue, or else the built-in list. What does not get into
// the queue, and what was a dead letter of another subscription already, ends on the list: no letter goes round
// in circles.
func (w *worker) collectLetter(n *note) {
	e := w.egress.engine
	place := &n.lane.sub.Config().DeadLetters
	switch {
	case place.Topic != "" && !n.d.dead && !n.d.m.IsDeadLetter():
		if t := e.Topic([]byte(place.Topic)); t != nil && t != n.lane.sub.Topic {
			n.parked = e.NewTimerKey(time.Now().UnixMilli())
			w.scratch = engine.AppendPublishHead(w.scratch[:0], t.ID)
			w.record = n.d.m.AppendDeadLetter(w.record[:0], &n.letter, n.lane.sub)
			w.batch.PutTimer(n.parked, w.scratch, w.record)
			return
		}
	case place.Queue != "" && !n.d.dead && w.egress.opts.Queue != nil:
		n.parked = e.NewTimerKey(time.Now().UnixMilli())
		w.scratch = engine.AppendDeliveryHead(w.scratch[:0], n.lane.sub.ID, engine.Parked{Since: n.letter.At, Dead: true})
		w.batch.PutTimer(n.parked, w.scratch, n.d.m.Record())
		return
	}
	w.scratch = engine.AppendDeadLetterHead(w.scratch[:0], &n.letter)
	w.batch.PutDeadLetter(n.lane.sub.ID, n.d.m.Sequence(), w.scratch, n.d.m.Record())
}

// queueLane returns the lane that pushes dead letters to the subscription's queue, nil when there is none any
// more. It has a window, connections and a breaker of its own, and takes nothing of the topic.
func (l *lane) queueLane() *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.settings.config
	if c.DeadLetters.Queue == "" || l.egress.opts.Queue == nil || l.closed {
		return nil
	}
	if l.redrive == nil {
		l.redrive = &lane{egress: l.egress, worker: l.worker, sub: l.sub, settings: l.egress.queueSettings(l.settings), queueOnly: true}
		l.redrive.window = l.redrive.windowMin()
	}
	return l.redrive
}

// buryDue puts a dead letter that was on its way to a queue on the list.
func (l *lane) buryDue(d delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holdLocked(d)
	if l.closed {
		l.endLocked(d)
		return
	}
	l.worker.bury(l, d, engine.DeadLetter{Reason: engine.ReasonRefused, Failure: "the subscription has no queue for dead letters any more"})
}

// queueSettings is what a subscription's queue lane is made with.
func (e *Egress) queueSettings(of *settings) *settings {
	c := of.config.Clone()
	c.Answers, c.MaxPerSecond, c.Pipeline = engine.AnswerRules{}, 0, 1
	c.Retry = e.opts.Queue.DefaultRetry()
	return e.settingsTo(c, e.opts.Queue, e.opts.Queue.Wrap(of.encoder, c.DeadLetters.Queue), c.DeadLetters.Queue)
}
