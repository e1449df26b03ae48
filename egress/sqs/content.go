package sqs

import (
	"crypto/sha256"
	"encoding/hex"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/jsontext"
)

// content is what a queue gets of messages, wherever it is. Immutable.
type content struct {
	subscriber egress.Encoder // renders the body
	protocol   string         // whose text of a message by protocol that is
	bare       bool           // the body is the text alone, and the attributes travel beside it
	strict     bool           // they do so or the message is refused; else they do if they can
	fifo       bool           // the queue keeps an order
}

// contentFor is what a queue gets for a subscriber: for one that is a queue itself the same.
func contentFor(subscriber egress.Encoder, queue string) content {
	c := content{subscriber: subscriber}
	switch e := subscriber.(type) {
	case *encoder:
		c = e.content
	case *placer:
		c = e.content
	case egress.Barer:
		c.bare = e.Bare()
	}
	c.strict, c.fifo = false, isFIFO(queue)
	return c
}

// Bare reports whether the body is the text alone.
func (c *content) Bare() bool { return c.bare }

// ordered reports whether the message comes from a topic that keeps an order.
func ordered(m *engine.Message) bool {
	t := m.Topic()
	return t != nil && t.Config().FIFO != nil
}

// appendGroup appends the group that the message has in the queue, nothing for none: what the publisher gave, which of a
// topic without an order makes a queue without one a fair queue. In a FIFO queue there is always one: the topic, if need be.
func (c *content) appendGroup(dst []byte, m *engine.Message) []byte {
	group := m.Get(engine.FieldGroup)
	switch {
	case c.fifo && len(group) == 0:
		return append(dst, m.Topic().Name()...)
	case !c.fifo && ordered(m):
		return dst
	}
	return append(dst, group...)
}

// appendDeduplication appends the deduplication id that the message has in a FIFO queue: the publisher's, or the SHA-256
// of the text, of a topic that has an order; what another topic takes twice is not the same, so there it is the message's.
func (c *content) appendDeduplication(dst []byte, m *engine.Message) []byte {
	if id := m.Get(engine.FieldDeduplicationID); len(id) > 0 {
		return append(dst, id...)
	}
	if !ordered(m) {
		return m.ID().AppendUUID(dst)
	}
	text, grown := m.Body(), dst
	if structure := m.Get(engine.FieldStructure); structure != nil {
		if literal, ok := jsontext.ByProtocol(structure, c.protocol); ok {
			grown = jsontext.AppendUnescaped(dst, literal)
			text = grown[len(dst):]
		}
	}
	sum := sha256.Sum256(text)
	return hex.AppendEncode(grown[:len(dst)], sum[:])
}
