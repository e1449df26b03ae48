package sns

import (
	"encoding/json"
	"strings"

	"fanfare/engine"
)

// settings are attributes that a caller wants a subscription to have; nil is one that was not given.
type settings struct {
	envelope *string
	delivery *string // DeliveryPolicy, normalised; "" for none
	redrive  *string // RedrivePolicy as it was given; "" for none
	queue    string  // URL of the queue it names
	filter   filterSettings
}

// read takes over an attribute and returns what is wrong with it.
func (s *settings) read(f *Face, t *engine.Topic, name, value string) (fault string) {
	switch name {
	case "RawMessageDelivery":
		envelope, fault := rawDelivery(value)
		s.envelope = &envelope
		return fault
	case "DeliveryPolicy":
		p, fault := parseSubscriptionPolicy(value)
		normal := ""
		if p != nil {
			normal = writePolicy(p)
		}
		s.delivery = &normal
		return fault
	case "RedrivePolicy":
		queue, fault := f.queueOf(t, value)
		if queue == "" {
			value = ""
		}
		s.redrive, s.queue = &value, queue
		return fault
	case "FilterPolicy", "FilterPolicyScope":
		return s.filter.read(name, value)
	}
	return refuseAttribute(name)
}

// apply changes a subscription to what was asked.
func (s *settings) apply(config *engine.SubscriptionConfig, t *engine.Topic) {
	if s.envelope != nil {
		config.Envelope = *s.envelope
	}
	if s.delivery != nil {
		setLabel(config, labelDelivery, *s.delivery)
		applyDelivery(config, t)
	}
	if s.redrive != nil {
		setLabel(config, labelRedrive, *s.redrive)
		config.DeadLetters.Queue = s.queue
	}
	s.filter.apply(config)
}

// stored reports whether a subscription has what was asked.
func (s *settings) stored(config *engine.SubscriptionConfig) bool {
	return (s.envelope == nil || *s.envelope == config.Envelope) &&
		(s.delivery == nil || *s.delivery == config.Labels[labelDelivery]) &&
		(s.redrive == nil || s.queue == config.DeadLetters.Queue) && s.filter.stored(config)
}

// queueOf reads a RedrivePolicy and returns the URL of the queue it names, "" for none.
func (f *Face) queueOf(t *engine.Topic, value string) (queue, fault string) {
	if value == "" || value == "{}" {
		return "", ""
	}
	var policy struct {
		DeadLetterTargetARN string `json:"deadLetterTargetArn"`
	}
	if len(value) > policyBytesMax || json.Unmarshal([]byte(value), &policy) != nil {
		return "", "RedrivePolicy: failed to parse JSON."
	}
	parts := strings.Split(policy.DeadLetterTargetARN, ":")
	if len(parts) != 6 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] != "sqs" ||
		!isRegion([]byte(parts[3])) || !isAccount([]byte(parts[4])) || !isQueueName(parts[5]) {
		return "", "RedrivePolicy: deadLetterTargetArn is an invalid arn"
	}
	if strings.HasSuffix(t.Name(), fifoSuffix) && !strings.HasSuffix(parts[5], fifoSuffix) {
		return "", "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
	}
	if f.opts.Queues == "" {
		return "", "RedrivePolicy: no server for queues is configured here (sns.queues)"
	}
	return strings.TrimRight(f.opts.Queues, "/") + "/" + parts[4] + "/" + parts[5], ""
}

const (
	fifoSuffix        = ".fifo"
	queueNameBytesMax = 80
)

func isQueueName(name string) bool {
	if len(name) > queueNameBytesMax {
		return false
	}
	name = strings.TrimSuffix(name, fifoSuffix)
	for i := range len(name) {
		b := name[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' {
			return false
		}
	}
	return name != ""
}
