package egress

import (
	"errors"
	"slices"
	"time"

	"fanfare/engine"
)

const (
	placeDepth    = 64        // messages that are placed together at the most
	placeBytesMax = 256 << 10 // size of them behind which no further one is added

	// closedPause is how long a pusher waits that found the engine closed.
	closedPause = 25 * time.Millisecond

	// busyTries is how often a pusher tries at a shard that is too busy, with busyPause between, before that counts as a
	// failure: there are others who put something into it, and all of it gets there.
	busyTries = 20
	busyPause = 5 * time.Millisecond

	failureNoQueue = "the queue does not exist"
)

// place puts the batch into a queue of ours: one publish for all of it, which returns when it is durable.
func (p *pusher) place(set *settings) {
	q := p.egress.engine.Queue(set.queue)
	if q == nil || q.Deleted() {
		for i := range p.results {
			p.results[i] = result{outcome: Dead, failure: failureNoQueue}
		}
		return
	}
	p.fill(set, q.Config())
	for tries := 1; p.publish(q, tries == busyTries); tries++ {
		p.pause(busyPause)
	}
	for _, m := range p.placed {
		if m != nil {
			m.Release()
		}
	}
	clear(p.placed)
	clear(p.errs)
}

// publish publishes what is to be placed and notes what became of it, unless the shard was too busy for some of it and this
// is not the last time: then it reports so, and only these are left.
func (p *pusher) publish(q *engine.Queue, last bool) (again bool) {
	p.egress.engine.PublishGroup(q.Topic(), p.placed, p.errs)
	if last || p.egress.draining.Load() || !slices.ContainsFunc(p.errs, isBusy) {
		p.judgePlaced()
		return false
	}
	for i, m := range p.placed {
		if m != nil && p.errs[i] == nil {
			p.results[i] = result{outcome: Delivered}
			m.Release()
			p.placed[i] = nil
		}
	}
	return true
}

func isBusy(err error) bool { return errors.Is(err, engine.ErrBusy) }

// fill makes the messages for the queue. One that cannot be placed is nil among them, and refused for good.
func (p *pusher) fill(set *settings, queue *engine.QueueConfig) {
	p.placed, p.errs = p.placed[:0], p.errs[:0]
	for i := range p.batch {
		m := engine.NewMessage()
		m.SetOrigin(engine.OriginTopic)
		if fault := set.placer.Place(m, p.batch[i].m, queue); fault != "" {
			p.results[i] = result{outcome: Dead, failure: fault}
			m.Release()
			m = nil
		}
		p.placed, p.errs = append(p.placed, m), append(p.errs, nil)
	}
}

// judgePlaced notes what became of the messages. What fails does so from one of them on: that one was tried.
func (p *pusher) judgePlaced() {
	failed := false
	for i, m := range p.placed {
		if m == nil {
			continue
		}
		switch err := p.errs[i]; {
		case err == nil:
			p.results[i] = result{outcome: Delivered}
		case errors.Is(err, engine.ErrClosed):
			if !failed {
				p.pause(closedPause) // else it would try again and again until draining begins
			}
			failed = true // and none was tried
		case errors.Is(err, engine.ErrQueueNotFound), errors.Is(err, engine.ErrTopicNotFound):
			p.results[i] = result{outcome: Dead, failure: failureNoQueue}
		case errors.Is(err, engine.ErrInvalid):
			p.results[i] = result{outcome: Dead, failure: err.Error()}
		default:
			p.results[i] = result{outcome: Retry, untried: failed, failure: placeFailure(err)}
			failed = true
		}
	}
}

// pause waits, unless draining begins.
func (p *pusher) pause(d time.Duration) {
	pause := time.NewTimer(d)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-p.egress.drained:
	}
}

// placeFailure says why the queue took nothing, in words.
func placeFailure(err error) string {
	switch {
	case isBusy(err):
		return "the queue's shard is busy"
	case errors.Is(err, engine.ErrUnavailable):
		return "the store does not accept messages now"
	}
	return err.Error()
}
