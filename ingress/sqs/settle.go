package sqs

import (
	"errors"
	"time"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// settling does something with receipts: with the messages that are to be hidden, for how long.
type settling func(q *engine.Queue, receipts []engine.Receipt, hidden []time.Duration, errs []error)

func deleting(q *engine.Queue, receipts []engine.Receipt, _ []time.Duration, errs []error) {
	q.Delete(receipts, errs)
}

// deleteMessage answers DeleteMessage.
func (c *call) deleteMessage() error { return c.settleOne(false, deleting) }

// deleteMessageBatch answers DeleteMessageBatch.
func (c *call) deleteMessageBatch() error {
	return c.settle("DeleteMessageBatchResultEntry", false, deleting)
}

// changeVisibility answers ChangeMessageVisibility.
func (c *call) changeVisibility() error { return c.settleOne(true, (*engine.Queue).ChangeVisibility) }

// changeVisibilityBatch answers ChangeMessageVisibilityBatch.
func (c *call) changeVisibilityBatch() error {
	return c.settle("ChangeMessageVisibilityBatchResultEntry", true, (*engine.Queue).ChangeVisibility)
}

// settleOne does something with the receipt of a request, and answers.
func (c *call) settleOne(hiding bool, do settling) error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	e := &c.form.top
	b := &c.batch
	defer b.release()
	if b.receipts[0], b.hidden[0], err = c.toSettle(e, hiding); err != nil {
		return err
	}
	do(q, b.receipts[:1], b.hidden[:1], b.errors[:1])
	if err := b.errors[0]; err != nil {
		return c.expired(err, e)
	}
	return c.replyNone()
}

// toSettle reads a receipt and, of a message that is to be hidden, how long.
func (c *call) toSettle(e *entry, hiding bool) (receipt engine.Receipt, hidden time.Duration, err error) {
	receipt, err = c.receipt(e)
	if err == nil && hiding {
		hidden, err = c.hidden(e)
	}
	return receipt, hidden, err
}

// expired says of a receipt that is not good any more which one it was.
func (c *call) expired(err error, e *entry) error {
	reason := "The receipt handle has expired."
	switch {
	case errors.Is(err, engine.ErrNotInFlight):
		reason = "Message does not exist or is not available for visibility timeout change."
	case !errors.Is(err, engine.ErrReceiptExpired):
		return err
	}
	handle, textErr := c.text(e.values[paramReceipt])
	if textErr != nil {
		return textErr
	}
	return invalidParam(aws.Shorten(handle), "ReceiptHandle", reason)
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
func (c *call) settle(element string, hiding bool, do settling) error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	b := &c.batch
	defer b.release()
	if err := c.checkBatch(); err != nil {
		return err
	}
	var errs [batchMax]error
	var of [batchMax]int // the entry of each receipt
	n := 0
	for i := range c.form.count {
		if b.receipts[n], b.hidden[n], err = c.toSettle(&c.form.entries[i], hiding); err != nil {
			b.errors[i] = err
			continue
		}
		of[n] = i
		n++
	}
	if n > 0 {
		do(q, b.receipts[:n], b.hidden[:n], errs[:n])
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
