package sqs

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SQS API reference, SetQueueAttributes and GetQueueAttributes, read 2026-11.

const (
	labelAttribute = "sqs.attribute." // and the attribute's name: those that only this face knows
	attributeFIFO  = "FifoQueue"
	attributeAll   = "All"
)

// change is one change of a queue's settings.
type change func(*engine.QueueConfig)

// queueAttribute is an attribute of queues.
type queueAttribute struct {
	name  string
	fifo  bool                                             // standard queues do not have it
	read  func(c *call, config *engine.QueueConfig) string // "" for nothing; nil for those of count
	set   func(c *call, config *engine.QueueConfig, value string) (change, error)
	count func(engine.QueueCounts) uint64
}

// queueAttributes are all of them, in the order in which they are returned.
var queueAttributes = []queueAttribute{
	{name: "Policy", read: readLabel("Policy"), set: setPolicy},
	seconds("VisibilityTimeout", 0, engine.VisibilityMax, func(c *engine.QueueConfig) *time.Duration { return &c.Visibility }),
	{name: "MaximumMessageSize", read: readMessageMax, set: setMessageMax},
	seconds("MessageRetentionPeriod", engine.QueueRetentionMin, engine.QueueRetentionMax, func(c *engine.QueueConfig) *time.Duration { return &c.Retention }),
	{name: "ApproximateNumberOfMessages", count: func(n engine.QueueCounts) uint64 { return n.Visible }},
	{name: "ApproximateNumberOfMessagesNotVisible", count: func(n engine.QueueCounts) uint64 { return n.InFlight }},
	{name: "ApproximateNumberOfMessagesDelayed", count: func(n engine.QueueCounts) uint64 { return n.Delayed }},
	{name: "CreatedTimestamp", read: func(_ *call, q *engine.QueueConfig) string { return strconv.FormatInt(q.CreatedAt/1000, 10) }},
	{name: "LastModifiedTimestamp", read: func(_ *call, q *engine.QueueConfig) string { return strconv.FormatInt(q.UpdatedAt/1000, 10) }},
	{name: "QueueArn", read: func(c *call, q *engine.QueueConfig) string { return c.queueARN(q.Name) }},
	seconds("DelaySeconds", 0, engine.QueueDelayMax, func(c *engine.QueueConfig) *time.Duration { return &c.Delay }),
	seconds("ReceiveMessageWaitTimeSeconds", 0, engine.ReceiveWaitMax, func(c *engine.QueueConfig) *time.Duration { return &c.ReceiveWait }),
	{name: "RedrivePolicy", read: readRedrive, set: setRedrive},
	{name: "RedriveAllowPolicy", read: readLabel("RedriveAllowPolicy"), set: setRedriveAllow},
	{name: attributeFIFO, fifo: true, read: func(*call, *engine.QueueConfig) string { return "true" }, set: setFIFO},
	{name: "ContentBasedDeduplication", fifo: true, read: readByContent, set: setByContent},
	{name: "DeduplicationScope", fifo: true, read: readScope, set: setScope},
	{name: "FifoThroughputLimit", fifo: true, read: readThroughput, set: setThroughput},
	{name: "KmsMasterKeyId", read: readLabel("KmsMasterKeyId"), set: setKey},
	{name: "KmsDataKeyReusePeriodSeconds", read: readLabel("KmsDataKeyReusePeriodSeconds"), set: setKeyReuse},
	{name: "SqsManagedSseEnabled", read: readManaged, set: setManaged},
}

// attributeOf finds an attribute by its name, nil when there is none.
func attributeOf(name string) *queueAttribute {
	for i := range queueAttributes {
		if queueAttributes[i].name == name {
			return &queueAttributes[i]
		}
	}
	return nil
}

// changes checks the attributes that are given for a queue and returns what they change. The queue's settings stay as they
// are.
func (c *call) changes(config *engine.QueueConfig, given []text) ([]change, error) {
	after := *config
	after.Labels = maps.Clone(config.Labels)
	if after.Labels == nil {
		after.Labels = map[string]string{}
	}
	if config.FIFO != nil {
		fifo := *config.FIFO
		after.FIFO = &fifo
	}
	changes := make([]change, 0, len(given))
	for _, g := range given {
		a := attributeOf(g.key)
		if a == nil || a.set == nil || a.fifo && config.FIFO == nil {
			return nil, unknownAttribute(aws.Shorten(g.key))
		}
		change, err := a.set(c, &after, g.value)
		if err != nil {
			return nil, err
		}
		change(&after)
		changes = append(changes, change)
	}
	return changes, checkTogether(&after, given)
}

// checkTogether refuses what does not go together.
func checkTogether(after *engine.QueueConfig, given []text) error {
	value := func(name string) string {
		for _, g := range given {
			if g.key == name {
				return g.value
			}
		}
		return ""
	}
	switch {
	case value("KmsMasterKeyId") != "" && value("SqsManagedSseEnabled") == "true":
		return &fault{400, "InvalidAttributeName", "", "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."}
	case after.FIFO != nil && !after.FIFO.PerGroup && after.Labels[labelThroughput] == throughputPerGroup:
		return invalid("Invalid value for the parameter FifoThroughputLimit. Reason: %s is allowed only when DeduplicationScope is %s.", throughputPerGroup, scopeGroup)
	}
	return nil
}

func (c *call) setQueueAttributes() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	given, err := c.pairs(c.form.attributes)
	if err != nil {
		return err
	}
	changes, err := c.changes(q.Config(), given)
	if err != nil {
		return err
	}
	err = c.face.engine.UpdateQueue(q, func(config *engine.QueueConfig) {
		if config.Labels == nil {
			config.Labels = map[string]string{}
		}
		for _, change := range changes {
			change(config)
		}
	})
	if err != nil {
		return err
	}
	return c.replyNone()
}

func (c *call) getQueueAttributes() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	names, err := c.strings(listAttributes)
	if err != nil {
		return err
	}
	all := slices.Contains(names, attributeAll)
	for _, name := range names {
		if name != attributeAll && attributeOf(name) == nil {
			return unknownAttribute(aws.Shorten(name))
		}
	}
	config, counts := q.Config(), engine.QueueCounts{}
	if len(names) > 0 {
		counts = q.Counts()
	}
	w := c.begin()
	begun := false
	for i := range queueAttributes {
		a := &queueAttributes[i]
		if !all && !slices.Contains(names, a.name) || a.fifo && config.FIFO == nil {
			continue
		}
		value := ""
		if a.count != nil {
			value = strconv.FormatUint(a.count(counts), 10)
		} else {
			value = a.read(c, config)
		}
		if value == "" {
			continue
		}
		if !begun {
			w.openMap("Attributes")
			begun = true
		}
		w.entry("Attribute", "Name", []byte(a.name), []byte(value))
	}
	if begun {
		w.closeMap()
	}
	c.finish()
	return nil
}
