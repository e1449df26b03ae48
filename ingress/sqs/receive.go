package sqs

import (
	"crypto/md5"
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

const (
	visibilityMax    = int64(engine.VisibilityMax / time.Second)
	visibilityReason = "Must be >= 0 and <= 43200, if provided."
	waitMax          = int64(engine.ReceiveWaitMax / time.Second)
)

// receiveMessage answers ReceiveMessage. It may wait for a message as long as the request, or the queue, says; the
// connection's own goroutine does, and nothing else is held meanwhile but what the call has.
func (c *call) receiveMessage() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	request, err := c.receiveRequest()
	if err != nil {
		return err
	}
	wanted, err := c.readSystem()
	if err != nil {
		return err
	}
	if err := c.readFilter(&c.filter); err != nil {
		return err
	}
	if c.received, err = q.Receive(request, c.received[:0]); err != nil {
		return err
	}
	w := c.begin()
	if len(c.received) > 0 {
		w.openList("Messages")
		for i := range c.received {
			w.openItem("Message")
			c.writeReceived(&c.received[i], wanted, q.Config().FIFO != nil)
			w.closeItem("Message")
		}
		w.closeList()
	}
	c.finish()
	return nil
}

// receiveRequest reads what the receiver wants.
func (c *call) receiveRequest() (engine.ReceiveRequest, error) {
	r := engine.ReceiveRequest{Max: 1, Visibility: -1, Wait: -1, Alive: c.alive}
	most, given, err := c.between(c.form.value(paramMaxMessages), "MaxNumberOfMessages", 1, engine.ReceiveMessagesMax, "Must be between 1 and 10, if provided.")
	if err != nil {
		return r, err
	}
	if given {
		r.Max = int(most)
	}
	visibility, given, err := c.between(c.form.value(paramVisibility), "VisibilityTimeout", 0, visibilityMax, visibilityReason)
	if err != nil {
		return r, err
	}
	if given {
		r.Visibility = time.Duration(visibility) * time.Second
	}
	wait, given, err := c.between(c.form.value(paramWait), "WaitTimeSeconds", 0, waitMax, "Must be >= 0 and <= 20, if provided.")
	if given {
		r.Wait = time.Duration(wait) * time.Second
	}
	return r, err
}

// writeReceived writes a message that was received.
func (c *call) writeReceived(r *engine.Received, wanted systemAttribute, fifo bool) {
	w, m := &c.out, r.Message
	w.begin("MessageId")
	w.buf = m.ID().AppendUUID(w.buf)
	w.end("MessageId")
	w.begin("ReceiptHandle")
	w.buf = appendHandle(w.buf, r.Receipt)
	w.end("ReceiptHandle")
	w.writeMD5("MD5OfBody", bodyMD5(m))
	w.text("Body", m.Body())
	c.writeSystem(r, wanted.of(m, fifo))
	attributes := c.sorted(m, &c.filter)
	if len(attributes) == 0 {
		return
	}
	w.writeMD5("MD5OfMessageAttributes", c.checksum(attributes))
	w.openMap("MessageAttributes")
	for _, a := range attributes {
		w.attribute(a)
	}
	w.closeMap()
}

// bodyMD5 is the MD5 of the text as it is delivered: what is not UTF-8, which other faces take, becomes U+FFFD on its way.
func bodyMD5(m *engine.Message) [md5.Size]byte {
	if body := m.Body(); !utf8.Valid(body) {
		return md5.Sum([]byte(string([]rune(string(body)))))
	}
	return m.BodyMD5()
}

func (c *call) writeSystem(r *engine.Received, wanted systemAttribute) {
	const element, name = "Attribute", "Name"
	if wanted == 0 {
		return
	}
	w, m := &c.out, r.Message
	text := func(bit systemAttribute, key string, value []byte) {
		if wanted&bit != 0 {
			w.beginEntry(element, name, []byte(key))
			w.escaped(value)
			w.endEntry(element)
		}
	}
	number := func(bit systemAttribute, key string, value uint64) {
		if wanted&bit != 0 {
			w.beginEntry(element, name, []byte(key))
			w.buf = strconv.AppendUint(w.buf, value, 10)
			w.endEntry(element)
		}
	}
	w.openMap("Attributes")
	if wanted&senderID != 0 {
		text(senderID, "SenderId", []byte(c.face.opts.Account))
	}
	number(sentTimestamp, "SentTimestamp", uint64(m.PublishedAt()))
	number(receiveCount, "ApproximateReceiveCount", uint64(r.Receives))
	number(firstReceive, "ApproximateFirstReceiveTimestamp", uint64(r.FirstAt))
	if wanted&sequenceNumber != 0 {
		w.beginEntry(element, name, []byte("SequenceNumber"))
		w.buf = aws.AppendSequence(w.buf, m.Sequence())
		w.endEntry(element)
	}
	text(deduplicationID, "MessageDeduplicationId", m.Get(engine.FieldDeduplicationID))
	text(groupID, "MessageGroupId", m.Get(engine.FieldGroup))
	text(trace, traceHeader, m.Get(engine.FieldTrace))
	if wanted&source != 0 {
		text(source, "DeadLetterQueueSourceArn", []byte(c.queueARN(string(m.Get(engine.FieldSource)))))
	}
	w.closeMap()
}

// attribute writes an attribute of a message as a member of their map.
func (w *writer) attribute(a attributeView) {
	if w.json {
		w.text("", a.name)
		w.buf = append(w.buf, ':', '{')
	} else {
		w.element("MessageAttribute")
		w.text("Name", a.name)
		w.element("Value")
	}
	w.text("DataType", a.dataType)
	if a.binary {
		w.begin("BinaryValue")
		w.buf = base64.StdEncoding.AppendEncode(w.buf, a.value)
		w.end("BinaryValue")
	} else {
		w.text("StringValue", a.value)
	}
	if w.json {
		w.close()
	} else {
		w.endElement("Value")
		w.endElement("MessageAttribute")
	}
}
