package sns

import (
	"bytes"
	"errors"
	"fmt"

	"fanfare/engine"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

const entryIDBytesMax = 80

// batch is the messages of a PublishBatch and what became of them.
type batch struct {
	messages [batchMax]*engine.Message // nil for an entry that is refused alone
	errors   [batchMax]error
	ids      [batchMax][]byte // as the client calls them; views of the call's memory
}

func (b *batch) release() {
	for _, m := range b.messages {
		if m != nil {
			m.Release()
		}
	}
}

// publishBatch answers PublishBatch. It must not allocate unless it refuses. A fault in any entry fails the whole call,
// but for its subject, which fails the entry alone.
func (c *call) publishBatch() error {
	if err := c.scanPublish(true); err != nil {
		return err
	}
	if err := c.checkVersion("PublishBatch"); err != nil {
		return err
	}
	t, err := c.batchTopic()
	if err != nil {
		return err
	}
	var b batch
	defer b.release()
	if err := c.readIDs(&b); err != nil {
		return err
	}
	if err := c.fillBatch(&b, t); err != nil {
		return err
	}
	if err := c.face.publishAll(t, b.messages[:c.form.count], b.errors[:c.form.count]); err != nil {
		return err
	}
	c.replyBatch(t, &b)
	return nil
}

// batchTopic checks the number of entries and finds the topic.
func (c *call) batchTopic() (*engine.Topic, error) {
	raw := c.form.top[topTopicARN]
	switch {
	case raw == nil:
		return nil, noValue("TopicArn")
	case c.form.count == 0:
		return nil, errBatchEmpty
	case c.form.overflow:
		return nil, errBatchMany
	}
	text, err := c.decode(raw)
	if err != nil {
		return nil, err
	}
	return c.topicNamed("TopicArn", text)
}

// readIDs decodes the ids of the entries and checks them.
func (c *call) readIDs(b *batch) error {
	entries := c.form.entries[:c.form.count]
	need := 0
	for i := range entries {
		need += len(entries[i].values[messageID])
	}
	if cap(c.ids) < need {
		c.ids = make([]byte, 0, max(need, batchMax*entryIDBytesMax))
	}
	c.ids = c.ids[:0] // it has room for all, so the views stay where they are
	for i := range entries {
		raw := entries[i].values[messageID]
		if raw == nil {
			return nullMember(fmt.Sprintf("publishBatchRequestEntries.%d.member.id", i+1))
		}
		start := len(c.ids)
		var err error
		if c.ids, err = scan.AppendFormValue(c.ids, raw); err != nil {
			return err
		}
		b.ids[i] = c.ids[start:len(c.ids):len(c.ids)]
		for _, other := range b.ids[:i] {
			if bytes.Equal(other, b.ids[i]) {
				return errBatchIDs
			}
		}
	}
	for _, id := range b.ids[:len(entries)] {
		if len(id) > entryIDBytesMax {
			return invalidID("is too long", id)
		}
		for _, ch := range id {
			if (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9') && ch != '-' && ch != '_' {
				return invalidID("contains an impermissible character", id)
			}
		}
		if len(id) == 0 {
			return invalidID("is empty", id)
		}
	}
	return nil
}

func invalidID(fact string, id []byte) error {
	return &fault{400, "InvalidBatchEntryId", fmt.Sprintf("The Id of a batch entry in the batch request %s: %s", fact, aws.Shorten(id))}
}

// fillBatch makes the messages. On an error those made so far are in the batch, which releases them.
func (c *call) fillBatch(b *batch, t *engine.Topic) error {
	total := 0
	for i := range c.form.entries[:c.form.count] {
		e := &c.form.entries[i]
		m := engine.NewMessage()
		b.messages[i] = m
		m.SetOrigin(engine.OriginSNS)
		c.fillTrace(m)
		switch err := fillSubject(m, e); {
		case errors.Is(err, errSubject):
			b.errors[i], b.messages[i] = err, nil
			m.Release()
			continue
		case err != nil:
			return err
		}
		text, err := fillText(m, e)
		if err != nil {
			return err
		}
		attributes, err := c.fillAttributes(m, e, i+1)
		if err != nil {
			return err
		}
		if total += text + attributes; tooLong(t, total) {
			return errBatchLength
		}
		if err := c.fillRest(m, e, t, ""); err != nil {
			return err
		}
	}
	return nil
}

// publishAll publishes the messages that are not nil and notes what became of each. When all of them failed, the first
// error is returned: the call failed as a whole and can be tried again.
func (f *Face) publishAll(t *engine.Topic, messages []*engine.Message, errs []error) error {
	f.engine.PublishGroup(t, messages, errs)
	accepted, tried := 0, 0
	var first error
	for i, m := range messages {
		if m == nil {
			continue
		}
		tried++
		if errs[i] == nil {
			accepted++
		} else if first == nil {
			first = errs[i]
		}
	}
	if tried > 0 && accepted == 0 {
		return first
	}
	return nil
}

func (c *call) replyBatch(t *engine.Topic, b *batch) {
	n := c.form.count
	failed := 0
	for _, err := range b.errors[:n] {
		if err != nil {
			failed++
		}
	}
	w := c.begin("PublishBatch")
	if failed == 0 {
		w.empty("Failed")
	} else {
		w.open("Failed", "")
		for i, err := range b.errors[:n] {
			if err != nil {
				writeFailed(w, b.ids[i], faultOf(err))
			}
		}
		w.close("Failed", "")
	}
	if failed == n {
		w.empty("Successful")
	} else {
		w.open("Successful", "")
		for i, m := range b.messages[:n] {
			if b.errors[i] == nil {
				w.open("member", "")
				w.begin("Id")
				w.buf = append(w.buf, b.ids[i]...)
				w.end("Id")
				w.published(t, m)
				w.close("member", "")
			}
		}
		w.close("Successful", "")
	}
	c.finish("PublishBatch")
}

func writeFailed(w *xmlWriter, id []byte, f *fault) {
	sender := "true"
	if f.status >= 500 || f.code == "Throttling" {
		sender = "false"
	}
	w.open("member", "")
	w.begin("Id")
	w.buf = append(w.buf, id...)
	w.end("Id")
	w.leaf("Code", f.code)
	w.leaf("Message", f.text)
	w.leaf("SenderFault", sender)
	w.close("member", "")
}
