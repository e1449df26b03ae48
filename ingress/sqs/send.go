package sqs

import (
	"fanfare/engine"
	"fanfare/ingress/aws"
)

// sendMessage answers SendMessage. It must not allocate unless it refuses.
func (c *call) sendMessage() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	m := engine.NewMessage()
	defer m.Release()
	config := q.Config()
	if _, err := c.fillMessage(m, config, &c.form.top); err != nil {
		return err
	}
	m.SumBody()
	if err := c.face.engine.Publish(q.Topic(), m); err != nil {
		return err
	}
	c.begin()
	c.writeSent(m, config, &c.form.top)
	c.finish()
	return nil
}

// writeSent writes what the sender of a message is told of it.
func (c *call) writeSent(m *engine.Message, q *engine.QueueConfig, e *entry) {
	w := &c.out
	w.writeMD5("MD5OfMessageBody", m.BodyMD5())
	if e.attributes.sent > 0 {
		w.writeMD5("MD5OfMessageAttributes", c.checksum(c.sorted(m, allAttributes)))
	}
	if e.system.sent > 0 {
		w.writeMD5("MD5OfMessageSystemAttributes", c.checksum(c.systemAttributes(m)))
	}
	w.begin("MessageId")
	w.buf = m.ID().AppendUUID(w.buf)
	w.end("MessageId")
	if q.FIFO != nil {
		w.begin("SequenceNumber")
		w.buf = aws.AppendSequence(w.buf, m.Sequence())
		w.end("SequenceNumber")
	}
}

// systemAttributes returns what the sender said beside the attributes, in the form of an attribute.
func (c *call) systemAttributes(m *engine.Message) []attributeView {
	c.sorting = append(c.sorting[:0], attributeView{name: traceName, dataType: traceType, value: m.Get(engine.FieldTrace)})
	return c.sorting
}

var (
	traceName = []byte(traceHeader)
	traceType = []byte("String")
)
