package sns

import (
	"strconv"
	"strings"

	"fanfare/engine"
)

// subscription finds the subscription of a control operation.
func (c *call) subscription(p params) (*engine.Subscription, error) {
	text, ok := p["SubscriptionArn"]
	if !ok {
		return nil, noValue("SubscriptionArn")
	}
	a, err := c.parseARN("SubscriptionArn", []byte(text))
	if err != nil {
		return nil, err
	}
	if len(a.id) == 0 || strings.Contains(string(a.id), ":") {
		return nil, invalid("SubscriptionId")
	}
	if t := c.face.engine.Topic(a.name); t != nil {
		if s := t.Subscription(string(a.id)); s != nil && ours(s.Config()) {
			return s, nil
		}
	}
	return nil, engine.ErrSubscriptionNotFound
}

// belongs reports whether a subscription is SNS's.
func belongs(config *engine.SubscriptionConfig) bool {
	return config.Kind == kindName || config.Kind == queueKind || config.Kind == gatewayKind && config.Labels[labelEndpoint] != ""
}

// ours reports whether a subscription is SNS's to show.
func ours(config *engine.SubscriptionConfig) bool { return belongs(config) && !isCancelled(config) }

// topicARNOf is the ARN of a subscription's topic, as its subscriber named it.
func (c *call) topicARNOf(s *engine.Subscription) string {
	if arn := s.Config().Labels[labelTopicARN]; arn != "" {
		return arn
	}
	return c.topicARN(s.Topic.Name())
}

func (c *call) subscriptionARN(s *engine.Subscription) string {
	return c.topicARNOf(s) + ":" + s.Name()
}

func (c *call) listSubscriptions(p params) error {
	return c.replySubscriptions("ListSubscriptions", p, c.face.engine.Subscriptions())
}

func (c *call) listSubscriptionsByTopic(p params) error {
	t, _, err := c.topic(p)
	if err != nil {
		return err
	}
	return c.replySubscriptions("ListSubscriptionsByTopic", p, t.Subscriptions())
}

// replySubscriptions sends a page of subscriptions, which are in the order of their ids. Those of other kinds are not
// SNS's to list.
func (c *call) replySubscriptions(action string, p params, all []*engine.Subscription) error {
	token, err := parseToken(p["NextToken"])
	if err != nil {
		return err
	}
	var after uint64
	if token != "" {
		if after, err = strconv.ParseUint(token, 10, 64); err != nil {
			return invalid("NextToken")
		}
	}
	page := make([]*engine.Subscription, 0, pageSize)
	more := false
	for _, s := range all {
		if uint64(s.ID) <= after || !ours(s.Config()) {
			continue
		}
		if more = len(page) == pageSize; more {
			break
		}
		page = append(page, s)
	}
	w := c.begin(action)
	if len(page) == 0 {
		w.empty("Subscriptions")
	} else {
		w.open("Subscriptions", "")
		for _, s := range page {
			c.writeSubscription(w, s)
		}
		w.close("Subscriptions", "")
	}
	if more {
		w.leaf("NextToken", makeToken(strconv.FormatUint(uint64(page[pageSize-1].ID), 10)))
	}
	c.finish(action)
	return nil
}

func (c *call) writeSubscription(w *xmlWriter, s *engine.Subscription) {
	config := s.Config()
	arn := "PendingConfirmation"
	if !config.Pending {
		arn = c.subscriptionARN(s)
	}
	w.open("member", "")
	w.leaf("Owner", c.face.opts.Account)
	w.leaf("Endpoint", c.endpointOf(config))
	w.leaf("Protocol", config.Protocol)
	w.leaf("TopicArn", c.topicARNOf(s))
	w.leaf("SubscriptionArn", arn)
	w.close("member", "")
}

func (c *call) getSubscriptionAttributes(p params) error {
	s, err := c.subscription(p)
	if err != nil {
		return err
	}
	config := s.Config()
	attributes := map[string]string{
		"ConfirmationWasAuthenticated": truthText(config.Labels[labelAuthenticated] == "true"),
		"Endpoint":                     c.endpointOf(config),
		"Owner":                        c.face.opts.Account,
		"PendingConfirmation":          truthText(config.Pending),
		"Protocol":                     config.Protocol,
		"RawMessageDelivery":           truthText(config.Envelope == envelopeRaw),
		"SubscriptionArn":              c.subscriptionARN(s),
		"SubscriptionPrincipal":        "arn:aws:iam::" + c.face.opts.Account + ":user/fanfare",
		"TopicArn":                     c.topicARNOf(s),
	}
	if config.Kind == kindName {
		attributes["EffectiveDeliveryPolicy"] = writePolicy(effectiveOf(config, s.Topic))
	}
	for name, value := range map[string]string{"DeliveryPolicy": config.Labels[labelDelivery], "RedrivePolicy": c.redriveOf(config)} {
		if value != "" {
			attributes[name] = value
		}
	}
	addFilter(attributes, config)
	c.replyAttributes("GetSubscriptionAttributes", attributes)
	return nil
}

func (c *call) setSubscriptionAttributes(p params) error {
	s, err := c.subscription(p)
	if err != nil {
		return err
	}
	name, err := p.required("AttributeName")
	if err != nil {
		return err
	}
	var asked settings
	if fault := protocolFault(s.Config().Protocol, name, p["AttributeValue"]); fault != "" {
		return invalid("%s", fault)
	}
	if fault := asked.read(c.face, s.Topic, s.Config(), name, p["AttributeValue"]); fault != "" {
		return invalid("%s", fault)
	}
	if fault := asked.filter.check(s.Config()); fault != "" {
		return invalid("%s", fault)
	}
	if asked != (settings{}) {
		err = c.face.engine.UpdateSubscription(s, func(config *engine.SubscriptionConfig) { asked.apply(config, s.Topic) })
		if err != nil {
			return err
		}
	}
	c.replyNone("SetSubscriptionAttributes")
	return nil
}
