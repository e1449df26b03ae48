package sns

import (
	"cmp"

	"fanfare/engine"
)

// effectiveTopic is a topic's policy with the defaults for what it leaves out.
func effectiveTopic(own *topicPolicy) topicPolicy {
	e := topicPolicy{}
	if own != nil {
		e = *own
	}
	if e.HTTP.Healthy == nil {
		e.HTTP.Healthy = defaultRetry()
	}
	if e.HTTP.Request == nil || e.HTTP.Request.HeaderContentType == nil {
		contentType := defaultContentType
		e.HTTP.Request = &requestValues{&contentType}
	}
	return e
}

// effective is a subscription's policy over that of its topic over the defaults.
func effective(own *subscriptionPolicy, topic *topicPolicy) subscriptionPolicy {
	t := effectiveTopic(topic).HTTP
	e := subscriptionPolicy{}
	if own != nil && !t.Disable {
		e = *own
	}
	if e.Healthy == nil {
		e.Healthy = t.Healthy
	}
	e.Sickly = cmp.Or(e.Sickly, t.Sickly)
	if e.Throttle == nil || e.Throttle.MaxReceivesPerSecond == nil {
		e.Throttle = t.Throttle
	}
	if e.Request == nil || e.Request.HeaderContentType == nil {
		e.Request = t.Request
	}
	return e
}

// topicPolicyOf is the policy a topic was given, nil without one.
func topicPolicyOf(t *engine.Topic) *topicPolicy {
	p, fault := parseTopicPolicy(t.Label(labelTopicDelivery))
	if fault != "" {
		return nil // was stored by another version; the defaults hold
	}
	return p
}

// effectiveOf is the effective policy of a subscription.
func effectiveOf(config *engine.SubscriptionConfig, t *engine.Topic) subscriptionPolicy {
	own, fault := parseSubscriptionPolicy(config.Labels[labelDelivery])
	if fault != "" {
		own = nil // likewise
	}
	return effective(own, topicPolicyOf(t))
}

// applyDelivery makes the effective policy the one that the subscription is delivered by.
func applyDelivery(config *engine.SubscriptionConfig, t *engine.Topic) {
	e := effectiveOf(config, t)
	config.Retry = e.Healthy.policy()
	config.MaxPerSecond = 0
	if e.Throttle != nil && e.Throttle.MaxReceivesPerSecond != nil {
		config.MaxPerSecond = *e.Throttle.MaxReceivesPerSecond
	}
	setLabel(config, labelContentType, "")
	if contentType := *e.Request.HeaderContentType; contentType != defaultContentType {
		setLabel(config, labelContentType, contentType)
	}
}

// setLabel sets a label, or removes it with an empty value.
func setLabel(config *engine.SubscriptionConfig, key, value string) {
	if value == "" {
		delete(config.Labels, key)
		return
	}
	if config.Labels == nil {
		config.Labels = map[string]string{}
	}
	config.Labels[key] = value
}
