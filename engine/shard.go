package engine

import (
	"runtime"
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

	syncing  atomic.Bool   // a group was applied and is not durable yet; set by the committer, cleared by the dispatcher
	answered atomic.Uint64 // publishers of the last group that became durable
	synctime atomic.Int64  // of the last groups, smoothed, in ns; written by the dispatcher
	nudge    chan struct{} // signal to the committer: a group is durable, or it has lingered for long enough
	linger   *time.Timer   // committer only: makes the latter
	stats    shardStats
}

const groupsInFlight = 2

const (
	gatherStep = 32 // messages for which the committer wakes while a group is being synced
	lingerMin  = 8  // publishers answered behind which the next group lingers
	yieldsMax  = 8  // of the committer's turn for one group, as long as each brings a message

	lingerTimeMin = 25 * time.Microsecond // less is not worth it: there is no disk
	lingerTimeMax = 2 * time.Millisecond
)

// group is the messages made durable together: the ring's positions from first to last.
type group struct {
	batch       Batch
	first, last uint64 // last is excluded
	bytes       int64
	err         error // of Apply
	applied     time.Time
}

func newShard(e *Engine, index int) *shard {
	s := &shard{
		engine: e,
		index:  index,
		ring:   ring.New[*Message](e.opts.RingSlots),
		groups: make(chan *group, groupsInFlight),
		free:   make(chan *group, groupsInFlight),
		nudge:  make(chan struct{}, 1),
	}
	s.linger = time.AfterFunc(time.Hour, s.wake)
	s.linger.Stop()
	for range groupsInFlight {
		s.free <- &group{batch: e.opts.Store.NewBatch()}
	}
	return s
}

// push queues a message that the caller retained for the ring.
func (s *shard) push(m *Message) error {
	size := int64(m.Size())
	if err := s.admit(size); err != nil {
		return err
	}
	if !s.ring.Push(m) {
		return s.refuse(size, ErrBusy)
	}
	return nil
}

// pushAll queues messages that the caller retained for the ring, side by side as far as the ring is large enough. It
// returns how many of them, the first ones, and why not the others.
func (s *shard) pushAll(messages []*Message) (pushed int, err error) {
	for pushed < len(messages) {
		part := messages[pushed:]
		part = part[:min(len(part), s.ring.Size())]
		size := int64(0)
		for _, m := range part {
			size += int64(m.Size())
		}
		if err := s.admit(size); err != nil {
			return pushed, err
		}
		if !s.ring.PushAll(part) {
			return pushed, s.refuse(size, ErrBusy)
		}
		pushed += len(part)
	}
	return pushed, nil
}

// admit counts bytes as waiting, unless they may not.
func (s *shard) admit(size int64) error {
	waiting := s.waiting.Add(size)
	if waiting > int64(s.engine.opts.WaitingBytesMax) && waiting > size {
		return s.refuse(size, ErrBusy)
	}
	if s.engine.full() != nil {
		return s.refuse(size, ErrUnavailable)
	}
	if state := s.engine.state.Load(); state != stateRunning {
		s.waiting.Add(-size)
		return state.err()
	}
	return nil
}

// refuse gives back what admit counted.
func (s *shard) refuse(size int64, err error) error {
	s.waiting.Add(-size)
	s.stats.refused.Add(1)
	return err
}

// commit is the committer's goroutine. It ends when the ring is empty after stop is closed.
func (s *shard) commit(stop <-chan struct{}) {
	defer close(s.groups)
	var pos uint64
	for s.ring.Wait(pos, stop) {
		g := <-s.free
		pos = s.gather(g, pos)
		if g.err == nil {
			g.applied = time.Now()
			g.err = g.batch.Apply(true)
		}
		s.syncing.Store(true)
		s.groups <- g
	}
}

// gather builds the next group from the ring's position pos on, and returns the position behind it. While the group before
// is being synced it goes on taking what arrives: a sync costs the same for many as for few.
func (s *shard) gather(g *group, pos uint64) uint64 {
	g.batch.Reset()
	g.first, g.last, g.bytes, g.err = pos, pos, 0, s.engine.opts.Store.Err()
	room := s.build(g)
	for room && s.syncing.Load() {
		s.ring.Wait(g.last+gatherStep-1, s.nudge)
		room = s.build(g)
	}
	for s.syncing.Load() {
		<-s.nudge
	}
	select { // what was nudged about is known by now
	case <-s.nudge:
	default:
	}
	if room {
		s.tarry(g)
	}
	return g.last
}

