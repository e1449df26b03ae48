package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine/ring"
)

// A shard owns a slice of the topics. Publishers push into its ring; its committer takes what is there,
// numbers it and applies it to the store as one group; its dispatcher waits until the group is durable,
// answers the publishers and hands the messages to the egress, then frees the slots.
//
// While one group is being synced the committer builds the next; groupsInFlight bounds how far it runs
// ahead. The group grows with the load by itself: what arrives during a sync is the next group.
type shard struct {
	engine *Engine
	index  int
	ring   *ring.Ring[*Message]

	waiting atomic.Int64 // bytes pushed and not yet answered; written by publishers and the dispatcher

	groups chan *group // committer to dispatcher
	free   chan *group // dispatcher to committer
	stats  shardStats
}

const groupsInFlight = 2

// group is the messages made durable together: the ring's positions from first to last.
type group struct {
	batch       Batch
	first, last uint64 // last is excluded
	bytes       int64
	err         error // of Apply
}

func newShard(e *Engine, index int) *shard {
	s := &shard{
		engine: e,
		index:  index,
		ring:   ring.New[*Message](e.opts.RingSlots),
		groups: make(chan *group, groupsInFlight),
		free:   make(chan *group, groupsInFlight),
	}
	for range groupsInFlight {
		s.free <- &group{batch: e.opts.Store.NewBatch()}
	}
	return s
}

// push queues a message that the caller retained for the ring.
func (s *shard) push(m *Message) error {
	size := int64(m.Size())
	waiting := s.waiting.Add(size)
	if waiting > int64(s.engine.opts.WaitingBytesMax) && waiting > size {
		s.waiting.Add(-size)
		s.stats.refused.Add(1)
		return ErrBusy
	}
	if s.engine.full() != nil {
		s.waiting.Add(-size)
		s.stats.refused.Add(1)
		return ErrUnavailable
	}
	if state := s.engine.state.Load(); state != stateRunning {
		s.waiting.Add(-size)
		return state.err()
	}
	if !s.ring.Push(m) {
		s.waiting.Add(-size)
		s.stats.refused.Add(1)
		return ErrBusy
	}
	return nil
}

// commit is the committer's goroutine. It ends when the ring is empty after stop is closed.
func (s *shard) commit(stop <-chan struct{}) {
	defer close(s.groups)
	var pos uint64
	for {
		if !s.ring.Wait(pos, stop) {
			return
		}
		g := <-s.free
		pos = s.build(g, pos)
		if g.err == nil {
			g.err = g.batch.Apply(true)
		}
		s.groups <- g
	}
}

// build takes what the ring holds from pos on into the group and returns the position behind it.
func (s *shard) build(g *group, pos uint64) uint64 {
	g.batch.Reset()
	g.first, g.bytes, g.err = pos, 0, s.engine.opts.Store.Err()
	now := time.Now().UnixMilli()
	for n := 0; n < s.engine.opts.GroupMessagesMax && g.bytes < int64(s.engine.opts.GroupBytesMax); n++ {
		m, ok := s.ring.Peek(pos)
		if !ok {
			break
		}
		pos++
		g.bytes += int64(m.Size())
		s.write(g.batch, m, now)
	}
	g.last = pos
	return pos
}

// write numbers a message and adds it to the batch. A message due later goes to the timer instead and
// gets its sequence when it comes back.
func (s *shard) write(b Batch, m *Message, now int64) {
	t := m.topic
	returned := !m.from.IsZero()
	if returned {
		b.DeleteTimer(m.from)
	}
	switch {
	case t.deleted.Load():
		m.err = ErrTopicNotFound
	case !returned && m.held:
		m.parked = s.engine.timers.park(b, m, TimerHeld, now+heldAge.Milliseconds())
	case !returned && m.DeliverAt() > now:
		m.parked = s.engine.timers.park(b, m, TimerPublish, m.DeliverAt())
	default:
		t.next++
		m.setSequence(t.next)
		b.AppendMessage(t.ID, t.next, m.buf)
		t.marks.append(b, t, Mark{Sequence: t.next, At: now}, uint64(len(m.buf)))
	}
}

// dispatch is the dispatcher's goroutine. It ends when the committer has ended.
func (s *shard) dispatch() {
	for g := range s.groups {
		err := g.err
		if err == nil {
			err = g.batch.Wait()
		}
		if err != nil {
			s.engine.fail(err)
		}
		s.answer(g, err)
		s.deliver(g, err)
		s.waiting.Add(-g.bytes)
		s.stats.messages.Add(g.last - g.first)
		s.stats.bytes.Add(uint64(g.bytes))
		s.stats.groups.Add(1)
		s.free <- g
	}
}

// answer wakes the publishers of a group. A message from the timer has none.
func (s *shard) answer(g *group, err error) {
	for pos := g.first; pos < g.last; pos++ {
		m, _ := s.ring.Peek(pos)
		if err != nil {
			m.err = ErrUnavailable
		} else if seq := m.Sequence(); seq != 0 {
			m.topic.high.Store(uint64(seq))
		}
		if m.waited {
			m.done <- struct{}{}
		}
	}
}

// deliver hands the messages of a group to the egress, if they are durable, and frees the ring's slots.
func (s *shard) deliver(g *group, err error) {
	timers := s.engine.timers
	for pos := g.first; pos < g.last; pos++ {
		m, _ := s.ring.Peek(pos)
		if err == nil {
			if !m.from.IsZero() {
				timers.Settled(m.from)
			}
			if !m.parked.IsZero() {
				timers.Added(m.parked)
			}
			if m.Sequence() != 0 {
				s.engine.egress.Dispatch(m)
			}
		}
		m.Release()
		s.ring.Free(pos)
	}
}

// run starts both goroutines in the group; they end after stop is closed.
func (s *shard) run(wg *sync.WaitGroup, stop <-chan struct{}) {
	wg.Go(func() { s.commit(stop) })
	wg.Go(s.dispatch)
}
