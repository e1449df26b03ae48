package sqs

import (
	"slices"

	"fanfare/engine"
	"fanfare/ingress/aws"
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

// setPolicy keeps a policy, which has to be a JSON object; an empty one takes it away.
func setPolicy(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if value != "" {
		if _, _, ok := aws.ReadPolicy(value); !ok {
			return nil, badAttribute("Policy")
		}
	}
	return setLabel(labelPolicy, value), nil
}

// addPermission adds a statement to a queue's policy.
func (c *call) addPermission() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	label, accounts, actions, err := c.readGrant()
	if err != nil {
		return err
	}
	return c.changePolicy(q, func(p *aws.Policy) error {
		switch {
		case p.Index(label) >= 0:
			return invalidParam(label, "Label", "Already exists.")
		case len(p.Statement) >= policyStatements:
			return &fault{403, "OverLimit", "", "A policy can have 20 statements."}
		}
		return p.Allow(label, accounts, actions, c.queueARN(q.Name()))
	})
}

// readGrant reads and checks what is to be allowed to whom.
func (c *call) readGrant() (label string, accounts, actions []string, err error) {
	if label, err = c.str(paramLabel); err != nil {
		return "", nil, nil, err
	}
	if accounts, err = c.strings(listAccounts); err != nil {
		return "", nil, nil, err
	}
	if actions, err = c.strings(listActions); err != nil {
		return "", nil, nil, err
	}
	switch {
	case label == "":
		return "", nil, nil, missing("Label")
	case !isEntryID([]byte(label)) || len(label) > labelBytesMax:
		return "", nil, nil, invalidParam(aws.Shorten(label), "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	case len(accounts) == 0:
		return "", nil, nil, missing("AWSAccountIds")
	case len(actions) == 0:
		return "", nil, nil, missing("Actions")
	case len(actions) > actionsMax:
		return "", nil, nil, &fault{403, "OverLimit", "", "A statement can allow 7 actions."}
	case len(accounts) > accountsMax:
		return "", nil, nil, &fault{403, "OverLimit", "", "A statement can have 50 principals."}
	}
	for _, account := range accounts {
		if !aws.IsAccount(account) {
			return "", nil, nil, invalidParam(aws.Shorten(account), "PrincipalId", "Unable to verify.")
		}
	}
	for i, action := range actions {
		if !slices.Contains(policyActions, action) {
			return "", nil, nil, invalidParam("SQS:"+aws.Shorten(action), "ActionName", "Please refer to the appropriate WSDL for a list of valid actions. ")
		}
		actions[i] = "SQS:" + action
	}
	return label, accounts, actions, nil
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
	return c.changePolicy(q, func(p *aws.Policy) error {
		i := p.Index(label)
		if i < 0 {
			return invalidParam(aws.Shorten(label), "Label", "can't find label.")
		}
		p.Remove(i)
		return nil
	})
}

// changePolicy lets fn change a queue's policy, while nobody else does, and answers.
func (c *call) changePolicy(q *engine.Queue, fn func(*aws.Policy) error) error {
	arn := c.queueARN(q.Name())
	var refused error
	err := c.face.engine.UpdateQueue(q, func(config *engine.QueueConfig) {
		policy, _, ok := aws.ReadPolicy(config.Labels[labelPolicy])
		if !ok {
			policy = aws.Policy{Version: policyVersion, ID: arn + "/SQSDefaultPolicy"}
		}
		if refused = fn(&policy); refused != nil {
			return
		}
		value := ""
		if len(policy.Statement) > 0 {
			if value, refused = policy.Text(); refused != nil {
				return
			}
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
