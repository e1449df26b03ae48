package sns

import (
	"encoding/json"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SNS API reference, AddPermission and RemovePermission; developer guide, "Amazon SNS access control";
// texts as recorded from AWS. A topic's policy is stored and returned; who may do what is decided by the credentials
// that are configured.

const (
	accessPolicyBytesMax = 30 << 10
	labelPolicy          = labelAttribute + "Policy"
)

// policyActions are what a topic's policy may speak of.
var policyActions = map[string]bool{
	"GetTopicAttributes": true, "SetTopicAttributes": true, "AddPermission": true, "RemovePermission": true, "DeleteTopic": true,
	"Subscribe": true, "ListSubscriptionsByTopic": true, "Publish": true, "Receive": true,
}

// checkAccessPolicy says what is wrong with a policy, "" for nothing.
func checkAccessPolicy(text string) (fault string) {
	_, statements, ok := aws.ReadPolicy(text)
	if !ok {
		return "Policy Error: null"
	}
	for _, s := range statements {
		for _, action := range append(s.Action, s.NotAction...) {
			service, name, _ := strings.Cut(action, ":")
			if !strings.EqualFold(service, "SNS") || !policyActions[name] {
				return "Policy statement action out of service scope!"
			}
		}
	}
	return ""
}

// policyOf is a topic's policy: the one it was given, or the default.
func (c *call) policyOf(t *engine.Topic, arn string) string {
	if policy := t.Label(labelPolicy); policy != "" {
		return policy
	}
	return defaultPolicyHead + arn + defaultPolicyMiddle + c.face.opts.Account + defaultPolicyTail
}

// What a topic has whose policy was never set.
const (
	defaultPolicyHead = `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",` +
		`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes",` +
		`"SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic",` +
		`"SNS:Publish"],"Resource":"`
	defaultPolicyMiddle = `","Condition":{"StringEquals":{"AWS:SourceOwner":"`
	defaultPolicyTail   = `"}}}]}`
)

// addPermission adds a statement to a topic's policy.
func (c *call) addPermission(p params) error {
	t, arn, label, err := c.permission(p)
	if err != nil {
		return err
	}
	accounts, actions := p.list("AWSAccountId"), p.list("ActionName")
	switch {
	case len(accounts) == 0:
		return noValue("AWSAccountId")
	case len(actions) == 0:
		return noValue("ActionName")
	}
	defer c.face.editing.enter(t.Name())()
	policy, _, ok := aws.ReadPolicy(c.policyOf(t, arn))
	if !ok {
		return invalid("Policy Error: null") // was stored by another version
	}
	if policy.Index(label) >= 0 {
		return invalid("Statement already exists")
	}
	for i, action := range actions {
		if !policyActions[action] {
			return invalid("Policy statement action out of service scope!")
		}
		actions[i] = "SNS:" + action
	}
	for _, account := range accounts {
		if !aws.IsAccount(account) {
			return invalid("A provided account ID is not valid")
		}
	}
	if err := policy.Allow(label, accounts, actions, arn); err != nil {
		return err
	}
	return c.storePolicy("AddPermission", t, &policy)
}

// removePermission removes the statement of a label; one that is not there is no fault.
func (c *call) removePermission(p params) error {
	t, arn, label, err := c.permission(p)
	if err != nil {
		return err
	}
	defer c.face.editing.enter(t.Name())()
	policy, statements, ok := aws.ReadPolicy(c.policyOf(t, arn))
	if !ok {
		return invalid("Policy Error: null") // likewise
	}
	kept := make([]json.RawMessage, 0, len(statements))
	for i, s := range statements {
		if s.Sid != label {
			kept = append(kept, policy.Statement[i])
		}
	}
	if len(kept) == len(statements) {
		c.replyNone("RemovePermission")
		return nil
	}
	policy.Statement = kept
	return c.storePolicy("RemovePermission", t, &policy)
}

// permission reads the topic and the label of a statement.
func (c *call) permission(p params) (t *engine.Topic, arn, label string, err error) {
	if t, arn, err = c.topic(p); err == nil {
		label, err = p.required("Label")
	}
	return t, arn, label, err
}

func (c *call) storePolicy(action string, t *engine.Topic, policy *aws.Policy) error {
	text := writePolicy(policy)
	if len(text) > accessPolicyBytesMax {
		return invalid("Policy Reason: longer than %d bytes", accessPolicyBytesMax)
	}
	if err := c.face.engine.UpdateTopic(t, func(labels map[string]string) { labels[labelPolicy] = text }); err != nil {
		return err
	}
	c.replyNone(action)
	return nil
}
