package sqs

import (
	"errors"
	"time"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// deleteMessage answers DeleteMessage.
func (c *call) deleteMessage() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	b := &c.batch
	defer b.release()
	if b.receipts[0], err = c.receipt(&c.form.top); err != nil {
		return err
	}
	q.Delete(b.receipts[:1], b.errors[:1])
	if err := b.errors[0]; err != nil {
		return c.expired(err, &c.form.top)
	}
	return c.replyNone()
}

// expired says of a receipt that is not good any more which one it was.
func (c *call) expired(err error, e *entry) error {
	if !errors.Is(err, engine.ErrReceiptExpired) {
		return err
	}
	handle, textErr := c.text(e.values[paramReceipt])
	if textErr != nil {
		return textErr
	}
	return invalidParam(aws.Shorten(handle), "ReceiptHandle", "The receipt handle has expired.")
}

// deleteMessageBatch answers DeleteMessageBatch.
func (c *call) deleteMessageBatch() error {
	return c.settle("DeleteMessageBatchResultEntry", false, func(q *engine.Queue, receipts []engine.Receipt, _ []time.Duration, errs []error) {
		q.Delete(receipts, errs)
	})
}

// changeVisibility answers ChangeMessageVisibility.
func (c *call) changeVisibility() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	b := &c.batch
	defer b.release()
	if b.receipts[0], err = c.receipt(&c.form.top); err != nil {
		return err
	}
	hidden, err := c.hidden(&c.form.top)
	if err != nil {
		return err
	}
	q.ChangeVisibility(b.receipts[:1], []time.Duration{hidden}, b.errors[:1])
	if err := b.errors[0]; err != nil {
		return c.expired(err, &c.form.top)
	}
	return c.replyNone()
}

// changeVisibilityBatch answers ChangeMessageVisibilityBatch.
func (c *call) changeVisibilityBatch() error {
	return c.settle("ChangeMessageVisibilityBatchResultEntry", true, (*engine.Queue).ChangeVisibility)
}

// hidden reads how long a message is to be hidden.
func (c *call) hidden(e *entry) (time.Duration, error) {
	seconds, given, err := c.between(e.values[paramVisibility], "VisibilityTimeout", 0, visibilityMax, visibilityReason)
	if err == nil && !given {
		err = missing("VisibilityTimeout")
	}
	return time.Duration(seconds) * time.Second, err
}

// settle does something with the receipts of a batch, those that are receipts, and answers.
func (c *call) settle(element string, hiding bool, do func(q *engine.Queue, receipts []engine.Receipt, hidden []time.Duration, errs []error)) error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	b := &c.batch
	defer b.release()
	if err := c.checkBatch(); err != nil {
		return err
	}
	var hidden [batchMax]time.Duration
	var errs [batchMax]error
	var of [batchMax]int // the entry of each receipt
	n := 0
	for i := range c.form.count {
		e := &c.form.entries[i]
		b.receipts[n], err = c.receipt(e)
		if err == nil && hiding {
			hidden[n], err = c.hidden(e)
		}
		if err != nil {
			b.errors[i] = err
			continue
		}
		of[n] = i
		n++
	}
	if n > 0 {
		do(q, b.receipts[:n], hidden[:n], errs[:n])
	}
	for i, err := range errs[:n] {
		if err != nil {
			b.errors[of[i]] = c.expired(err, &c.form.entries[of[i]])
		}
	}
	if err := c.unavailable(n, errs[:n]); err != nil {
		return err
	}
	c.replyBatch(element, func(int) {})
	return nil
}

// unavailable returns the error of a batch that failed as a whole and can be tried again.
func (c *call) unavailable(n int, errs []error) error {
	for _, err := range errs {
		if err == nil || faultOf(err).status < 500 {
			return nil
		}
	}
	if n == 0 || n < c.form.count {
		return nil
	}
	return errs[0]
}
