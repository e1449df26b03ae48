package sqs

import (
	"encoding/json"
	"slices"
	"strconv"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SQS developer guide, "Configure a dead-letter queue", read 2026-11.

const (
	policyBytesMax   = 16 << 10
	labelAllow       = labelAttribute + "RedriveAllowPolicy"
	sourcesMax       = 10
	reasonNotAMap    = "Redrive policy is not a valid JSON map."
	reasonNoTarget   = "Dead letter target does not exist."
	reasonOtherType  = "Dead-letter queue must be same type of queue as the source."
	reasonNotAllowed = "The RedriveAllowPolicy of the dead-letter queue does not allow this queue."
)

func readRedrive(c *call, q *engine.QueueConfig) string {
	if q.DeadLetters.Queue == "" {
		return ""
	}
	return `{"deadLetterTargetArn":"` + c.queueARN(q.DeadLetters.Queue) + `","maxReceiveCount":` + strconv.Itoa(q.DeadLetters.Receives) + `}`
}

// setRedrive says where the messages go that were received too often; an empty policy takes that away.
func setRedrive(c *call, config *engine.QueueConfig, value string) (change, error) {
	if value == "" {
		return func(q *engine.QueueConfig) { q.DeadLetters = engine.QueueRedrive{} }, nil
	}
	redrive, reason := c.readRedrivePolicy(config, value)
	if reason != "" {
		return nil, invalidParam(aws.Shorten(value), "RedrivePolicy", reason)
	}
	return func(q *engine.QueueConfig) { q.DeadLetters = redrive }, nil
}

func (c *call) readRedrivePolicy(config *engine.QueueConfig, value string) (redrive engine.QueueRedrive, reason string) {
	var policy struct {
		Target   *string         `json:"deadLetterTargetArn"`
		Receives json.RawMessage `json:"maxReceiveCount"`
	}
	if len(value) > policyBytesMax || json.Unmarshal([]byte(value), &policy) != nil {
		return redrive, reasonNotAMap
	}
	switch {
	case policy.Target == nil:
		return redrive, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
	case policy.Receives == nil:
		return redrive, "Redrive policy does not contain mandatory attribute: maxReceiveCount."
	}
	number := string(policy.Receives) // or in quotes
	if text, err := strconv.Unquote(number); err == nil {
		number = text
	}
	n, ok := parseInteger(number)
	if !ok || n < 1 || n > engine.ReceivesMaxMax {
		return redrive, "Invalid value for maxReceiveCount: " + aws.Shorten(number) + ", valid values are from 1 to 1000 both inclusive."
	}
	name, ok := queueOfARN(*policy.Target)
	if !ok {
		return redrive, "Invalid value for deadLetterTargetArn."
	}
	target := c.face.engine.Queue([]byte(name))
	switch {
	case target == nil:
		return redrive, reasonNoTarget
	case (target.Config().FIFO == nil) != (config.FIFO == nil):
		return redrive, reasonOtherType
	case !allows(target.Config().Labels[labelAllow], config.Name):
		return redrive, reasonNotAllowed
	}
	return engine.QueueRedrive{Queue: name, Receives: int(n)}, ""
}

// allowPolicy is a RedriveAllowPolicy.
type allowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

// allows reports whether a policy, which was checked or is empty, lets the dead letters of a queue in.
func allows(policy, name string) bool {
	var p allowPolicy
	if policy == "" || json.Unmarshal([]byte(policy), &p) != nil {
		return true
	}
	switch p.Permission {
	case "denyAll":
		return false
	case "byQueue":
		return slices.ContainsFunc(p.Sources, func(arn string) bool {
			source, ok := queueOfARN(arn)
			return ok && source == name
		})
	}
	return true
}

// setRedriveAllow says whose dead letters a queue takes. It holds for policies that are set from now on.
func setRedriveAllow(_ *call, _ *engine.QueueConfig, value string) (change, error) {
	if value == "" {
		return setLabel(labelAllow, ""), nil
	}
	refuse := func(reason string) (change, error) {
		return nil, invalidParam(aws.Shorten(value), "RedriveAllowPolicy", reason)
	}
	var p allowPolicy
	if len(value) > policyBytesMax || json.Unmarshal([]byte(value), &p) != nil {
		return refuse("Redrive allow policy is not a valid JSON map.")
	}
	switch p.Permission {
	case "allowAll", "denyAll":
		if len(p.Sources) > 0 {
			return refuse("sourceQueueArns can only be given with redrivePermission byQueue.")
		}
	case "byQueue":
		if len(p.Sources) == 0 || len(p.Sources) > sourcesMax {
			return refuse("sourceQueueArns must have 1 to 10 ARNs with redrivePermission byQueue.")
		}
	default:
		return refuse("redrivePermission must be allowAll, denyAll or byQueue.")
	}
	for _, arn := range p.Sources {
		if _, ok := queueOfARN(arn); !ok {
			return refuse("sourceQueueArns has a member that is not the ARN of a queue.")
		}
	}
	return setLabel(labelAllow, value), nil
}
