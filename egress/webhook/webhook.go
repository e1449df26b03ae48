package webhook

import (
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// The envelopes.
const (
	Raw         = "raw"
	CloudEvents = "cloudevents"
)

const timeout = 30 * time.Second

// Options of a Kind. There are none yet.
type Options struct{}

// Kind is the kind "webhook".
type Kind struct{}

// New returns the kind.
func New(Options) *Kind { return &Kind{} }

// Name is "webhook".
func (*Kind) Name() string { return "webhook" }

// Check fills in the envelope "raw" and refuses unknown ones.
func (*Kind) Check(c *engine.SubscriptionConfig) error {
	switch c.Envelope {
	case "":
		c.Envelope = Raw
	case Raw, CloudEvents:
	default:
		return &engine.FieldError{Field: "envelope", Reason: "must be raw or cloudevents for the kind webhook"}
	}
	return nil
}

// Timeout is 30 s.
func (*Kind) Timeout() time.Duration { return timeout }

// Judge takes 2xx for delivered and 410 for a refusal for good.
func (*Kind) Judge(status int) egress.Outcome {
	switch {
	case status >= 200 && status <= 299:
		return egress.Delivered
	case status == 410:
		return egress.Dead
	}
	return egress.Retry
}

// Compile prepares what is the same in every push of the subscription.
func (*Kind) Compile(s *engine.Subscription) egress.Encoder {
	if s.Config().Envelope == CloudEvents {
		return newCloudEvents(s)
	}
	return newRaw(s)
}
