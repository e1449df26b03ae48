package sns

import "fanfare/engine"

// settings are attributes that a caller wants a subscription to have; nil is one that was not given.
type settings struct {
	raw      *bool   // RawMessageDelivery
	delivery *string // DeliveryPolicy, normalised; "" for none
	redrive  *string // RedrivePolicy as it was given; "" for none
	queue    string  // where the queue is that it names
	filter   filterSettings
}

// read takes over an attribute for a subscription of the topic and returns what is wrong with it.
func (s *settings) read(f *Face, t *engine.Topic, config *engine.SubscriptionConfig, name, value string) (fault string) {
	switch name {
	case "RawMessageDelivery":
		raw, fault := rawDelivery(value)
		s.raw = &raw
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
		queue, fault := f.queueOf(t, config.Endpoint, value)
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
	if s.raw != nil {
		config.Envelope = envelopeOf(config.Kind, *s.raw)
	}
	if s.delivery != nil {
		setLabel(config, labelDelivery, *s.delivery)
		if config.Kind == kindName {
			applyDelivery(config, t)
		} // others have a policy of their own, and can be given none
	}
	if s.redrive != nil {
		setLabel(config, labelRedrive, *s.redrive)
		config.DeadLetters.Queue = s.queue
	}
	s.filter.apply(config)
}

// stored reports whether a subscription has what was asked.
func (s *settings) stored(config *engine.SubscriptionConfig) bool {
	return (s.raw == nil || *s.raw == (config.Envelope == envelopeRaw)) &&
		(s.delivery == nil || *s.delivery == config.Labels[labelDelivery]) &&
		(s.redrive == nil || s.queue == config.DeadLetters.Queue) && s.filter.stored(config)
}

// envelopeOf is what a kind calls the text alone, or the document.
func envelopeOf(kind string, raw bool) string {
	switch {
	case raw:
		return envelopeRaw
	case kind == queueKind:
		return queueEnvelope
	}
	return envelopeJSON
}
