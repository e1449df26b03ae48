package sns

import (
	"cmp"
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
)

// topicAttributes are those a topic may have, with what their value must be.
var topicAttributes = map[string]func(value string) bool{
	"DisplayName":      func(v string) bool { return utf8.RuneCountInString(v) <= displayNameMax },
	"Policy":           func(v string) bool { return json.Valid([]byte(v)) },
	"DeliveryPolicy":   func(v string) bool { return json.Valid([]byte(v)) },
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
		valid, known := topicAttributes[a.key]
		switch {
		case a.key == "FifoTopic" && strings.EqualFold(a.value, "false"):
			continue // what every topic is; it is not kept
		case a.key == "FifoTopic" || a.key == "ContentBasedDeduplication" || a.key == "FifoThroughputScope":
			return nil, invalid("Attributes Reason: %s: FIFO topics are not supported", a.key)
		case !known:
			return nil, invalid("Attributes Reason: Unknown attribute: %s", shorten(a.key))
		case a.value == "" && a.key != "DisplayName":
			continue // an empty value is that of an attribute which is not set
		case !valid(a.value):
			return nil, invalid("Attributes Reason: %s: Invalid value", a.key)
		}
		labels[labelAttribute+a.key] = a.value
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
	defaultTopicDelivery = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,` +
		`"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},` +
		`"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`
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
	delivery := cmp.Or(t.Label(labelAttribute+"DeliveryPolicy"), defaultTopicDelivery)
	attributes := map[string]string{
		"TopicArn":                arn,
		"Owner":                   owner,
		"DisplayName":             "",
		"Policy":                  defaultPolicyHead + arn + defaultPolicyMiddle + owner + defaultPolicyTail,
		"EffectiveDeliveryPolicy": delivery,
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
