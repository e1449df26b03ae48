package egress

import (
	"time"

	"fanfare/engine"
)

// How deliveries of a lane end, or go on behind a failed attempt.

// overdue says why a delivery is not to be tried any more, "" when it is. Whatever its age, a delivery is tried
// once, unless the endpoint is known to be down.
func (l *lane) overdue(d *delivery, now int64) string {
	p := &l.settings.config.Retry
	switch {
	case d.m.ExpiresAt() != 0 && d.m.ExpiresAt() <= now && !d.dead:
		return engine.ReasonExpired
	case (d.attempts > 0 || l.paused) && l.tooOld(d, now):
		return engine.ReasonAge
	case p.Exhausted(d.attempts):
		return engine.ReasonAttempts
	}
	return ""
}

// tooOld reports whether a delivery is over its policy's longest age at a time.
func (l *lane) tooOld(d *delivery, now int64) bool {
	return now-max(d.m.PublishedAt(), d.m.DeliverAt(), d.since) > l.settings.config.Retry.MaxAge.Milliseconds()
}

// endLocked ends a delivery: it is settled, and the lane lets go of it.
func (l *lane) endLocked(d delivery) {
	if d.entry.IsZero() {
		if !l.closed && d.epoch == l.epoch {
			l.settleLocked(d.m.Sequence())
		}
	} else {
		l.worker.forget(d.entry)
	}
	l.dropLocked(d)
}

// dropLocked lets go of a delivery.
func (l *lane) dropLocked(d delivery) {
	l.held--
	l.heldSize -= d.m.Size()
	l.egress.held.Add(int64(-d.m.Size()))
	d.m.Release()
	if d.group != nil {
		l.leaveLocked(d.group)
	}
}

// result is what became of one delivery of a batch.
type result struct {
	outcome    Outcome
	untried    bool // the request was written behind one that failed, or not at all: no attempt
	status     int
	retryAfter time.Duration
	failure    string // in words, for the lane's state
	answer     []byte // piece of the answer, copied
}

// finish settles what a pusher tried. results[i] belongs to batch[i].
func (l *lane) finish(batch []delivery, results []result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(batch) - 1; i >= 0; i-- {
		d, r := batch[i], &results[i]
		switch {
		case l.closed:
			l.endLocked(d)
		case r.untried && d.epoch != l.epoch && d.entry.IsZero():
			l.dropLocked(d) // the lane was rewound behind it, and takes the message once more
		case r.untried:
			l.putBackLocked(d)
		case r.outcome == Delivered:
			l.egress.stats.delivered.Add(1)
			l.window = min(l.window+1, l.egress.opts.WindowMessages)
			l.recoverLocked()
			l.endLocked(d)
		default:
			l.failedLocked(d, r)
		}
	}
	l.feedLocked()
}

// failedLocked decides how a delivery goes on after a failed attempt.
func (l *lane) failedLocked(d delivery, r *result) {
	now := time.Now()
	policy := &l.settings.config.Retry
	if r.outcome == Dead || now.UnixMilli() >= d.again {
		d.attempts++
		d.again = now.Add(l.egress.scaled(backoff(policy, d.attempts, r.retryAfter))).UnixMilli()
	} // else the breaker asked, before its policy wanted to: no message dies of that
	l.lastFailure, l.failedAt = r.failure, now
	stale := d.epoch != l.epoch && d.entry.IsZero() // the lane was rewound behind it, and takes the message once more
	letter := engine.DeadLetter{Status: r.status, Failure: r.failure, Answer: r.answer}
	if r.outcome == Dead {
		l.recoverLocked() // the endpoint is alive, it just does not want this one
		l.egress.stats.refused.Add(1)
		letter.Reason = engine.ReasonRefused
		if stale {
			l.dropLocked(d)
		} else {
			l.worker.bury(l, d, letter)
		}
		return
	}
	l.egress.stats.failed.Add(1)
	l.failures++
	down := l.failures >= l.egress.opts.BreakerFailures
	if d.group == nil || down { // or one group that fails would leave the others little room
		l.window = max(l.window/2, l.windowMin())
	}
	letter.Reason = l.overdue(&d, now.UnixMilli())
	if letter.Reason == "" && !down && l.tooOld(&d, d.again) {
		letter.Reason = engine.ReasonAge // by then it will be; now it is known what the endpoint said
	}
	if stale {
		l.dropLocked(d)
	} else if letter.Reason == engine.ReasonExpired {
		l.egress.stats.expired.Add(1)
		l.endLocked(d)
	} else if letter.Reason != "" {
		l.worker.bury(l, d, letter)
	} else if down || d.group != nil {
		// The endpoint is down rather than this message bad, or what comes behind has to wait for it: it waits in its
		// place, without a copy.
		l.putBackLocked(d)
	} else {
		l.worker.retry(l, d, time.UnixMilli(d.again))
	}
	if down {
		l.pauseLocked(now, r.retryAfter)
	}
}
