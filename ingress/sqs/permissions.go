package sqs

import (
	"encoding/json"
	"slices"

	"fanfare/engine"
)

// Source: Amazon SQS API reference, AddPermission and RemovePermission; texts as recorded from AWS. A queue's policy is
// stored and returned; who may do what is decided by the credentials that are configured.

const (
	labelPolicy      = labelAttribute + "Policy"
	actionsMax       = 7 // of one statement
	accountsMax      = 50
	labelBytesMax    = 80
	policyVersion    = "2008-10-17"
	policyStatements = 20
)

// policyActions are what AddPermission may allow.
var policyActions = []string{
	"*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
	"ListDeadLetterSourceQueues", "PurgeQueue",
}

// accessPolicy is a policy whose statements are kept as they were given.
type accessPolicy struct {
	Version   string            `json:"Version,omitempty"`
	ID        string            `json:"Id,omitempty"`
	Statement []json.RawMessage `json:"Statement"`
}

// setPolicy keeps a policy, which has to be a JSON object; an empty one takes it away.
func setPolicy(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if value != "" {
		if _, ok := readPolicy(value); !ok {
			return nil, badAttribute("Policy")
		}
	}
	return setLabel(labelPolicy, value), nil
}

// readPolicy takes a policy apart; ok is false when it is none.
func readPolicy(value string) (policy accessPolicy, ok bool) {
	var outer struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if len(value) > policyBytesMax || json.Unmarshal([]byte(value), &outer) != nil {
		return policy, false
	}
	policy.Version, policy.ID = outer.Version, outer.ID
	switch {
	case len(outer.Statement) == 0:
		return policy, false
	case outer.Statement[0] == '{':
		policy.Statement = []json.RawMessage{outer.Statement}
	case json.Unmarshal(outer.Statement, &policy.Statement) != nil:
		return policy, false
	}
	for _, raw := range policy.Statement {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil || object == nil {
			return policy, false
		}
	}
	return policy, true
}

// words is a text or a list of texts; one is written without its list.
type words []string

// MarshalJSON writes the shorter form.
func (w words) MarshalJSON() ([]byte, error) {
	if len(w) == 1 {
		return json.Marshal(w[0])
	}
	return json.Marshal([]string(w))
}

// grant is the statement that AddPermission adds; its members are written in this order.
type grant struct {
	Sid       string
	Effect    string
	Principal struct{ AWS words }
	Action    words
	Resource  string
}

// addPermission adds a statement to a queue's policy.
func (c *call) addPermission() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	g, err := c.readGrant(q)
	if err != nil {
		return err
	}
	statement, err := json.Marshal(g)
	if err != nil {
		return err
	}
	return c.changePolicy(q, func(p *accessPolicy) error {
		switch {
		case p.index(g.Sid) >= 0:
			return invalidParam(g.Sid, "Label", "Already exists.")
		case len(p.Statement) >= policyStatements:
			return &fault{403, "OverLimit", "", "A policy can have 20 statements."}
		}
		p.Statement = append(p.Statement, statement)
		return nil
	})
}

// readGrant reads and checks what is to be allowed to whom.
func (c *call) readGrant(q *engine.Queue) (g grant, err error) {
	if g.Sid, err = c.str(paramLabel); err != nil {
		return g, err
	}
	accounts, err := c.strings(listAccounts)
	if err != nil {
		return g, err
	}
	actions, err := c.strings(listActions)
	if err != nil {
		return g, err
	}
	switch {
	case g.Sid == "":
		return g, missing("Label")
	case !isEntryID([]byte(g.Sid)) || len(g.Sid) > labelBytesMax:
		return g, invalidParam(shorten(g.Sid), "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	case len(accounts) == 0:
		return g, missing("AWSAccountIds")
	case len(actions) == 0:
		return g, missing("Actions")
	case len(actions) > actionsMax:
		return g, &fault{403, "OverLimit", "", "A statement can allow 7 actions."}
	case len(accounts) > accountsMax:
		return g, &fault{403, "OverLimit", "", "A statement can have 50 principals."}
	}
	for _, account := range accounts {
		if !isAccount(account) {
			return g, invalidParam(shorten(account), "PrincipalId", "Unable to verify.")
		}
		g.Principal.AWS = append(g.Principal.AWS, "arn:aws:iam::"+account+":root")
	}
	for _, action := range actions {
		if !slices.Contains(policyActions, action) {
			return g, invalidParam("SQS:"+shorten(action), "ActionName", "Please refer to the appropriate WSDL for a list of valid actions. ")
		}
		g.Action = append(g.Action, "SQS:"+action)
	}
	g.Effect, g.Resource = "Allow", c.queueARN(q.Name())
	return g, nil
}

// removePermission takes a statement out of a queue's policy.
func (c *call) removePermission() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	label, err := c.str(paramLabel)
	if err != nil {
		return err
	}
	if label == "" {
		return missing("Label")
	}
	return c.changePolicy(q, func(p *accessPolicy) error {
		i := p.index(label)
		if i < 0 {
			return invalidParam(shorten(label), "Label", "can't find label.")
		}
		p.Statement = slices.Delete(p.Statement, i, i+1)
		return nil
	})
}

// index finds a statement by its name, -1 for none.
func (p *accessPolicy) index(label string) int {
	return slices.IndexFunc(p.Statement, func(raw json.RawMessage) bool {
		var s struct{ Sid string }
		return json.Unmarshal(raw, &s) == nil && s.Sid == label
	})
}

// changePolicy lets fn change a queue's policy, while nobody else does, and answers.
func (c *call) changePolicy(q *engine.Queue, fn func(*accessPolicy) error) error {
	arn := c.queueARN(q.Name())
	var refused error
	err := c.face.engine.UpdateQueue(q, func(config *engine.QueueConfig) {
		policy, ok := readPolicy(config.Labels[labelPolicy])
		if !ok {
			policy = accessPolicy{Version: policyVersion, ID: arn + "/SQSDefaultPolicy"}
		}
		if refused = fn(&policy); refused != nil {
			return
		}
		value := ""
		if len(policy.Statement) > 0 {
			var b []byte
			if b, refused = json.Marshal(policy); refused != nil {
				return
			}
			value = string(b)
		}
		if config.Labels == nil {
			config.Labels = map[string]string{}
		}
		setLabel(labelPolicy, value)(config)
	})
	if err != nil {
		return err
	}
	if refused != nil {
		return refused
	}
	return c.replyNone()
}
