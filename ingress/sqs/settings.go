package sqs

import (
	"strconv"
	"time"

	"fanfare/engine"
)

// How the attributes of queues are read and set.

const (
	labelThroughput    = labelAttribute + "FifoThroughputLimit"
	throughputPerQueue = "perQueue"
	throughputPerGroup = "perMessageGroupId"
	scopeQueue         = "queue"
	scopeGroup         = "messageGroup"

	labelKey      = labelAttribute + "KmsMasterKeyId"
	labelKeyReuse = labelAttribute + "KmsDataKeyReusePeriodSeconds"
	labelManaged  = labelAttribute + "SqsManagedSseEnabled"
	keyBytesMax   = 2048
	keyReuseMin   = 60
	keyReuseMax   = 86_400
)

// seconds is an attribute that is a time.
func seconds(name string, low, high time.Duration, place func(*engine.QueueConfig) *time.Duration) queueAttribute {
	return queueAttribute{
		name: name,
		read: func(_ *call, q *engine.QueueConfig) string {
			return strconv.FormatInt(int64(*place(q)/time.Second), 10)
		},
		set: func(_ *call, _ *engine.QueueConfig, value string) (change, error) {
			n, ok := parseInteger(value)
			if !ok || n < int64(low/time.Second) || n > int64(high/time.Second) {
				return nil, badAttribute(name)
			}
			return func(q *engine.QueueConfig) { *place(q) = time.Duration(n) * time.Second }, nil
		},
	}
}

func readLabel(name string) func(*call, *engine.QueueConfig) string {
	return func(_ *call, q *engine.QueueConfig) string { return q.Labels[labelAttribute+name] }
}

// setLabel keeps a value, or forgets it when it is empty.
func setLabel(label, value string) change {
	return func(q *engine.QueueConfig) {
		if value == "" {
			delete(q.Labels, label)
		} else {
			q.Labels[label] = value
		}
	}
}

func readMessageMax(_ *call, q *engine.QueueConfig) string { return strconv.Itoa(q.MessageMax) }

func setMessageMax(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	n, ok := parseInteger(value)
	if !ok || n < engine.QueueMessageBytesMin || n > engine.QueueMessageBytesMax {
		return nil, badAttribute("MaximumMessageSize")
	}
	return func(q *engine.QueueConfig) { q.MessageMax = int(n) }, nil
}

// setFIFO accepts what is so already.
func setFIFO(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if value != "true" {
		return nil, &fault{400, "InvalidAttributeValue", "", "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."}
	}
	return func(*engine.QueueConfig) {}, nil
}

func readByContent(_ *call, q *engine.QueueConfig) string {
	return strconv.FormatBool(q.FIFO.ByContent)
}

func setByContent(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if value != "true" && value != "false" {
		return nil, badAttribute("ContentBasedDeduplication")
	}
	return func(q *engine.QueueConfig) { q.FIFO.ByContent = value == "true" }, nil
}

func readScope(_ *call, q *engine.QueueConfig) string {
	if q.FIFO.PerGroup {
		return scopeGroup
	}
	return scopeQueue
}

func setScope(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if value != scopeQueue && value != scopeGroup {
		return nil, badAttribute("DeduplicationScope")
	}
	return func(q *engine.QueueConfig) { q.FIFO.PerGroup = value == scopeGroup }, nil
}

func readThroughput(_ *call, q *engine.QueueConfig) string {
	if limit := q.Labels[labelThroughput]; limit != "" {
		return limit
	}
	return throughputPerQueue
}

func setThroughput(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if value != throughputPerQueue && value != throughputPerGroup {
		return nil, badAttribute("FifoThroughputLimit")
	}
	return setLabel(labelThroughput, value), nil
}

// setKey keeps the name of a key. Nothing is encrypted with it; SQS's own encryption, as far as it is asked for, ends.
func setKey(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if len(value) > keyBytesMax {
		return nil, badAttribute("KmsMasterKeyId")
	}
	return func(q *engine.QueueConfig) {
		setLabel(labelKey, value)(q)
		if value != "" {
			q.Labels[labelManaged] = "false"
		}
	}, nil
}

func setKeyReuse(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if n, ok := parseInteger(value); !ok || n < keyReuseMin || n > keyReuseMax {
		return nil, badAttribute("KmsDataKeyReusePeriodSeconds")
	}
	return setLabel(labelKeyReuse, value), nil
}

func readManaged(_ *call, q *engine.QueueConfig) string {
	if managed := q.Labels[labelManaged]; managed != "" {
		return managed
	}
	return "true"
}

func setManaged(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if value != "true" && value != "false" {
		return nil, badAttribute("SqsManagedSseEnabled")
	}
	return func(q *engine.QueueConfig) {
		q.Labels[labelManaged] = value
		if value == "true" {
			delete(q.Labels, labelKey)
			delete(q.Labels, labelKeyReuse)
		}
	}, nil
}
