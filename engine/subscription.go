package engine

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// Limits of a subscription's settings.
const (
	SubscriptionNameBytesMax = 256
	EndpointBytesMax         = 2048
	MaxInFlightMax           = 4096
	PipelineMax              = 1024
	FilterTagBytesMax        = 255
)

// RetryPolicy says how a failed push is tried again: after MinDelay, doubling up to MaxDelay, with full
// jitter, until MaxAttempts or MaxAge is reached.
type RetryPolicy struct {
	MinDelay    time.Duration `json:"min_delay"`    // default 1 s; from 1 ms
	MaxDelay    time.Duration `json:"max_delay"`    // default 10 min; to 24 h
	MaxAttempts int           `json:"max_attempts"` // default 0: no limit but MaxAge
	MaxAge      time.Duration `json:"max_age"`      // default 72 h since the publish; to 14 days
	Timeout     time.Duration `json:"timeout"`      // of one attempt, from the write to the end of the answer; default is the kind's
}

// SubscriptionConfig is what is known of a subscription; immutable once published.
type SubscriptionConfig struct {
	Name        string            `json:"name"`
	Kind        string            `json:"kind"`     // webhook, sns, smq, smn
	Endpoint    string            `json:"endpoint"` // http or https URL
	Envelope    string            `json:"envelope"`
	MaxInFlight int               `json:"max_in_flight"` // requests in flight; default 64
	Pipeline    int               `json:"pipeline"`      // requests in flight per connection; default 1
	Retry       RetryPolicy       `json:"retry"`
	FilterTag   string            `json:"filter_tag,omitempty"` // only messages with exactly this tag; "": all
	Protocol    string            `json:"protocol,omitempty"`   // for MessageStructure: http or https
	Declared    bool              `json:"declared,omitempty"`   // comes from the configuration file
	Pending     bool              `json:"pending,omitempty"`    // waits for its confirmation; gets nothing else
	Token       string            `json:"token,omitempty"`      // that confirms it
	TokenUntil  int64             `json:"token_until,omitempty"`
	CreatedAt   int64             `json:"created_at"` // ms since 1970
	UpdatedAt   int64             `json:"updated_at"` // ms since 1970
	Labels      map[string]string `json:"labels,omitempty"`
}

// Receiver takes the messages of one subscription; the egress makes one for each.
type Receiver interface {
	// Offer hands over a durable message of the topic, in the order of the sequences. It must not block,
	// and must Retain what it keeps.
	Offer(m *Message)
}

// Subscription is a durable claim on a topic.
type Subscription struct {
	ID    SubscriptionID // immutable
	Topic *Topic         // immutable

	config   atomic.Pointer[SubscriptionConfig]
	receiver Receiver // set before the subscription is visible, then immutable
	deleted  atomic.Bool
}

// Config returns the subscription's description; it must not be changed.
func (s *Subscription) Config() *SubscriptionConfig { return s.config.Load() }

// Name is the subscription's name, unique in its topic.
func (s *Subscription) Name() string { return s.config.Load().Name }

// Receiver is what the egress made for the subscription.
func (s *Subscription) Receiver() Receiver { return s.receiver }

// Deleted reports whether the subscription, or its topic, was deleted.
func (s *Subscription) Deleted() bool { return s.deleted.Load() }

// Matches reports whether the subscription wants the message now.
func (c *SubscriptionConfig) Matches(m *Message) bool {
	return !c.Pending && (c.FilterTag == "" || string(m.Tag()) == c.FilterTag)
}

// Clone returns a copy that may be changed.
func (c *SubscriptionConfig) Clone() *SubscriptionConfig {
	d := *c
	d.Labels = maps.Clone(c.Labels)
	return &d
}

// SetDefaults fills what was left out.
func (c *SubscriptionConfig) SetDefaults() {
	c.Kind = cmp.Or(c.Kind, "webhook")
	c.MaxInFlight = cmp.Or(c.MaxInFlight, 64)
	c.Pipeline = cmp.Or(c.Pipeline, 1)
	c.Retry.MinDelay = cmp.Or(c.Retry.MinDelay, time.Second)
	c.Retry.MaxDelay = cmp.Or(c.Retry.MaxDelay, 10*time.Minute)
	c.Retry.MaxAge = cmp.Or(c.Retry.MaxAge, 72*time.Hour)
	if c.Protocol == "" {
		if u, err := url.Parse(c.Endpoint); err == nil {
			c.Protocol = u.Scheme
		}
	}
}

// FieldError is a setting that is wrong; it is an ErrInvalid.
type FieldError struct {
	Field  string // its key, as in the configuration file
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// Unwrap makes a FieldError an ErrInvalid.
func (e *FieldError) Unwrap() error { return ErrInvalid }

// Validate returns every fault of the settings but those of kind and envelope, which the kinds know.
func (c *SubscriptionConfig) Validate() []*FieldError {
	var faults []*FieldError
	fault := func(field, reason string, args ...any) {
		faults = append(faults, &FieldError{field, fmt.Sprintf(reason, args...)})
	}
	between := func(field string, v, low, high time.Duration) {
		if v < low || v > high {
			fault(field, "must be between %v and %v", low, high)
		}
	}
	if !validSubscriptionName(c.Name) {
		fault("name", "must be 1 to %d letters, digits, '-', '_' or '.'", SubscriptionNameBytesMax)
	}
	if len(c.Endpoint) > EndpointBytesMax {
		fault("endpoint", "is longer than %d bytes", EndpointBytesMax)
	} else if reason := endpointFault(c.Endpoint); reason != "" {
		fault("endpoint", "%s", reason)
	}
	if c.MaxInFlight < 1 || c.MaxInFlight > MaxInFlightMax {
		fault("max_in_flight", "must be between 1 and %d", MaxInFlightMax)
	}
	if c.Pipeline < 1 || c.Pipeline > PipelineMax {
		fault("pipeline", "must be between 1 and %d", PipelineMax)
	}
	if len(c.FilterTag) > FilterTagBytesMax {
		fault("filter_tag", "is longer than %d bytes", FilterTagBytesMax)
	} else if strings.ContainsFunc(c.FilterTag, unicode.IsControl) {
		fault("filter_tag", "must not contain control characters")
	}
	between("retry.min_delay", c.Retry.MinDelay, time.Millisecond, 24*time.Hour)
	between("retry.max_delay", c.Retry.MaxDelay, c.Retry.MinDelay, 24*time.Hour)
	between("retry.max_age", c.Retry.MaxAge, time.Millisecond, 14*24*time.Hour)
	if c.Retry.Timeout != 0 {
		between("retry.timeout", c.Retry.Timeout, time.Millisecond, 10*time.Minute)
	}
	if c.Retry.MaxAttempts < 0 || c.Retry.MaxAttempts > 1_000_000 {
		fault("retry.max_attempts", "must be between 0 and 1000000")
	}
	return faults
}

func endpointFault(endpoint string) string {
	for i := range len(endpoint) {
		if endpoint[i] <= ' ' || endpoint[i] == 0x7f {
			return "must not contain spaces or control characters"
		}
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return "is not a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "must begin with http:// or https://"
	case u.Hostname() == "":
		return "has no host"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "has a port that is not between 1 and 65535"
		}
	}
	return ""
}

func validSubscriptionName(name string) bool {
	if name == "" || len(name) > SubscriptionNameBytesMax {
		return false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return name != "." && name != ".."
}
