package sqs

import (
	"encoding/base64"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SQS API reference, CreateQueue, DeleteQueue, PurgeQueue, ListQueues and GetQueueUrl, read 2026-11.

const listQueuesMax = 1000

var (
	errQueueName = &fault{400, shapeInvalid, codeInvalid, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"}
	errFIFOName  = &fault{400, shapeInvalid, codeInvalid, "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."}
)

// createQueue makes a queue. One that exists is as good, as long as every attribute that is given is as it has it.
func (c *call) createQueue() error {
	name, err := c.str(paramQueueName)
	if err != nil {
		return err
	}
	if name == "" {
		return missing("QueueName")
	}
	given, err := c.pairs(c.form.attributes)
	if err != nil {
		return err
	}
	tags, err := c.readTags()
	if err != nil {
		return err
	}
	config := engine.NewQueueConfig(name)
	config.Labels = map[string]string{}
	if err := setType(&config, given); err != nil {
		return err
	}
	changes, err := c.changes(&config, given)
	if err != nil {
		return err
	}
	for _, change := range changes {
		change(&config)
	}
	for _, tag := range tags {
		config.Labels[labelTag+tag.key] = tag.value
	}
	q, created, err := c.face.engine.CreateQueue(config)
	if err != nil {
		return err
	}
	if created {
		c.face.opts.Log.Info().Str("queue", name).Msg("queue created")
	} else if err := c.compare(q.Config(), &config, given); err != nil {
		return err
	}
	return c.replyURL(name)
}

// setType makes a queue a FIFO queue, when its attributes and its name agree on that.
func setType(config *engine.QueueConfig, given []text) error {
	fifo := false
	for _, a := range given {
		if a.key == attributeFIFO {
			switch a.value {
			case "true":
				fifo = true
			case "false": // a standard queue has no such attribute
				return unknownAttribute(attributeFIFO)
			default:
				return badAttribute(attributeFIFO)
			}
		}
	}
	switch suffixed := strings.HasSuffix(config.Name, aws.FIFOSuffix); {
	case fifo && (!suffixed || !aws.IsQueueName(config.Name)):
		return errFIFOName
	case suffixed && !fifo, !aws.IsQueueName(config.Name):
		return errQueueName
	case fifo:
		config.FIFO = &engine.FIFO{}
	}
	return nil
}

// compare refuses to make a queue that exists with other attributes.
func (c *call) compare(have, want *engine.QueueConfig, given []text) error {
	for _, g := range given {
		a := attributeOf(g.key)
		if a.read(c, have) != a.read(c, want) {
			return &fault{400, "QueueNameExists", "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute " + g.key}
		}
	}
	return nil
}

func (c *call) replyURL(name string) error {
	w := c.begin()
	c.scratch = c.appendURL(c.scratch[:0], name)
	w.text("QueueUrl", c.scratch)
	c.finish()
	return nil
}

func (c *call) getQueueURL() error {
	name, err := c.str(paramQueueName)
	if err != nil {
		return err
	}
	if name == "" {
		return missing("QueueName")
	}
	q := c.face.engine.Queue([]byte(name))
	if q == nil {
		return errNoQueue
	}
	return c.replyURL(q.Name())
}

func (c *call) deleteQueue() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	if err := c.face.engine.DeleteQueue(q.Name()); err != nil {
		return err
	}
	c.face.opts.Log.Info().Str("queue", q.Name()).Msg("queue deleted")
	return c.replyNone()
}

// purgeQueue forgets a queue's messages. The service allows it once a minute; here it is one write, and allowed always.
func (c *call) purgeQueue() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	if err := c.face.engine.PurgeQueue(q); err != nil {
		return err
	}
	return c.replyNone()
}

// page reads MaxResults and NextToken. Without the first there is no second in the reply.
func (c *call) page() (limit int, paged bool, after string, err error) {
	n, paged, err := c.integer(c.form.value(paramMaxResults))
	if err != nil {
		return 0, false, "", err
	}
	limit = listQueuesMax
	if paged {
		if n < 1 || n > listQueuesMax {
			return 0, false, "", invalid("Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.")
		}
		limit = int(n)
	}
	token, err := c.str(paramNextToken)
	if err != nil {
		return 0, false, "", err
	}
	last, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, false, "", invalid("Invalid or expired next token.")
	}
	return limit, paged, string(last), nil
}

// replyQueues sends a page of a list of queues, of which there may be one more than the page holds.
func (c *call) replyQueues(listName string, queues []*engine.Queue, limit int, paged bool) error {
	w := c.begin()
	more := len(queues) > limit
	queues = queues[:min(limit, len(queues))]
	if len(queues) > 0 {
		w.openList(listName)
		for _, q := range queues {
			c.scratch = c.appendURL(c.scratch[:0], q.Name())
			w.item("QueueUrl", c.scratch)
		}
		w.closeList()
	}
	if more && paged {
		w.str("NextToken", base64.RawURLEncoding.EncodeToString([]byte(queues[len(queues)-1].Name())))
	}
	c.finish()
	return nil
}

func (c *call) listQueues() error {
	limit, paged, after, err := c.page()
	if err != nil {
		return err
	}
	prefix, err := c.str(paramPrefix)
	if err != nil {
		return err
	}
	return c.replyQueues("QueueUrls", c.face.engine.Queues(prefix, after, limit+1), limit, paged)
}

// listDeadLetterSourceQueues lists the queues whose dead letters go to a queue.
func (c *call) listDeadLetterSourceQueues() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	limit, paged, after, err := c.page()
	if err != nil {
		return err
	}
	return c.replyQueues("queueUrls", c.sources(q.Name(), after, limit+1), limit, paged)
}

// sources returns up to limit queues whose dead letters go to the named one, in the order of their names from the one behind
// the name after.
func (c *call) sources(name, after string, limit int) []*engine.Queue {
	var found []*engine.Queue
	for len(found) < limit {
		queues := c.face.engine.Queues("", after, listQueuesMax)
		for _, q := range queues {
			if q.Config().DeadLetters.Queue == name && len(found) < limit {
				found = append(found, q)
			}
		}
		if len(queues) < listQueuesMax {
			break
		}
		after = queues[len(queues)-1].Name()
	}
	return found
}
