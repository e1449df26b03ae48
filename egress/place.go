package egress

import (
	"errors"
	"time"

	"fanfare/engine"
)

const (
	placeDepth    = 64        // messages that are placed together at the most
	placeBytesMax = 256 << 10 // size of them behind which no further one is added

	// closedPause is how long a pusher waits that found the engine closed, unless draining begins before.
	closedPause = 25 * time.Millisecond

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
	p.egress.engine.PublishGroup(q.Topic(), p.placed, p.errs)
	p.judgePlaced()
	for _, m := range p.placed {
		if m != nil {
			m.Release()
		}
	}
	clear(p.placed)
	clear(p.errs)
}

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
				p.awaitDrain()
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

// awaitDrain waits for the end that a closed engine announces, so that nobody tries again and again until then.
func (p *pusher) awaitDrain() {
	pause := time.NewTimer(closedPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-p.egress.drained:
	}
}

// placeFailure says why the queue took nothing, in words.
func placeFailure(err error) string {
	switch {
	case errors.Is(err, engine.ErrBusy):
		return "the queue's shard is busy"
	case errors.Is(err, engine.ErrUnavailable):
		return "the store does not accept messages now"
	}
	return err.Error()
}
