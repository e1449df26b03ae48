package smq

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// Source: "HTTP endpoints" and "NotifyContentFormat" of the SMQ HTTP reference, read 2026-11; names and case of the
// headers as the sample receivers of the vendor's SDKs look them up.

// The envelopes.
const (
	XML        = "xml"        // default
	JSON       = "json"       // the same members as an object
	Simplified = "simplified" // the text alone
)

const (
	defaultAccount = "123456"
	timeout        = 5 * time.Second
)

// Options of a Kind. The zero value works.
type Options struct {
	Account string // owner and subscriber of every topic, up to 64 digits and letters; default "123456"

	Answers engine.AnswerRules // which statuses mean what, where it is not as the package's documentation says
}

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var faults []error
	if len(o.Account) > 64 || strings.Trim(o.Account, alphabet) != "" {
		faults = append(faults, fmt.Errorf("smq: Account is %q, must be up to 64 digits and letters", o.Account))
	}
	if reason := o.Answers.Check(); reason != "" {
		faults = append(faults, fmt.Errorf("smq: Answers: %s", reason))
	}
	return errors.Join(faults...)
}

// Kind is the kind "smq".
type Kind struct {
	account string
	answers egress.Answers
}

// New returns the kind. The options must be valid.
func New(opts Options) *Kind {
	k := &Kind{account: opts.Account, answers: egress.NewAnswers(judge, &opts.Answers)}
	if k.account == "" {
		k.account = defaultAccount
	}
	return k
}

// Name is "smq".
func (*Kind) Name() string { return "smq" }

// Check fills in the envelope xml and refuses unknown ones.
func (*Kind) Check(c *engine.SubscriptionConfig) error {
	switch c.Envelope {
	case "":
		c.Envelope = XML
	case XML, JSON, Simplified:
	default:
		return &engine.FieldError{Field: "envelope", Reason: "must be xml, json or simplified for the kind smq"}
	}
	return nil
}

// Timeout is 5 s.
func (*Kind) Timeout() time.Duration { return timeout }

// DefaultRetry is the strategy BACKOFF_RETRY: three retries, each 10 to 20 s behind the attempt before.
func (*Kind) DefaultRetry() engine.RetryPolicy {
	return engine.RetryPolicy{
		Backoff: engine.BackoffRandom, Jitter: engine.JitterNone, MinDelay: 10 * time.Second, MaxDelay: 20 * time.Second,
		MaxAttempts: 4, Deaf: true,
	}
}

// DefaultPath is what is posted to when the endpoint has no path.
func (*Kind) DefaultPath() string { return "/notifications" }

// Judge says what a status means: as the options have it, and else as the service does.
func (k *Kind) Judge(status int) egress.Outcome { return k.answers.Judge(status) }

// judge takes 2xx for delivered. Receivers answer 403 to a signature they do not believe and 500 to everything
// else; the service tries both again.
func judge(status int) egress.Outcome {
	if status >= 200 && status <= 299 {
		return egress.Delivered
	}
	return egress.Retry
}

// Compile prepares what is the same in every push of the subscription.
func (k *Kind) Compile(s *engine.Subscription) egress.Encoder {
	base := newBase(k.account, s.Topic.Name(), s.Name())
	switch s.Config().Envelope {
	case JSON:
		return newJSON(base, k.account, s.Topic.Name(), s.Name())
	case Simplified:
		return newSimplified(base)
	default:
		return newXML(base, k.account, s.Topic.Name(), s.Name())
	}
}
