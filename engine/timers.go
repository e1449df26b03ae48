package engine

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"fanfare/engine/schedule"

	"github.com/cespare/xxhash/v2"
)

// TimerKind is what an entry of the durable timer asks for.
type TimerKind byte

// The kinds of timer entries.
const (
	TimerPublish TimerKind = iota + 1 // a message that is due now
	TimerDeliver                      // one more try of one delivery
	TimerHeld                         // half of a transaction; due when it is given up
	TimerBury                         // a dead letter on its way to the subscription's queue
)

func (k TimerKind) String() string {
	if k < TimerPublish || k > TimerBury {
		return "unknown"
	}
	return [...]string{"publish", "deliver", "held", "bury"}[k-TimerPublish]
}

// The value of an entry is a head and a record. Integers are big-endian.
//
//	offset size
//	     0    1  kind
//	     1    8  topic (publish, held) or subscription (deliver, bury)
//	     9    4  attempts made so far
//	    13    8  when the delivery began, ms since 1970; 0: with the message
//	    21    4  checksum: the low half of xxhash64 of the bytes before it
//	    25       record
//
// A torn value fails a checksum, and is reported and not fired.
const (
	timerHeadSize = 25
	timerHeadSum  = 21 // offset of the checksum

	heldAge     = 24 * time.Hour
	snoozeDelay = 100 * time.Millisecond // when an entry could not be taken
	fullDelay   = time.Second            // likewise, since the store takes nothing
)

// Parked is what an entry of the durable timer knows of a delivery.
type Parked struct {
	Attempts int      // made so far
	Since    int64    // when it began, ms since 1970; 0: with its message
	Dead     bool     // it is a dead letter on its way to the subscription's queue
	Entry    TimerKey // the entry itself
}

func appendTimerHead(dst []byte, kind TimerKind, id uint64, p Parked) []byte {
	start := len(dst)
	dst = append(dst, byte(kind))
	dst = binary.BigEndian.AppendUint64(dst, id)
	dst = binary.BigEndian.AppendUint32(dst, uint32(p.Attempts))
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.Since))
	return binary.BigEndian.AppendUint32(dst, uint32(xxhash.Sum64(dst[start:])))
}

// ParseTimerEntry reads a stored entry of the timer, but for its key. The caller releases the message.
func ParseTimerEntry(value []byte) (kind TimerKind, id uint64, p Parked, m *Message, err error) {
	if len(value) < timerHeadSize || binary.BigEndian.Uint32(value[timerHeadSum:]) != uint32(xxhash.Sum64(value[:timerHeadSum])) {
		return 0, 0, p, nil, ErrRecordDamaged
	}
	kind, id = TimerKind(value[0]), binary.BigEndian.Uint64(value[1:])
	p.Attempts, p.Since, p.Dead = int(binary.BigEndian.Uint32(value[9:])), int64(binary.BigEndian.Uint64(value[13:])), kind == TimerBury
	if kind < TimerPublish || kind > TimerBury {
		return 0, 0, p, nil, ErrRecordVersion
	}
	m, err = DecodeMessage(value[timerHeadSize:])
	return kind, id, p, m, err
}

// AppendDeliveryHead appends the head of a timer entry that asks for one more try of a delivery.
func AppendDeliveryHead(dst []byte, sub SubscriptionID, p Parked) []byte {
	kind := TimerDeliver
	if p.Dead {
		kind = TimerBury
	}
	return appendTimerHead(dst, kind, uint64(sub), p)
}

// AppendPublishHead appends the head of a timer entry that publishes its record to a topic.
func AppendPublishHead(dst []byte, topic TopicID) []byte {
	return appendTimerHead(dst, TimerPublish, uint64(topic), Parked{})
}

// timers is the engine's use of the durable timer.
type timers struct {
	*schedule.Timer
	engine *Engine
	value  []byte // the timer's goroutine only

	settling sync.Map // TimerKey of the held messages that are being settled
}

func newTimers(e *Engine) *timers {
	t := &timers{engine: e}
	t.Timer = schedule.New(e.opts.Store, func(err error) {
		e.opts.Log.Error().Err(err).Msg("reading the timer failed")
	})
	return t
}

// park adds a message to a batch as an entry of the timer.
func (t *timers) park(b Batch, m *Message, kind TimerKind, due int64) TimerKey {
	k := t.NewKey(due)
	var head [timerHeadSize]byte
	b.PutTimer(k, appendTimerHead(head[:0], kind, uint64(m.topic.ID), Parked{}), m.buf)
	return k
}

func (t *timers) run(ctx context.Context) { t.Run(ctx, t.fire) }

