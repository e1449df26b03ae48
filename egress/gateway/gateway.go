package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// JSON is the one envelope.
const JSON = "json"

const timeout = 15 * time.Second

// The protocols that have gateways of their own.
const (
	protocolApplication = "application"
	protocolSMS         = "sms"
	protocolEmail       = "email"
	protocolEmailJSON   = "email-json"
)

// The labels of a subscription that the face "sns" keeps for this kind.
const (
	labelTopicARN    = "sns.topic_arn"   // the topic as the subscriber named it
	labelPublicURL   = "sns.public_url"  // where the subscriber reached us
	labelDestination = "sns.destination" // where the gateway is to send to
)

// Options of a Kind. The zero value works.
type Options struct {
	Application string // URL of the gateway for mobile push; default: the endpoint of each subscription
	SMS         string // likewise for text messages
	Email       string // likewise for mail

	Region    string // in the ARNs of topics whose subscriber named none; default us-east-1
	Account   string // likewise: 12 digits; default 000000000000
	PublicURL string // base of SubscribeURL and UnsubscribeURL; default: where the subscriber reached us, or http://127.0.0.1:8080

	// Document finds what is kept of a platform endpoint, a JSON object, by "sns." and the last part of its ARN; nil when
	// there is none. Default: endpoints are not known. It must not allocate.
	Document func(key []byte) []byte
}

func (o *Options) setDefaults() {
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Account = cmp.Or(o.Account, "000000000000")
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	if o.Document == nil {
		o.Document = func([]byte) []byte { return nil }
	}
}

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	var faults []error
	for _, g := range []struct{ name, value string }{{"Application", o.Application}, {"SMS", o.SMS}, {"Email", o.Email}} {
		u, err := url.Parse(g.value)
		if g.value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "") {
			faults = append(faults, fmt.Errorf("gateway: %s %q must be an http or https URL", g.name, g.value))
		}
	}
	return errors.Join(faults...)
}

// Kind is the kind "gateway".
type Kind struct{ opts Options }

// New returns the kind.
func New(opts Options) *Kind {
	opts.setDefaults()
	return &Kind{opts}
}

// Name is "gateway".
func (*Kind) Name() string { return "gateway" }

// Check fills in the envelope "json" and refuses others.
func (*Kind) Check(c *engine.SubscriptionConfig) error {
	if c.Envelope = cmp.Or(c.Envelope, JSON); c.Envelope != JSON {
		return &engine.FieldError{Field: "envelope", Reason: "must be json for the kind gateway"}
	}
	return nil
}

// Timeout is 15 s.
func (*Kind) Timeout() time.Duration { return timeout }

// DefaultRetry is the service's fixed policy for SMTP, SMS and mobile push: 50 retries over 6 hours.
func (*Kind) DefaultRetry() engine.RetryPolicy {
	return engine.RetryPolicy{
		Backoff: engine.BackoffExponential, Jitter: engine.JitterNone, MinDelay: 10 * time.Second, MaxDelay: 10 * time.Minute,
		AtMinDelay: 2, AtMaxDelay: 38, MaxAttempts: 1 + 2 + 10 + 38, MaxAge: 24 * time.Hour,
	}
}

// Judge says what a status means.
func (*Kind) Judge(status int) egress.Outcome {
	switch {
	case status >= 200 && status <= 299:
		return egress.Delivered
	case status >= 300 && status <= 499 && status != 408 && status != 429:
		return egress.Dead
	}
	return egress.Retry
}

// Locate is the URL of the protocol's gateway, "" when the subscription's endpoint is it.
func (k *Kind) Locate(c *engine.SubscriptionConfig) string {
	switch c.Protocol {
	case protocolApplication:
		return k.opts.Application
	case protocolSMS:
		return k.opts.SMS
	case protocolEmail, protocolEmailJSON:
		return k.opts.Email
	}
	return ""
}

// Compile prepares what is the same in every push of the subscription.
func (k *Kind) Compile(s *engine.Subscription) egress.Encoder {
	c := s.Config()
	e := &encoder{protocol: c.Protocol, destination: []byte(c.Labels[labelDestination]), document: k.opts.Document}
	e.protocolMember = appendMember(nil, "Protocol", []byte(c.Protocol))
	if len(e.destination) == 0 && (c.Protocol == protocolApplication || c.Protocol == protocolSMS) {
		e.direct = true
		return e
	}
	topicARN := cmp.Or(c.Labels[labelTopicARN], "arn:aws:sns:"+k.opts.Region+":"+k.opts.Account+":"+s.Topic.Name())
	subscriptionARN := topicARN + ":" + c.Name
	base := cmp.Or(k.opts.PublicURL, c.Labels[labelPublicURL], "http://127.0.0.1:8080")
	e.arns = appendMember(appendMember(nil, "TopicArn", []byte(topicARN)), "SubscriptionArn", []byte(subscriptionARN))
	e.subscribeURL = []byte(base + "/?Action=ConfirmSubscription&TopicArn=" + topicARN + "&Token=")
	if c.Token != "" {
		e.unsubscribe = appendMember(nil, "UnsubscribeURL", []byte(base+"/?Action=Unsubscribe&SubscriptionArn="+subscriptionARN))
	}
	return e
}
