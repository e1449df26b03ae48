package sqs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"fanfare/engine"
	"fanfare/engine/jsontext"
	"fanfare/ingress/aws"
)

// fillMessage checks a message in the order in which SQS does, sets its fields and returns its size: the bytes of its text
// and, of each attribute, name, type and value.
func (c *call) fillMessage(m *engine.Message, q *engine.QueueConfig, e *entry) (size int, err error) {
	m.SetOrigin(engine.OriginSQS)
	if size, err = c.fillBody(m, e.values[paramBody]); err != nil {
		return 0, err
	}
	if size > q.MessageMax {
		return 0, tooLong(q)
	}
	attributes, err := c.fillAttributes(m, &e.attributes)
	if err != nil {
		return 0, err
	}
	if size += attributes; size > q.MessageMax {
		return 0, tooLong(q)
	}
	if err := c.fillSystem(m, &e.system); err != nil {
		return 0, err
	}
	if err := c.fillGroup(m, q, e); err != nil {
		return 0, err
	}
	return size, c.fillDelay(m, q, e)
}

func tooLong(q *engine.QueueConfig) error {
	return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.MessageMax)
}

// fillBody sets the text and returns its size.
func (c *call) fillBody(m *engine.Message, raw []byte) (size int, err error) {
	if len(raw) == 0 {
		return 0, missing("MessageBody")
	}
	arena := m.Begin(engine.FieldBody)
	start := len(arena)
	if arena, err = c.appendText(arena, raw); err != nil {
		return 0, err
	}
	if !isContents(arena[start:]) {
		return 0, errContents
	}
	m.End(arena)
	return len(arena) - start, nil
}

// isContents reports whether text that is UTF-8 has no other characters than a message may have, which are those of XML.
func isContents(text []byte) bool {
	if bytes.Contains(text, notCharacterFE) || bytes.Contains(text, notCharacterFF) {
		return false
	}
	for len(text) > 0 {
		i := jsontext.IndexSpecial(text)
		if i == len(text) {
			break
		}
		if b := text[i]; b < ' ' && b != '\t' && b != '\n' && b != '\r' {
			return false
		}
		text = text[i+1:]
	}
	return true
}

var (
	notCharacterFE = []byte("\uFFFE")
	notCharacterFF = []byte("\uFFFF")
)

// fillGroup sets what a FIFO queue orders and compares by.
func (c *call) fillGroup(m *engine.Message, q *engine.QueueConfig, e *entry) error {
	group, dedup := e.values[paramGroup], e.values[paramDedup]
	switch {
	case q.FIFO == nil && len(dedup) > 0:
		return c.wrongQueue(dedup, "MessageDeduplicationId")
	case q.FIFO != nil && len(group) == 0:
		return missing("MessageGroupId")
	case q.FIFO != nil && len(dedup) == 0 && !q.FIFO.ByContent:
		return errDedup
	}
	if len(group) > 0 {
		if err := c.fillID(m, engine.FieldGroup, group, "MessageGroupId"); err != nil {
			return err
		}
	}
	switch {
	case len(dedup) > 0:
		return c.fillID(m, engine.FieldDeduplicationID, dedup, "MessageDeduplicationId")
	case q.FIFO != nil:
		// It is what receivers are told, so it is kept, although the engine would find the same.
		sum := sha256.Sum256(m.Body())
		m.End(hex.AppendEncode(m.Begin(engine.FieldDeduplicationID), sum[:]))
	}
	return nil
}

// fillID sets an id of 1 to 128 letters, digits and ASCII punctuation.
func (c *call) fillID(m *engine.Message, field engine.Field, raw []byte, name string) error {
	arena := m.Begin(field)
	start := len(arena)
	arena, err := c.appendText(arena, raw)
	if err != nil {
		return err
	}
	if id := arena[start:]; !aws.IsOrderID(id) {
		return invalidParam(aws.Shorten(id), name, name+" can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	m.End(arena)
	return nil
}

func (c *call) wrongQueue(raw []byte, name string) error {
	text, err := c.text(raw)
	if err != nil {
		return err
	}
	return invalidParam(aws.Shorten(text), name, "The request include parameter that is not valid for this queue type.")
}

const delayMax = int64(engine.QueueDelayMax / time.Second)

// fillDelay sets the time before which the message is not received, where it says so itself.
func (c *call) fillDelay(m *engine.Message, q *engine.QueueConfig, e *entry) error {
	delay, given, err := c.between(e.values[paramDelay], "DelaySeconds", 0, delayMax, delayReason)
	switch {
	case err != nil || !given:
		return err
	case q.FIFO == nil:
		m.SetDeliverAt(m.PublishedAt() + delay*1000)
	case delay != 0:
		return c.wrongQueue(e.values[paramDelay], "DelaySeconds")
	}
	return nil
}

var delayReason = "DelaySeconds must be >= 0 and <= " + strconv.FormatInt(delayMax, 10) + "."
