package sqs

import (
	"encoding/base64"

	"fanfare/engine"
)

const (
	faultSize       = "the message is larger than the queue takes"
	faultAttributes = "the message has more than 10 attributes, or one that a queue does not take"
)

var (
	encodingName  = []byte(encodingAttribute)
	encodingType  = []byte("String")
	encodingValue = []byte("base64")
)

// placer puts messages into a queue of ours. Everything in it is immutable.
type placer struct {
	content
	queue string
}

// Queue is the queue's name.
func (p *placer) Queue() string { return p.queue }

// Body renders what the queue gets as the body.
func (p *placer) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	return p.subscriber.Body(scratch, m)
}

// AppendHeader appends nothing: there is no request.
func (*placer) AppendHeader(dst []byte, _ *engine.Message, _ []byte, _ int) []byte { return dst }

// Place fills the message for the queue. What it says of an order follows the queue as it is, whatever its name.
func (p *placer) Place(dst, m *engine.Message, queue *engine.QueueConfig) (fault string) {
	encoded := p.placeBody(dst, m)
	if !p.placeAttributes(dst, m, encoded) {
		return faultAttributes
	}
	if queue.MessageMax > 0 && size(dst) > queue.MessageMax {
		return faultSize
	}
	c := p.content
	c.fifo = queue.FIFO != nil
	arena := dst.Begin(engine.FieldGroup)
	if grown := c.appendGroup(arena, m); len(grown) > len(arena) {
		dst.End(grown)
	} else {
		dst.Discard(grown)
	}
	if c.fifo {
		dst.End(c.appendDeduplication(dst.Begin(engine.FieldDeduplicationID), m))
	}
	if trace := m.Get(engine.FieldTrace); len(trace) > 0 {
		dst.Set(engine.FieldTrace, trace)
	}
	return ""
}

// placeBody renders the body where it will lie, and reports whether it had to be encoded.
func (p *placer) placeBody(dst, m *engine.Message) (encoded bool) {
	arena := dst.Begin(engine.FieldBody)
	body, grown := p.subscriber.Body(arena, m)
	start := len(arena)
	if !sayable(body) {
		end := len(grown)
		grown = base64.StdEncoding.AppendEncode(grown, body)
		dst.End(append(grown[:start], grown[end:]...))
		return true
	}
	if tail := grown[start:]; len(tail) != len(body) || len(body) > 0 && &tail[0] != &body[0] {
		grown = append(grown[:start], body...) // a view of the message, or behind what it was made of
	}
	dst.End(grown)
	return false
}

// placeAttributes adds the message's attributes, if they are to travel, and how the body is encoded. It reports whether
// that can be.
func (p *placer) placeAttributes(dst, m *engine.Message, encoded bool) bool {
	room := attributesMax
	if encoded {
		room--
		dst.AddAttribute(encodingName, encodingType, encodingValue, false)
	}
	switch {
	case !p.bare:
	case carried(m, room):
		for it := m.Attributes(); it.Next(); {
			dst.AddAttribute(it.Name, it.Type, it.Value, it.Binary)
		}
	default:
		return !p.strict || !m.HasAttributes()
	}
	return true
}

// size is what a queue's limit counts: the body and the attributes.
func size(m *engine.Message) int {
	n := len(m.Body())
	for it := m.Attributes(); it.Next(); {
		n += len(it.Name) + len(it.Type) + len(it.Value)
	}
	return n
}
