package sns

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fanfare/engine"
)

const (
	pageSize         = 100
	topicNameMax     = 256
	displayNameMax   = 100
	tagsMax          = 50
	tagKeyRunesMax   = 128
	tagValueRunesMax = 256
	labelAttribute   = "sns.attribute." // and the attribute's name
	labelTag         = "sns.tag."       // and the tag's key

	labelTopicDelivery = labelAttribute + "DeliveryPolicy" // normalised
)

// topicAttributes are those a topic may have, with what their value must be.
var topicAttributes = map[string]func(value string) bool{
	"DisplayName":      func(v string) bool { return utf8.RuneCountInString(v) <= displayNameMax },
	"Policy":           func(v string) bool { return json.Valid([]byte(v)) },
	"DeliveryPolicy":   func(string) bool { return true }, // see parseTopicPolicy
	"KmsMasterKeyId":   func(string) bool { return true },
	"SignatureVersion": func(v string) bool { return v == "1" || v == "2" },
	"TracingConfig":    func(v string) bool { return v == "PassThrough" || v == "Active" },
}

func (c *call) createTopic(p params) error {
	name, err := p.required("Name")
	if err != nil {
		return err
	}
	if err := checkTopicName(name); err != nil {
		return err
	}
	attributes, err := p.pairs("Attributes.entry", "key", "value")
	if err != nil {
		return err
	}
	tags, err := p.pairs("Tags.member", "Key", "Value")
	if err != nil {
		return err
	}
	labels, err := topicLabels(attributes, tags)
	if err != nil {
		return err
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
		return nil, &fault{400, "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"}
	}
	for _, tag := range tags {
		if utf8.RuneCountInString(tag.key) > tagKeyRunesMax || utf8.RuneCountInString(tag.value) > tagValueRunesMax {
			return nil, invalid("Tags Reason: a key has at most %d characters, a value %d", tagKeyRunesMax, tagValueRunesMax)
		}
		labels[labelTag+tag.key] = tag.value
	}
	return labels, nil
}

// topicAttribute returns what is kept of an attribute's value, or what is wrong with it.
func topicAttribute(name, value string) (kept, fault string) {
	valid, known := topicAttributes[name]
	switch {
	case !known:
		return "", "Unknown attribute: " + shorten(name)
	case name == "DeliveryPolicy":
		p, fault := parseTopicPolicy(value)
		if p == nil {
			return "", fault
		}
		return writePolicy(p), ""
	case value != "" && !valid(value):
		return "", name + ": Invalid value"
	}
	return value, ""
}

// setTopicAttributes changes one attribute. A delivery policy holds for the topic's subscriptions at once.
func (c *call) setTopicAttributes(p params) error {
	t, _, err := c.topic(p)
	if err != nil {
		return err
	}
	name, err := p.required("AttributeName")
	if err != nil {
		return err
	}
	value, fault := topicAttribute(name, p["AttributeValue"])
	if fault != "" {
		if _, known := topicAttributes[name]; !known {
			fault = "AttributeName"
		}
		return invalid("%s", fault)
	}
	err = c.face.engine.UpdateTopic(t, func(labels map[string]string) {
		if labels[labelAttribute+name] = value; value == "" {
			delete(labels, labelAttribute+name)
		}
	})
	if err == nil && name == "DeliveryPolicy" {
		err = c.face.spreadDelivery(t)
	}
	if err != nil {
		return err
	}
	c.replyNone("SetTopicAttributes")
	return nil
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
	topics := c.face.engine.Topics("", after, pageSize+1)
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

// What a topic has whose attributes were never set.
const (
	defaultPolicyHead = `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",` +
		`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes",` +
		`"SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic",` +
		`"SNS:Publish"],"Resource":"`
	defaultPolicyMiddle = `","Condition":{"StringEquals":{"AWS:SourceOwner":"`
	defaultPolicyTail   = `"}}}]}`
)

func (c *call) getTopicAttributes(p params) error {
	t, arn, err := c.topic(p)
	if err != nil {
		return err
	}
	confirmed, pending := 0, 0
	for _, s := range t.Subscriptions() {
		switch config := s.Config(); {
		case config.Kind != kindName:
		case config.Pending:
			pending++
		default:
			confirmed++
		}
	}
	owner := c.face.opts.Account
	attributes := map[string]string{
		"TopicArn":                arn,
		"Owner":                   owner,
		"DisplayName":             "",
		"Policy":                  defaultPolicyHead + arn + defaultPolicyMiddle + owner + defaultPolicyTail,
		"EffectiveDeliveryPolicy": writePolicy(effectiveTopic(topicPolicyOf(t))),
		"SubscriptionsConfirmed":  strconv.Itoa(confirmed),
		"SubscriptionsPending":    strconv.Itoa(pending),
		"SubscriptionsDeleted":    "0",
	}
	for key, value := range t.Config().Labels {
		if name, ok := strings.CutPrefix(key, labelAttribute); ok {
			attributes[name] = value
		}
	}
	c.replyAttributes("GetTopicAttributes", attributes)
	return nil
}

// replyAttributes sends a map of attributes, in the order of their names.
func (c *call) replyAttributes(action string, attributes map[string]string) {
	w := c.begin(action)
	w.open("Attributes", "")
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		w.open("entry", "")
		w.leaf("key", name)
		w.leaf("value", attributes[name])
		w.close("entry", "")
	}
	w.close("Attributes", "")
	c.finish(action)
}
