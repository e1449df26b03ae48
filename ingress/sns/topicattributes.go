package sns

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SNS API reference, SetTopicAttributes, read 2026-11; texts as recorded from AWS.

const (
	displayNameMax   = 100
	keyNameBytesMax  = 2048
	labelAttribute   = "sns.attribute." // and the attribute's name
	labelMessageSize = labelAttribute + "MaximumMessageSize"

	labelTopicDelivery = labelAttribute + "DeliveryPolicy" // normalised
)

// Limits of the attribute MaximumMessageSize, in bytes.
const (
	maximumSizeMin     = 1024
	maximumSizeDefault = 262_144
	maximumSizeMax     = 1 << 20
)

// topicAttributes are those a topic may have, with what is wrong with a value: "" for nothing. An empty value is none.
var topicAttributes = map[string]func(name, value string) (fault string){
	"DisplayName": func(name, v string) string {
		return invalidUnless(utf8.RuneCountInString(v) <= displayNameMax, name)
	},
	"Policy":             func(_, v string) string { return checkAccessPolicy(v) },
	"DeliveryPolicy":     func(_, v string) string { _, fault := parseTopicPolicy(v); return fault },
	"KmsMasterKeyId":     func(name, v string) string { return invalidUnless(len(v) <= keyNameBytesMax, name) },
	"SignatureVersion":   func(name, v string) string { return invalidUnless(v == "1" || v == "2", name) },
	"TracingConfig":      func(name, v string) string { return invalidUnless(v == "PassThrough" || v == "Active", name) },
	"MaximumMessageSize": checkMaximumSize,
}

func invalidUnless(ok bool, name string) string {
	if ok {
		return ""
	}
	return name + ": Invalid value"
}

// topicAttributeCheck finds the check of an attribute, nil for one that topics do not have. Delivery status logging has
// three attributes for each of five protocols; they are kept, and no logs are written to CloudWatch.
func topicAttributeCheck(name string) func(name, value string) string {
	if check := topicAttributes[name]; check != nil {
		return check
	}
	for _, protocol := range [...]string{"HTTP", "SQS", "Lambda", "Firehose", "Application"} {
		switch rest, _ := strings.CutPrefix(name, protocol); rest {
		case "SuccessFeedbackRoleArn", "FailureFeedbackRoleArn":
			return checkRole
		case "SuccessFeedbackSampleRate":
			return checkSampleRate
		}
	}
	return nil
}

func checkRole(name, value string) string {
	parts := strings.SplitN(value, ":", 6)
	return invalidUnless(len(value) <= keyNameBytesMax && len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" &&
		strings.HasPrefix(parts[5], "role/"), name)
}

func checkSampleRate(name, value string) string {
	if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 100 {
		return name + ": " + aws.Shorten(value) + " value provided is not an integer between 0-100"
	}
	return ""
}

func checkMaximumSize(name, value string) string {
	n, err := strconv.Atoi(value)
	return invalidUnless(err == nil && n >= maximumSizeMin && n <= maximumSizeMax, name)
}

// messageBytesMaxOf is how large a message of the topic may be. Fewer bytes than any topic allows need no look.
func messageBytesMaxOf(t *engine.Topic) int {
	if n, err := strconv.Atoi(t.Label(labelMessageSize)); err == nil {
		return n
	}
	return maximumSizeDefault
}

// topicAttribute returns what is kept of an attribute's value, or what is wrong with it.
func topicAttribute(name, value string) (kept, fault string) {
	check := topicAttributeCheck(name)
	switch {
	case check == nil:
		return "", "Unknown attribute: " + aws.Shorten(name)
	case value == "":
		return "", ""
	}
	if fault := check(name, value); fault != "" {
		return "", fault
	}
	if name == "DeliveryPolicy" {
		if p, _ := parseTopicPolicy(value); p != nil {
			return writePolicy(p), ""
		}
		return "", ""
	}
	return value, ""
}

// setTopicAttributes changes one attribute.
func (c *call) setTopicAttributes(p params) error {
	t, _, err := c.topic(p)
	if err != nil {
		return err
	}
	name, err := p.required("AttributeName")
	if err != nil {
		return err
	}
	if err := c.face.setTopicAttribute(t, name, p["AttributeValue"]); err != nil {
		return err
	}
	c.replyNone("SetTopicAttributes")
	return nil
}

// setTopicAttribute changes an attribute. A delivery policy holds for the topic's subscriptions at once.
func (f *Face) setTopicAttribute(t *engine.Topic, name, given string) error {
	defer f.editing.enter(t.Name())()
	if isFIFOAttribute(name) {
		return f.setFIFO(t, name, given)
	}
	value, fault := topicAttribute(name, given)
	if fault != "" {
		if topicAttributeCheck(name) == nil {
			fault = "AttributeName"
		}
		return invalid("%s", fault)
	}
	err := f.engine.UpdateTopic(t, func(labels map[string]string) {
		if labels[labelAttribute+name] = value; value == "" {
			delete(labels, labelAttribute+name)
		}
	})
	if err == nil && name == "DeliveryPolicy" {
		err = f.spreadDelivery(t)
	}
	return err
}

func (c *call) getTopicAttributes(p params) error {
	t, arn, err := c.topic(p)
	if err != nil {
		return err
	}
	confirmed, pending, deleted := 0, 0, 0
	for _, s := range t.Subscriptions() {
		switch config := s.Config(); {
		case !belongs(config):
		case isCancelled(config):
			deleted++
		case config.Pending:
			pending++
		default:
			confirmed++
		}
	}
	attributes := map[string]string{
		"TopicArn":                arn,
		"Owner":                   c.face.opts.Account,
		"DisplayName":             "",
		"EffectiveDeliveryPolicy": writePolicy(effectiveTopic(topicPolicyOf(t))),
		"SubscriptionsConfirmed":  strconv.Itoa(confirmed),
		"SubscriptionsPending":    strconv.Itoa(pending),
		"SubscriptionsDeleted":    strconv.Itoa(deleted),
	}
	for key, value := range t.Config().Labels {
		if name, ok := strings.CutPrefix(key, labelAttribute); ok {
			attributes[name] = value
		}
	}
	if fifo := t.Config().FIFO; fifo != nil {
		showFIFO(attributes, fifo)
	}
	attributes["Policy"] = c.policyOf(t, arn)
	c.replyAttributes("GetTopicAttributes", attributes)
	return nil
}
