package sqs

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"fanfare/engine"
)

const (
	entryIDBytesMax = 80
	batchBytesMax   = engine.QueueMessageBytesMax
)

// batch is what became of the entries of a batch.
type batch struct {
	ids      [batchMax][]byte // as the client calls them; views of the call's memory
	errors   [batchMax]error
	messages [batchMax]*engine.Message // nil for an entry that is refused alone
	receipts [batchMax]engine.Receipt
	hidden   [batchMax]time.Duration // of the receipts
}

func (b *batch) release() {
	for _, m := range b.messages {
		if m != nil {
			m.Release()
		}
	}
	*b = batch{}
}

// checkBatch checks the number of entries and their ids, which are kept until the reply.
func (c *call) checkBatch() error {
	f := &c.form
	switch {
	case f.sent == 0:
		return &fault{400, "EmptyBatchRequest", servicePrefix + "EmptyBatchRequest", "There should be at least one " + c.action + "RequestEntry in the request."}
	case f.sent > batchMax:
		return &fault{
			400, "TooManyEntriesInBatchRequest", servicePrefix + "TooManyEntriesInBatchRequest",
			fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", batchMax, f.sent),
		}
	}
	entries := f.entries[:f.count]
	room := 0
	for i := range entries {
		room += len(entries[i].values[paramID])
	}
	c.makeRoom(room)
	for i := range entries {
		id, err := c.kept(entries[i].values[paramID])
		if err != nil {
			return err
		}
		if !isEntryID(id) {
			return errBatchID
		}
		for _, other := range c.batch.ids[:i] {
			if bytes.Equal(other, id) {
				return errBatchIDs
			}
		}
		c.batch.ids[i] = id
	}
	return nil
}

func isEntryID(id []byte) bool {
	for _, b := range id {
		if (b|0x20 < 'a' || b|0x20 > 'z') && (b < '0' || b > '9') && b != '-' && b != '_' {
			return false
		}
	}
	return len(id) > 0 && len(id) <= entryIDBytesMax
}

// sendMessageBatch answers SendMessageBatch. It must not allocate unless it refuses. Each entry is accepted or refused
// alone, but for what is wrong with the batch as a whole.
func (c *call) sendMessageBatch() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	b := &c.batch
	defer b.release()
	if err := c.checkBatch(); err != nil {
		return err
	}
	config := q.Config()
	n := c.form.count
	total := 0
	for i := range n {
		e := &c.form.entries[i]
		m := engine.NewMessage()
		size, err := c.fillMessage(m, config, e)
		if err != nil {
			m.Release()
			if err := batchFault(err); err != nil {
				return err
			}
			b.errors[i] = err
			total += len(e.values[paramBody]) // it counts all the same, as far as it is known
			continue
		}
		m.SumBody()
		b.messages[i] = m
		total += size
	}
	if total > batchBytesMax {
		return &fault{
			400, "BatchRequestTooLong", servicePrefix + "BatchRequestTooLong",
			fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", batchBytesMax, total),
		}
	}
	if err := c.publishAll(q.Topic(), n); err != nil {
		return err
	}
	c.replyBatch("SendMessageBatchResultEntry", func(i int) { c.writeSent(b.messages[i], config, &c.form.entries[i]) })
	return nil
}

// batchFault returns what to refuse the whole batch with when an entry cannot be ordered, or be compared with others; nil
// for what is wrong with the entry alone.
func batchFault(err error) error {
	switch {
	case errors.Is(err, errNoGroup):
		return errNoGroups
	case errors.Is(err, errDedup):
		return errDedup
	}
	return nil
}

// publishAll publishes the messages of the batch. When there was one and all of them failed, the first error is returned:
// the call failed as a whole and can be tried again.
func (c *call) publishAll(t *engine.Topic, n int) error {
	b := &c.batch
	c.face.engine.PublishGroup(t, b.messages[:n], b.errors[:n])
	accepted, tried := 0, 0
	var first error
	for i, m := range b.messages[:n] {
		if m == nil {
			continue
		}
		tried++
		if b.errors[i] == nil {
			accepted++
		} else if first == nil {
			first = b.errors[i]
		}
	}
	if tried > 0 && accepted == 0 {
		return first
	}
	return nil
}

// replyBatch says what became of each entry; fn writes what is known of one beside its id.
func (c *call) replyBatch(element string, fn func(i int)) {
	b, n := &c.batch, c.form.count
	failed := 0
	for _, err := range b.errors[:n] {
		if err != nil {
			failed++
		}
	}
	w := c.begin()
	if failed < n {
		w.openList("Successful")
		for i, err := range b.errors[:n] {
			if err == nil {
				w.openItem(element)
				w.text("Id", b.ids[i])
				fn(i)
				w.closeItem(element)
			}
		}
		w.closeList()
	}
	if failed > 0 {
		w.openList("Failed")
		for i, err := range b.errors[:n] {
			if err != nil {
				w.writeFailed(b.ids[i], faultOf(err))
			}
		}
		w.closeList()
	}
	c.finish()
}

func (w *writer) writeFailed(id []byte, f *fault) {
	const element = "BatchResultErrorEntry"
	w.openItem(element)
	w.text("Id", id)
	w.truth("SenderFault", f.status < 500 && f.shape != codeThrottled)
	w.str("Code", f.queryCode())
	w.str("Message", f.text)
	w.closeItem(element)
}
