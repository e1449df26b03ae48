package sns

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"fanfare/engine"
)

const (
	pageSize     = 100
	topicNameMax = 256
	directTopics = 2 // that ListTopics does not show
)

func (c *call) createTopic(p params) error {
	name, err := p.required("Name")
	if err != nil {
		return err
	}
	if err := checkTopicName(name); err != nil {
		return err
	}
	attributes, err := p.pairs("Attributes.entry")
	if err != nil {
		return err
	}
	tags, err := p.tags()
	if err != nil {
		return err
	}
	protection := p["DataProtectionPolicy"]
	if err := checkProtection(protection); err != nil {
		return err
	}
	labels, err := topicLabels(attributes, tags)
	if err != nil {
		return err
	}
	if protection != "" {
		labels[labelProtection] = protection
	}
	t, created, err := c.face.engine.CreateTopic(name, labels)
	if err != nil {
		return err
	}
	if created {
		c.face.opts.Log.Info().Str("topic", name).Msg("topic created")
	} else if err := compareLabels(t, labels); err != nil {
		return err
	}
	c.replyLeaf("CreateTopic", "TopicArn", c.topicARN(name))
	return nil
}

func checkTopicName(name string) error {
	base, fifo := strings.CutSuffix(name, ".fifo")
	for i := range len(base) {
		b := base[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' {
			return invalid("Topic Name")
		}
	}
	switch {
	case len(base) == 0 || len(name) > topicNameMax:
		return invalid("Topic Name")
	case fifo:
		return invalid("Topic Name Reason: FIFO topics are not supported")
	}
	return nil
}

// topicLabels turns attributes and tags into what is kept of them.
func topicLabels(attributes, tags []pair) (map[string]string, error) {
	labels := map[string]string{}
	for _, a := range attributes {
		switch {
		case a.key == "FifoTopic" && strings.EqualFold(a.value, "false"):
			continue // what every topic is; it is not kept
		case a.key == "FifoTopic" || a.key == "ContentBasedDeduplication" || a.key == "FifoThroughputScope":
			return nil, invalid("Attributes Reason: %s: FIFO topics are not supported", a.key)
		}
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
		if have, ok := stored[key]; ok && have == value {
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
