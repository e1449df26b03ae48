package sns

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

const (
	pageSize     = 100
	topicNameMax = 256
	directTopics = 2 // that ListTopics does not show
)

func (c *call) createTopic(p params) error {
	config, fifo, err := newTopic(p)
	if err != nil {
		return err
	}
	t, created, err := c.face.engine.CreateTopicWith(config)
	switch {
	case err != nil:
		return err
	case created:
		c.face.opts.Log.Info().Str("topic", config.Name).Msg("topic created")
	case !fifo.stored(t.Config().FIFO):
		return engine.ErrTopicExists
	default:
		if err := compareLabels(t, config.Labels); err != nil {
			return err
		}
	}
	c.replyLeaf("CreateTopic", "TopicArn", c.topicARN(config.Name))
	return nil
}

// newTopic reads what a topic is to be.
func newTopic(p params) (config engine.TopicConfig, fifo fifoAttributes, err error) {
	if config.Name, err = p.required("Name"); err != nil {
		return config, fifo, err
	}
	attributes, err := p.pairs("Attributes.entry")
	if err != nil {
		return config, fifo, err
	}
	if fifo, attributes, err = takeFIFO(attributes); err != nil {
		return config, fifo, err
	}
	config.FIFO = fifo.settings()
	if err := checkTopicName(config.Name, config.FIFO != nil); err != nil {
		return config, fifo, err
	}
	tags, err := p.tags()
	if err != nil {
		return config, fifo, err
	}
	protection := p["DataProtectionPolicy"]
	if err := checkProtection(protection); err != nil {
		return config, fifo, err
	}
	if config.Labels, err = topicLabels(attributes, tags); err != nil {
		return config, fifo, err
	}
	if protection != "" {
		config.Labels[labelProtection] = protection
	}
	if fifo.scope != "" {
		config.Labels[labelScope] = fifo.scope
	}
	return config, fifo, nil
}

// checkTopicName refuses a name that no topic may have, and the ending of FIFO topics on others and the reverse.
func checkTopicName(name string, fifo bool) error {
	base, ending := strings.CutSuffix(name, aws.FIFOSuffix)
	for i := range len(base) {
		b := base[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' {
			return invalid("Topic Name")
		}
	}
	if len(base) == 0 || len(name) > topicNameMax || ending != fifo {
		return invalid("Topic Name")
	}
	return nil
}

// topicLabels turns attributes and tags into what is kept of them.
func topicLabels(attributes, tags []pair) (map[string]string, error) {
	labels := map[string]string{}
	for _, a := range attributes {
		value, fault := topicAttribute(a.key, a.value)
		switch {
		case fault != "":
			return nil, invalid("Attributes Reason: %s", fault)
		case value == "" && a.key != "DisplayName":
			continue // an empty value is that of an attribute which is not set
		}
		labels[labelAttribute+a.key] = value
	}
	if len(tags) > tagsMax {
		return nil, errTagLimit
	}
	for _, tag := range tags {
		labels[labelTag+tag.key] = tag.value
	}
	return labels, nil
}

// spreadDelivery lets the subscriptions of a topic be delivered by its policy. Those of the configuration file have
// their own.
func (f *Face) spreadDelivery(t *engine.Topic) error {
	for _, s := range t.Subscriptions() {
		if config := s.Config(); config.Kind != kindName || config.Declared {
			continue
		}
		err := f.engine.UpdateSubscription(s, func(config *engine.SubscriptionConfig) { applyDelivery(config, t) })
		if err != nil && !errors.Is(err, engine.ErrSubscriptionNotFound) {
			return err
		}
	}
	return nil
}

// compareLabels refuses attributes or tags that an existing topic does not have.
func compareLabels(t *engine.Topic, labels map[string]string) error {
	stored := t.Config().Labels
	for key, value := range labels {
		if have, ok := stored[key]; ok && have == value || key == labelScope { // that was compared with the topic's FIFO
			continue
		}
		if strings.HasPrefix(key, labelTag) {
			return invalid("Tags Reason: Topic already exists with different tags")
		}
		return engine.ErrTopicExists
	}
	return nil
}

// deleteTopic is idempotent.
func (c *call) deleteTopic(p params) error {
	t, _, err := c.topic(p)
	if err == nil {
		err = c.face.engine.DeleteTopic(t.Name())
	}
	switch {
	case err == nil:
		c.face.opts.Log.Info().Str("topic", t.Name()).Msg("topic deleted")
	case !errors.Is(err, engine.ErrTopicNotFound):
		return err
	}
	c.replyNone("DeleteTopic")
	return nil
}

func (c *call) listTopics(p params) error {
	after, err := parseToken(p["NextToken"])
	if err != nil {
		return err
	}
	topics := c.face.engine.Topics("", after, pageSize+1+directTopics)
	topics = slices.DeleteFunc(topics, func(t *engine.Topic) bool { return isDirect([]byte(t.Name())) })
	w := c.begin("ListTopics")
	if len(topics) == 0 {
		w.empty("Topics")
	} else {
		w.open("Topics", "")
		for _, t := range topics[:min(pageSize, len(topics))] {
			w.open("member", "")
			w.leaf("TopicArn", c.topicARN(t.Name()))
			w.close("member", "")
		}
		w.close("Topics", "")
	}
	if len(topics) > pageSize {
		w.leaf("NextToken", makeToken(topics[pageSize-1].Name()))
	}
	c.finish("ListTopics")
	return nil
}

// makeToken makes a NextToken out of what the page ended with.
func makeToken(last string) string { return base64.RawURLEncoding.EncodeToString([]byte(last)) }

// parseToken reads a NextToken, "" when there is none.
func parseToken(token string) (last string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", invalid("NextToken")
	}
	return string(b), nil
}

// replyAttributes sends a map of attributes, in the order of their names.
func (c *call) replyAttributes(action string, attributes map[string]string) {
	c.begin(action).attributes(attributes)
	c.finish(action)
}
