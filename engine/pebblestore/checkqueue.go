package pebblestore

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"fanfare/engine"
)

type queueCheck struct {
	QueueReport
	progress engine.QueueProgress
	saved    bool
	received []uint64 // sequences that have a StateReceived, in order
}

func (c *check) catalogQueue(name string, id uint64, value []byte) {
	var config engine.QueueConfig
	if err := json.Unmarshal(value, &config); err != nil {
		c.report.damage("c "+name, err.Error(), "the server does not start")
		return
	}
	for _, fault := range config.Validate() {
		c.report.damage("c "+name, fault.Error(), "the queue's settings are not ones that could be made")
	}
	c.queues[engine.TopicID(id)] = &queueCheck{
		QueueReport: QueueReport{ID: id, Name: config.Name, FIFO: config.FIFO != nil},
		progress:    engine.QueueProgress{Next: 1},
	}
}

// linkQueues compares the queues with each other and with the topics, whose ids they share.
func (c *check) linkQueues() {
	names := map[string]uint64{}
	for _, q := range sortedByID(c.queues) {
		if other, twice := names[q.Name]; twice {
			c.report.damage(fmt.Sprintf("c q/%d", q.ID), fmt.Sprintf("queue %d has the same name", other), "one of the two is never reached")
		}
		names[q.Name] = q.ID
		c.numbered("q", q.ID)
		if t := c.topics[engine.TopicID(q.ID)]; t != nil {
			c.report.damage(fmt.Sprintf("c q/%d", q.ID), fmt.Sprintf("topic %q has the same id", t.Name), "each has the messages of both")
		}
	}
}

func (c *check) queueProgress(q *queueCheck, value []byte) {
	var ok bool
	if q.progress, ok = engine.ParseQueueProgress(value); !ok {
		c.report.damage(fmt.Sprintf("p %d", q.ID), fmt.Sprintf("%x is no progress of a queue", value),
			"how many messages the queue has is not known, and sequences may be given twice")
	}
	q.saved = true
	q.High = max(q.High, uint64(q.progress.High))
}

func (c *check) state(key, value []byte) {
	if len(key) != stateKeySize {
		c.report.damage(fmt.Sprintf("s %x", key[1:]), "not a key of a state", "it is not used")
		return
	}
	id, kind, seq := binary.BigEndian.Uint64(key[1:]), engine.StateKind(key[9]), lastNumber(key)
	at := fmt.Sprintf("s %d %d %d", id, kind, seq)
	t, q := c.topics[engine.TopicID(id)], c.queues[engine.TopicID(id)]
	switch kind {
	case engine.StateReceived:
		if err := engine.CheckReceived(value); err != nil {
			c.report.damage(at, err.Error(), "how often the message was received is not known; it is visible")
		}
		if q != nil {
			q.received = append(q.received, seq)
			return
		}
		if t != nil {
			c.report.leftover(fmt.Sprintf("message %d of topic %q was received, but it is no queue", seq, t.Name))
			return
		}
	case engine.StatePublished:
		if _, _, _, err := engine.ParsePublished(engine.Sequence(seq), value); err != nil {
			c.report.damage(at, err.Error(), "a duplicate of the message may be taken")
		}
		if q != nil {
			q.Known++
			return
		}
		if t != nil {
			t.Known++
			return
		}
	default:
		c.report.damage(at, "an unknown kind of state", "it is not used")
		return
	}
	c.strayStates[id]++
}

// queueLog reads the messages of a queue. They are deleted one by one, so that gaps are no damage; but one that lies where
// the queue has been must be known, and one that is known must be there.
func (c *check) queueLog(q *queueCheck) {
	id := engine.TopicID(q.ID)
	known := q.received
	lost := func(end uint64) {
		for len(known) > 0 && known[0] < end {
			c.report.damage(fmt.Sprintf("s %d %d %d", q.ID, engine.StateReceived, known[0]), "the message that was received is not there",
				fmt.Sprintf("message %d of queue %q is lost", known[0], q.Name))
			known = known[1:]
		}
	}
	c.walk(messageKey(id, 0), messageKey(id, math.MaxUint64), "messages in this range cannot be received", func(key, record []byte) {
		seq := lastNumber(key)
		lost(seq)
		q.High = max(q.High, seq)
		q.Messages++
		q.Bytes += uint64(len(record))
		received := len(known) > 0 && known[0] == seq
		if received {
			q.Received++
			known = known[1:]
		}
		c.queueMessage(q, seq, record, received)
	})
	lost(math.MaxUint64)
}

func (c *check) queueMessage(q *queueCheck, seq uint64, record []byte, received bool) {
	at := fmt.Sprintf("m %d %d", q.ID, seq)
	m, err := decode(engine.Sequence(seq), record)
	if err != nil {
		c.report.damage(at, err.Error(), fmt.Sprintf("message %d of queue %q is reported and cannot be received", seq, q.Name))
		return
	}
	m.Release()
	if next := uint64(q.progress.Next); seq < next && (q.FIFO || !received) {
		c.report.damage(at, fmt.Sprintf("the queue has come to %d, and does not know of the message", next),
			fmt.Sprintf("message %d of queue %q is not received", seq, q.Name))
	}
}

func (c *check) finishQueues() {
	for _, q := range sortedByID(c.queues) {
		if next := uint64(q.progress.Next); next > q.High+1 {
			c.report.damage(fmt.Sprintf("p %d", q.ID), fmt.Sprintf("the queue has come to %d, but has only had %d messages", next, q.High),
				"as many new messages as lie between are not received")
		}
		if !q.saved && q.Received > 0 {
			c.report.damage(fmt.Sprintf("p %d", q.ID), "messages were received, but the queue has no progress", "how many messages the queue has is not known")
		}
		c.report.Queues = append(c.report.Queues, q.QueueReport)
		c.report.MessageCount += q.Messages
		c.report.MessageBytes += q.Bytes
	}
	for _, id := range slices.Sorted(maps.Keys(c.strayStates)) {
		c.report.leftover(fmt.Sprintf("%d states of messages of topic %d, which does not exist", c.strayStates[id], id))
	}
}
