package egress

import (
	"math"
	"math/rand/v2"
	"time"
)

// The circuit breaker of a lane: it opens, and the lane is paused, after BreakerFailures failures in a row, whatever
// became of the messages. While it is open nothing is read and nothing pushed but one probe per back-off, of the
// first message that waits. An answer that is no failure closes it.

// pauseLocked pauses the lane, or goes on with it when it was a probe that failed.
func (l *lane) pauseLocked(now time.Time, retryAfter time.Duration) {
	if l.paused && !l.probing {
		return
	}
	l.paused, l.probing = true, false
	policy := &l.settings.config.Retry
	over := l.failures - l.egress.opts.BreakerFailures
	// Doubling from the policy's first wait, whatever the policy's own function is: it spaces attempts of one
	// message, this spaces the questions to one endpoint.
	longest := min(policy.MaxDelay, l.egress.opts.BreakerDelayMax)
	probe := policy.MinDelay
	for range over {
		if probe *= 2; probe >= longest {
			break
		}
	}
	probe = l.egress.scaled(min(probe, longest))
	l.probeAt = now.Add(max(probe/2+rand.N(probe/2+1), min(retryAfter, policy.MaxDelay)))
	l.worker.pause(l)
}

// recoverLocked notes that the endpoint answered.
func (l *lane) recoverLocked() {
	l.failures = 0
	if l.paused {
		l.paused, l.probing = false, false
		if l.groups != nil {
			l.groups.wake(math.MaxInt64) // the endpoint was down, rather than what they begin with bad
		}
		for range min(l.waitsLocked(), l.settings.conns) {
			l.startLocked()
		}
	}
}

// probe lets one push through if it is time, and reports whether the lane is still paused behind it.
func (l *lane) probe(now time.Time) (stillPaused bool, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.paused || l.closed {
		l.worker.resume(l)
		return false, time.Time{}
	}
	if l.probing || now.Before(l.probeAt) {
		return true, l.probeAt
	}
	if l.waitsLocked() == 0 && l.groups != nil {
		l.groups.hurry() // before its policy wants to, as what waits in a lane without an order
	}
	if l.waitsLocked() == 0 { // the next message finds out
		l.paused = false
		l.failures = l.egress.opts.BreakerFailures - 1
		l.worker.resume(l)
		l.feedLocked()
		return false, time.Time{}
	}
	l.probing = true
	l.startLocked()
	return true, l.probeAt
}