// fire does what a due entry asks for, or snoozes it.
func (t *timers) fire(k TimerKey) {
	if t.engine.state.Load() != stateRunning {
		t.Snooze(k, time.Now().Add(fullDelay).UnixMilli())
		return
	}
	kind, id, parked, m, ok := t.read(k)
	if !ok {
		return
	}
	taken := false
	switch kind {
	case TimerPublish:
		taken = t.publish(k, TopicID(id), m, parked.Since)
	case TimerDeliver, TimerBury:
		sub := t.engine.catalog.subscription(SubscriptionID(id))
		if sub == nil {
			t.drop(k)
			taken = true
			break
		}
		m.topic = sub.Topic
		m.Retain()
		if taken = t.engine.egress.Due(sub, m, parked); !taken {
			m.Release()
		}
	case TimerHeld:
		t.engine.opts.Log.Warn().Uint64("topic", id).Msg("a transaction was not settled for a day and is dropped")
		t.drop(k)
		taken = true
	}
	m.Release()
	if !taken {
		delay := snoozeDelay
		if t.engine.full() != nil {
			delay = fullDelay
		}
		t.Snooze(k, time.Now().Add(delay).UnixMilli())
	}
}

// read loads an entry; without ok there is nothing left to do for it.
func (t *timers) read(k TimerKey) (kind TimerKind, id uint64, parked Parked, m *Message, ok bool) {
	value, found, err := t.engine.opts.Store.ReadTimer(k, t.value[:0])
	if err != nil {
		t.engine.opts.Log.Error().Err(err).Msg("reading an entry of the timer failed")
		t.Snooze(k, time.Now().Add(time.Second).UnixMilli())
		return
	}
	t.value = value
	if !found {
		t.Settled(k) // it was settled while it waited
		return
	}
	kind, id, parked, m, err = ParseTimerEntry(value)
	if err != nil {
		// It stays in the store for whoever examines it, and is not tried again in this run.
		t.engine.opts.Log.Error().Err(err).Int64("due", k.Due).Uint64("id", k.ID).Msg("an entry of the timer is damaged")
		return
	}
	if cap(t.value) > messageBytesKept {
		t.value = nil
	}
	parked.Entry = k
	return kind, id, parked, m, true
}

// publish puts a due message into its shard's ring; the commit deletes the entry. One that was moved to a queue says since
// when.
func (t *timers) publish(k TimerKey, id TopicID, m *Message, since int64) bool {
	topic := t.engine.catalog.topicByID(id)
	if topic == nil {
		t.orphan(k, m)
		return true
	}
	if q := topic.queue; q != nil && max(since, m.PublishedAt()) < q.Config().PurgedAt {
		q.unparked()
		q.jam.leave(k)
		t.drop(k)
		return true
	}
	if topic.keepsDelayed() { // so it was moved here
		return t.pushMoved(topic.queue, k, m)
	}
	m.topic, m.from = topic, k
	if fifo := topic.Config().FIFO; fifo != nil && !m.IsDeadLetter() {
		m.setKey(fifo) // it was delayed; what died is owed whatever was there before
	}
	return t.push(m)
}

// push puts a message of an entry into its shard's ring, if there is room.
func (t *timers) push(m *Message) bool {
	m.Retain()
	if m.topic.shard.push(m) != nil {
		m.from = TimerKey{}
		m.Release()
		return false
	}
	return true
}

// pushMoved does so with one that was moved to a FIFO queue, where those that were moved before go first.
func (t *timers) pushMoved(q *Queue, k TimerKey, m *Message) bool {
	m.topic, m.from = q.topic, k
	if !q.jam.lets(k) || !t.push(m) {
		q.jam.keep(k)
		return false
	}
	q.jam.leave(k)
	return true
}

// orphan ends an entry whose topic was deleted. A dead letter goes back to where it came from.
func (t *timers) orphan(k TimerKey, m *Message) {
	b := t.engine.opts.Store.NewBatch()
	if !m.IsDeadLetter() || !t.engine.returnDeadLetter(b, m) {
		t.drop(k)
		return
	}
	b.DeleteTimer(k)
	if t.engine.write(b) == nil {
		t.Settled(k)
	}
}

// drop deletes an entry without waiting for the disk: should it come back, it is dropped again.
func (t *timers) drop(k TimerKey) {
	b := t.engine.opts.Store.NewBatch()
	b.DeleteTimer(k)
	if err := b.Apply(false); err != nil {
		t.engine.opts.Log.Error().Err(err).Msg("dropping an entry of the timer failed")
	}
	t.Settled(k)
}

// settleHeld publishes or drops a held message, once.
func (t *timers) settleHeld(topic *Topic, k TimerKey, publish bool) error {
	if _, busy := t.settling.LoadOrStore(k, struct{}{}); busy {
		return ErrHeldNotFound // somebody else is settling it right now
	}
	defer t.settling.Delete(k)
	value, ok, err := t.engine.opts.Store.ReadTimer(k, nil)
	if err != nil {
		return ErrUnavailable
	}
	if !ok {
		return ErrHeldNotFound
	}
	kind, id, _, m, err := ParseTimerEntry(value)
	if err != nil {
		return ErrUnavailable
	}
	defer m.Release()
	if kind != TimerHeld || TopicID(id) != topic.ID {
		return ErrHeldNotFound
	}
	if !publish {
		b := t.engine.opts.Store.NewBatch()
		b.DeleteTimer(k)
		if err := t.engine.write(b); err != nil {
			return err
		}
		t.Settled(k)
		return nil
	}
	m.from = k
	return t.engine.Publish(topic, m)
}
