package pebblestore

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"fanfare/engine"
	"fanfare/engine/schedule"
)

func (c *check) timer(key, value []byte) {
	k, ok := schedule.ParseKey(key[1:])
	at := fmt.Sprintf("t %x", key[1:])
	if !ok {
		c.report.damage(at, "not a key of the timer", "the server does not start")
		return
	}
	const meaning = "this retry or scheduled message is not delivered"
	what, id, _, m, err := engine.ParseTimerEntry(value)
	if err != nil {
		c.report.damage(at, err.Error(), meaning)
		return
	}
	m.Release()
	kind := what.String()
	t := c.timers[kind]
	if t == nil {
		t = &TimerReport{Kind: kind, Next: millis(k.Due)}
		c.timers[kind] = t
	}
	t.Count++
	if what == engine.TimerPublish || what == engine.TimerHeld {
		if q := c.queues[engine.TopicID(id)]; q != nil {
			q.Scheduled++
		} else if c.topics[engine.TopicID(id)] == nil {
			c.report.leftover(fmt.Sprintf("a timer entry (%s) for topic %d, which does not exist", kind, id))
		}
		return
	}
	if s := c.subscriptions[engine.SubscriptionID(id)]; s != nil {
		s.Scheduled++
		return
	}
	c.report.leftover(fmt.Sprintf("a timer entry (%s) for subscription %d, which does not exist", kind, id))
}

func (c *check) deadLetter(key, value []byte) {
	if len(key) != keySizeMax {
		c.report.damage(fmt.Sprintf("d %x", key[1:]), "not a key of a dead letter", "it cannot be read")
		return
	}
	id, seq := binary.BigEndian.Uint64(key[1:]), lastNumber(key)
	d, m, err := engine.ParseDeadLetter(engine.Sequence(seq), value)
	if err != nil {
		c.report.damage(fmt.Sprintf("d %d %d", id, seq), err.Error(), "this dead letter can be listed and purged, not replayed")
		return
	}
	m.Release()
	s := c.subscriptions[engine.SubscriptionID(id)]
	if s == nil {
		c.report.leftover(fmt.Sprintf("a dead letter of subscription %d, which does not exist", id))
		return
	}
	switch d.Reason {
	case engine.ReasonExpired, engine.ReasonAge, engine.ReasonAttempts, engine.ReasonRefused:
	default:
		c.report.damage(fmt.Sprintf("d %d %d", id, seq), fmt.Sprintf("the reason %q is none there is", d.Reason), "why it was not delivered is not known")
	}
	s.DeadLetters[d.Reason]++
}

// messages reads the logs of topics and queues, one by one, so that a range that cannot be read ends with its topic.
func (c *check) messages() {
	after := uint64(0)
	ids := slices.Sorted(maps.Keys(c.topics))
	ids = slices.AppendSeq(ids, maps.Keys(c.queues))
	slices.Sort(ids)
	for _, id := range ids {
		c.strays(after, uint64(id))
		if q := c.queues[id]; q != nil {
			c.queueLog(q)
		} else {
			c.log(c.topics[id])
		}
		after = uint64(id) + 1
	}
	c.strays(after, math.MaxUint64)
}

// strays looks for messages of topics, or of queues, between two ids that exist.
func (c *check) strays(first, end uint64) {
	if first >= end {
		return
	}
	count, topics := 0, map[uint64]bool{}
	c.walk(appendKey2(nil, prefixMessage, first, 0), appendKey2(nil, prefixMessage, end, 0), "nothing: no topic that exists is in this range",
		func(key, _ []byte) {
			count++
			if len(topics) < leftoversMax {
				topics[binary.BigEndian.Uint64(key[1:])] = true
			}
		})
	if count > 0 {
		c.report.leftover(fmt.Sprintf("%d messages of %d topics that do not exist", count, len(topics)))
	}
}

func (c *check) log(t *topicCheck) {
	next := t.trimmed + 1
	id := engine.TopicID(t.ID)
	gap := func(end uint64) {
		if end > next {
			c.report.damage(fmt.Sprintf("m %d %d", t.ID, next), fmt.Sprintf("messages %d to %d of topic %q are missing", next, end-1, t.Name), "they are not delivered")
		}
	}
	c.walk(messageKey(id, 0), messageKey(id, math.MaxUint64), "messages in this range are not delivered", func(key, record []byte) {
		seq := lastNumber(key)
		gap(seq)
		next = max(next, seq+1)
		t.High = max(t.High, seq)
		if t.Messages == 0 {
			t.First = seq
		}
		t.Messages++
		t.Bytes += uint64(len(record))
		c.message(t, engine.Sequence(seq), record)
	})
}

// decode reads the record that a key names. The caller releases the message.
func decode(seq engine.Sequence, record []byte) (*engine.Message, error) {
	m, err := engine.DecodeMessage(record)
	if err == nil && m.Sequence() != seq {
		err = fmt.Errorf("the record says that it is message %d: %w", m.Sequence(), engine.ErrRecordDamaged)
		m.Release()
	}
	return m, err
}

func (c *check) message(t *topicCheck, seq engine.Sequence, record []byte) {
	m, err := decode(seq, record)
	if err != nil {
		c.report.damage(fmt.Sprintf("m %d %d", t.ID, seq), err.Error(), fmt.Sprintf("message %d of topic %q is reported and not delivered", seq, t.Name))
		return
	}
	for _, s := range t.subscriptions {
		if !s.progress.Settled(seq) && s.config.Matches(m) {
			s.Owed++
		}
	}
	m.Release()
}