// tarry lets a group grow at little cost. The publishers who were just answered are likely to publish again, and would
// find the next sync begun: where they are many they are waited for, for a part of the time that it takes. And whoever
// can run without a wait does so first; on an idle machine that is nobody.
func (s *shard) tarry(g *group) {
	n, d := s.answered.Load(), min(time.Duration(s.synctime.Load()/2), lingerTimeMax)
	if n >= lingerMin && d >= lingerTimeMin {
		s.linger.Reset(d)
		s.ring.Wait(g.last+n*3/4, s.nudge)
		s.linger.Stop()
		s.build(g)
	}
	for range yieldsMax {
		before := g.last
		runtime.Gosched()
		if !s.build(g) || g.last == before {
			return
		}
	}
}

func (s *shard) wake() {
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// build takes what the ring holds into the group and reports whether there is room for more.
func (s *shard) build(g *group) (room bool) {
	now := time.Now().UnixMilli()
	for ; g.last-g.first < uint64(s.engine.opts.GroupMessagesMax) && g.bytes < int64(s.engine.opts.GroupBytesMax); g.last++ {
		m, ok := s.ring.Peek(g.last)
		if !ok {
			return true
		}
		g.bytes += int64(m.Size())
		s.write(g.batch, m, now)
	}
	return false
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
	case !returned && m.DeliverAt() > now && !t.keepsDelayed():
		m.parked = s.engine.timers.park(b, m, TimerPublish, m.DeliverAt())
		if t.queue != nil {
			t.queue.parked(m.DeliverAt())
		}
	default:
		if returned && t.queue != nil {
			t.queue.unparked()
		}
		s.number(b, t, m, now)
	}
}

// number gives a message its sequence, unless it is a duplicate.
func (s *shard) number(b Batch, t *Topic, m *Message, now int64) {
	keyed := m.key != [16]byte{}
	if keyed {
		t.duplicates.forget(b, t, now)
		if t.duplicates.find(m, now) {
			return
		}
		if t.duplicates.full() && m.from.IsZero() { // what comes from the timer is nowhere else any more
			m.err = ErrBusy
			return
		}
	}
	t.next++
	m.setSequence(t.next)
	b.AppendMessage(t.ID, t.next, m.buf)
	t.marks.append(b, t, Mark{Sequence: t.next, At: now}, uint64(len(m.buf)))
	if keyed {
		t.duplicates.remember(b, t, m, now)
	}
}

// dispatch is the dispatcher's goroutine. It ends when the committer has ended.
func (s *shard) dispatch() {
	for g := range s.groups {
		err := g.err
		if err == nil {
			err = g.batch.Wait()
			s.synctime.Store((7*s.synctime.Load() + int64(time.Since(g.applied))) / 8)
		}
		if err != nil {
			s.engine.fail(err)
		}
		s.answered.Store(s.answer(g, err))
		s.syncing.Store(false)
		s.wake()
		s.deliver(g, err)
		s.waiting.Add(-g.bytes)
		s.stats.messages.Add(g.last - g.first)
		s.stats.bytes.Add(uint64(g.bytes))
		s.stats.groups.Add(1)
		s.free <- g
	}
}

// answer gives queues their messages, wakes the publishers of a group and counts them. A message from the timer has none.
func (s *shard) answer(g *group, err error) (publishers uint64) {
	for pos := g.first; pos < g.last; pos++ {
		m, _ := s.ring.Peek(pos)
		if err != nil {
			m.err = ErrUnavailable
		} else if seq := m.Sequence(); seq != 0 && !m.duplicate {
			m.topic.high.Store(uint64(seq))
			if q := m.topic.queue; q != nil {
				q.offer(m) // who was told that a message is sent can receive it
			}
		}
		if !m.waited {
			continue
		}
		if !m.follows { // read before the publisher may go on with the message
			publishers++
		}
		m.done <- struct{}{}
	}
	return publishers
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
			if m.Sequence() != 0 && !m.duplicate && m.topic.queue == nil { // else it is not to be delivered, or not yet, or it was
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
