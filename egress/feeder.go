package egress

import (
	"time"

	"fanfare/engine"
)

// feedMessages is how many messages the feeder reads for a lane before it turns to the next.
const feedMessages = 256

// runFeeder reads for lagging lanes, one after the other, until stop is closed.
func (w *worker) runFeeder(stop <-chan struct{}) {
	for {
		w.mu.Lock()
		var l *lane
		if len(w.lag) > 0 {
			l = w.lag[0]
			w.lag = append(w.lag[:0], w.lag[1:]...)
		}
		w.mu.Unlock()
		if l != nil {
			w.read(l)
			continue
		}
		select {
		case <-stop:
			return
		case <-w.feedWake:
		}
	}
}

// read takes the next messages of a lagging lane from the store.
func (w *worker) read(l *lane) {
	l.mu.Lock()
	first, last, epoch := l.next, min(l.seen, l.next+feedMessages-1), l.epoch
	l.mu.Unlock()
	// Only a read that came to its end says that what it did not show is not there.
	whole := first <= last && !w.egress.draining.Load()
	var err error
	if whole {
		err = w.egress.engine.ReadTopic(l.sub.Topic, first, last, func(seq engine.Sequence, m *engine.Message) bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.closed || l.paused || l.epoch != epoch || w.egress.draining.Load() {
				whole = false
				return false
			}
			l.skipLocked(seq)
			if m == nil {
				l.skipLocked(seq + 1)
			} else {
				whole = l.takeLocked(m)
			}
			return whole
		})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		// It stays in the feeder's hands and is tried again with the next wake-up.
		l.lastFailure, l.failedAt = "reading the store failed: "+err.Error(), time.Now()
		w.egress.opts.Log.Error().Err(err).Str("topic", l.sub.Topic.Name()).Msg("reading for a lagging subscription failed")
		time.AfterFunc(time.Second, func() { w.feed(l) })
		return
	case whole && !l.closed && l.epoch == epoch:
		l.skipLocked(last + 1) // what is not in the store any more, if anything
	}
	l.feeding = false
	l.feedLocked()
}
