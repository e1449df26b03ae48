package sns

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"fanfare/egress"
	"fanfare/egress/sign"
	"fanfare/engine"
)

// The envelopes.
const (
	JSON = "json"
	Raw  = "raw"
)

const timeout = 15 * time.Second

// The labels of a subscription that the face "sns" keeps for this kind.
const (
	labelTopicARN  = "sns.topic_arn"  // the topic as the subscriber named it
	labelPublicURL = "sns.public_url" // where the subscriber reached us

	labelContentType = "sns.content_type" // of notifications, from its delivery policy
)

// labelSignatureVersion is the label of a topic that the face keeps its attribute under: "1" or "2".
const labelSignatureVersion = "sns.attribute.SignatureVersion"

// Options of a Kind. The zero value works.
type Options struct {
	Region    string // in the ARNs of topics whose subscriber named none; default us-east-1
	Account   string // likewise: 12 digits; default 000000000000
	PublicURL string // base of SubscribeURL and UnsubscribeURL; default: where the subscriber reached us, or http://127.0.0.1:8080

	Signer     *sign.Signer // default nil: documents are not signed
	SignAlways bool         // sign the notifications of every topic; default: of those with the attribute SignatureVersion

	Answers engine.AnswerRules // which statuses mean what, where it is not as the package's documentation says
}

func (o *Options) setDefaults() {
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Account = cmp.Or(o.Account, "000000000000")
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
}

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	var faults []error
	if strings.ContainsFunc(o.Region, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		faults = append(faults, fmt.Errorf("sns: Region %q must be lower-case letters, digits and '-'", o.Region))
	}
	if o.Account != "" && (len(o.Account) != 12 || strings.Trim(o.Account, "0123456789") != "") {
		faults = append(faults, fmt.Errorf("sns: Account %q must be 12 digits", o.Account))
	}
	if u, err := url.Parse(o.PublicURL); o.PublicURL != "" &&
		(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "") {
		faults = append(faults, fmt.Errorf("sns: PublicURL %q must be http://HOST or https://HOST, with a path if need be", o.PublicURL))
	}
	if reason := o.Answers.Check(); reason != "" {
		faults = append(faults, fmt.Errorf("sns: Answers: %s", reason))
	}
	return errors.Join(faults...)
}

// Kind is the kind "sns".
type Kind struct {
	opts    Options
	answers egress.Answers
}

// New returns the kind.
func New(opts Options) *Kind {
	opts.setDefaults()
	return &Kind{opts, egress.NewAnswers(judge, &opts.Answers)}
}

// Name is "sns".
func (*Kind) Name() string { return "sns" }

// Check fills in the envelope "json" and refuses unknown ones.
func (*Kind) Check(c *engine.SubscriptionConfig) error {
	switch c.Envelope {
	case "":
		c.Envelope = JSON
	case JSON, Raw:
	default:
		return &engine.FieldError{Field: "envelope", Reason: "must be json or raw for the kind sns"}
	}
	return nil
}

// Timeout is 15 s.
func (*Kind) Timeout() time.Duration { return timeout }

// DefaultRetry is the service's policy for HTTP and HTTPS endpoints: three retries, 20 s apart.
func (*Kind) DefaultRetry() engine.RetryPolicy {
	return engine.RetryPolicy{
		Backoff: engine.BackoffLinear, Jitter: engine.JitterNone, MinDelay: 20 * time.Second, MaxDelay: 20 * time.Second,
		MaxAttempts: 4, Deaf: true,
	}
}

// Judge says what a status means: as the options have it, and else as the service does.
func (k *Kind) Judge(status int) egress.Outcome { return k.answers.Judge(status) }

// judge takes 2xx for delivered, and 3xx and 4xx but 429 for a refusal for good.
func judge(status int) egress.Outcome {
	switch {
	case status >= 200 && status <= 299:
		return egress.Delivered
	case status >= 300 && status <= 499 && status != 429:
		return egress.Dead
	}
	return egress.Retry
}

// Compile prepares what is the same in every push of the subscription.
func (k *Kind) Compile(s *engine.Subscription) egress.Encoder {
	c := s.Config()
	topicARN := c.Labels[labelTopicARN]
	if topicARN == "" {
		topicARN = "arn:aws:sns:" + k.opts.Region + ":" + k.opts.Account + ":" + s.Topic.Name()
	}
	base := k.opts.PublicURL
	base = cmp.Or(base, c.Labels[labelPublicURL])
	base = cmp.Or(base, "http://127.0.0.1:8080")
	e := newEncoder(names{topicARN, topicARN + ":" + c.Name, base}, c.Protocol, c.Labels[labelContentType], c.Envelope == Raw)
	e.topic, e.fifo = s.Topic, s.Topic.Config().FIFO != nil
	e.signer, e.always = k.opts.Signer, k.opts.SignAlways
	return e
}
