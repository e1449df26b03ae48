package sns

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SNS developer guide, "Fanout to Amazon SQS queues", "Dead-letter queues" and "Message delivery for FIFO
// topics", read 2026-11; texts as recorded from AWS, but for that of a protocol which FIFO topics do not have, which is as
// users quote it.

const (
	queueKind     = "sqs" // the kind of subscriptions of queues
	queueEnvelope = "sns" // what it calls the document

	protocolSQS = "sqs"
)

// queueServers says where queues are, by what their ARNs say. The zero value has all of them here.
type queueServers struct {
	others string            // base URL of those that are not in the map, "" for here
	bases  map[string]string // by REGION/ACCOUNT or by ACCOUNT
}

// parseQueueServers reads a base URL, or a list of [REGION/]ACCOUNT=URL with such a URL for the others if need be, with
// spaces between them.
func parseQueueServers(text string) (servers queueServers, err error) {
	fields := strings.Fields(text)
	for _, field := range fields {
		place, base, named := strings.Cut(field, "=")
		if !named {
			place, base = "", field
		}
		account := place[strings.IndexByte(place, '/')+1:]
		region, regional := strings.CutSuffix(place, "/"+account)
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(base, "?#") ||
			named && (!aws.IsAccount(account) || regional && !aws.IsRegion(region)) ||
			servers.has(place) {
			return servers, fmt.Errorf("sns: Queues %q must be http://HOST or https://HOST, with a path if need be, "+
				"or a list of [REGION/]ACCOUNT=URL, each once, with spaces between them", text)
		}
		servers.add(place, strings.TrimRight(base, "/"))
	}
	return servers, nil
}

func (s *queueServers) has(place string) bool {
	return place == "" && s.others != "" || s.bases[place] != ""
}

func (s *queueServers) add(place, base string) {
	if place == "" {
		s.others = base
		return
	}
	if s.bases == nil {
		s.bases = map[string]string{}
	}
	s.bases[place] = base
}

// endpoint is where a queue is: its URL at another server, or queue:NAME for one of ours.
func (s *queueServers) endpoint(q aws.QueueARN) string {
	base := s.bases[q.Region+"/"+q.Account]
	if base == "" {
		base = s.bases[q.Account]
	}
	if base == "" {
		base = s.others
	}
	if base == "" {
		return engine.QueueEndpoint(q.Name)
	}
	return base + "/" + q.Account + "/" + q.Name
}

func isFIFO(t *engine.Topic) bool { return t.Config().FIFO != nil }

// queueConfig is the configuration of a subscription of a queue. It needs no confirmation, and the queue need not exist.
func (c *call) queueConfig(t *engine.Topic, endpoint, topicARN string) (config engine.SubscriptionConfig, err error) {
	q, ok := aws.ParseQueueARN(endpoint)
	switch {
	case !ok:
		return config, invalid("SQS endpoint ARN")
	case !isFIFO(t) && strings.HasSuffix(q.Name, aws.FIFOSuffix):
		return config, invalid("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
	}
	config = engine.SubscriptionConfig{
		Name: newName(), Kind: queueKind, Endpoint: c.face.queues.endpoint(q), Envelope: queueEnvelope, Protocol: protocolSQS,
		Labels: map[string]string{labelTopicARN: topicARN, labelEndpoint: endpoint, labelAuthenticated: "true"},
	}
	if host := c.publicHost(); host != "" {
		config.Labels[labelPublicURL] = host
	}
	return config, nil
}

// queueShown is what the endpoint of a queue's subscription is called.
func (c *call) queueShown(config *engine.SubscriptionConfig) string {
	if arn := config.Labels[labelEndpoint]; arn != "" {
		return arn
	}
	return c.queueNamed(config.Endpoint)
}

// queueNamed is the ARN of a queue that was not named by one: the queue's URL when it says too little.
func (c *call) queueNamed(endpoint string) string {
	if name, ok := engine.QueueOf(endpoint); ok {
		return c.arnOf("sqs", c.face.opts.Account, name)
	}
	if parts := strings.Split(endpoint, "/"); len(parts) > 2 {
		account, name := parts[len(parts)-2], parts[len(parts)-1]
		if aws.IsAccount(account) && aws.IsQueueName(name) {
			return c.arnOf("sqs", account, name)
		}
	}
	return endpoint
}

// redriveOf is the attribute RedrivePolicy of a subscription: as it was given, or for a queue that was set otherwise.
func (c *call) redriveOf(config *engine.SubscriptionConfig) string {
	if policy := config.Labels[labelRedrive]; policy != "" || config.DeadLetters.Queue == "" {
		return policy
	}
	return writePolicy(redrivePolicy{c.queueNamed(config.DeadLetters.Queue)})
}

// redrivePolicy is the attribute RedrivePolicy.
type redrivePolicy struct {
	DeadLetterTargetARN string `json:"deadLetterTargetArn"`
}

// queueOf reads a RedrivePolicy and returns where the queue is that it names, "" for none. One of a FIFO queue to a FIFO topic
// has to be a FIFO queue.
func (f *Face) queueOf(t *engine.Topic, endpoint, value string) (queue, fault string) {
	if value == "" || value == "{}" {
		return "", ""
	}
	var policy redrivePolicy
	if len(value) > policyBytesMax || json.Unmarshal([]byte(value), &policy) != nil {
		return "", "RedrivePolicy: failed to parse JSON."
	}
	q, ok := aws.ParseQueueARN(policy.DeadLetterTargetARN)
	switch {
	case !ok:
		return "", "RedrivePolicy: deadLetterTargetArn is an invalid arn"
	case isFIFO(t) && strings.HasSuffix(endpoint, aws.FIFOSuffix) && !strings.HasSuffix(q.Name, aws.FIFOSuffix):
		return "", "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
	}
	return f.queues.endpoint(q), ""
}
