package crashtest

import (
	"errors"
	"math/rand/v2"
	"time"

	"fanfare/engine"
)

// publisher publishes one message after the other.
type publisher struct {
	*workload
	number int
	rng    *rand.Rand
}

func (p *publisher) topic() *topicLife {
	slot := p.rng.IntN(topicsMax)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.topics[slot]
}

func (p *publisher) step() {
	n := p.rng.IntN(20)
	if n == 0 {
		p.settle()
		return
	}
	t := p.topic()
	switch {
	case t == nil:
	case n < 3:
		p.group(t)
	case n < 5:
		p.hold(t)
	default:
		m, record := p.make(t)
		m.publish.begin = p.world.history.tick()
		err := p.world.engine.Publish(t.at, record)
		p.answered(m, record, err)
	}
}

// make draws a message up.
func (p *publisher) make(t *topicLife) (*messageLife, *engine.Message) {
	r := p.rng
	m := p.world.history.newMessage(t, p.number)
	m.tag = [...]string{"", "a", "b"}[r.IntN(3)]
	m.size = [...]int{10, 100, 1000, 1000, 3000, 12000}[r.IntN(6)]
	now := time.Now().UnixMilli()
	m.published = now
	switch r.IntN(10) {
	case 0:
		m.deliverAt = now + int64(1+r.IntN(30))
	case 1:
		m.deliverAt = now + time.Hour.Milliseconds()
	}
	switch r.IntN(12) {
	case 0:
		m.expiresAt = now + int64(r.IntN(20))
	case 1:
		m.expiresAt = now - 1000
	}
	record := engine.NewMessage()
	record.SetID(m.id)
	record.SetPublishedAt(now)
	record.SetDeliverAt(m.deliverAt)
	record.SetExpiresAt(m.expiresAt)
	record.Set(engine.FieldBody, m.body())
	if m.tag != "" {
		record.Set(engine.FieldTag, []byte(m.tag))
		record.AddAttribute([]byte("tag"), []byte("String"), []byte(m.tag), false)
	}
	return m, record
}

// answered notes what became of a publish.
func (p *publisher) answered(m *messageLife, record *engine.Message, err error) {
	switch {
	case err == nil:
		m.seq, m.outcome = record.Sequence(), accepted
		m.publish.end = p.world.history.tick()
		if m.seq == 0 && !m.held && m.deliverAt <= m.published {
			p.fault("message %d was accepted without a sequence", m.index)
		}
	case p.open(err):
	default:
		m.outcome = refused
		if !errors.Is(err, engine.ErrTopicNotFound) && !errors.Is(err, engine.ErrBusy) && !errors.Is(err, engine.ErrClosed) {
			p.fault("publishing message %d: %v", m.index, err)
		}
	}
	record.Release()
}

func (p *publisher) group(t *topicLife) {
	n := 2 + p.rng.IntN(6)
	lives, records, errs := make([]*messageLife, n), make([]*engine.Message, n), make([]error, n)
	for i := range n {
		lives[i], records[i] = p.make(t)
	}
	begin := p.world.history.tick()
	for _, m := range lives {
		m.publish.begin = begin
	}
	p.world.engine.PublishGroup(t.at, records, errs)
	for i, m := range lives {
		p.answered(m, records[i], errs[i])
	}
}

func (p *publisher) hold(t *topicLife) {
	m, record := p.make(t)
	m.held = true
	m.publish.begin = p.world.history.tick()
	handle, err := p.world.engine.Hold(t.at, record)
	m.handle = handle
	p.answered(m, record, err)
	if err == nil {
		p.mu.Lock()
		p.held = append(p.held, m)
		p.mu.Unlock()
	}
}

// settle ends a hold of any publisher's.
func (p *publisher) settle() {
	p.mu.Lock()
	if len(p.held) == 0 {
		p.mu.Unlock()
		return
	}
	i := p.rng.IntN(len(p.held))
	m := p.held[i]
	p.held = append(p.held[:i:i], p.held[i+1:]...)
	p.mu.Unlock()
	m.commit = p.rng.IntN(3) > 0
	m.settle.begin = p.world.history.tick()
	err := p.world.engine.Settle(m.topic.at, m.handle, m.commit)
	switch {
	case err == nil:
		m.settle.end = p.world.history.tick()
	case p.open(err), errors.Is(err, engine.ErrTopicNotFound): // open what it did
	case errors.Is(err, engine.ErrBusy), errors.Is(err, engine.ErrClosed):
		m.settle = span{}
	default:
		p.fault("settling message %d: %v", m.index, err)
	}
}
