package engine

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	PerSecondMax             = 1_000_000
)

// SubscriptionConfig is what is known of a subscription; immutable once published.
type SubscriptionConfig struct {
	Name              string            `json:"name"`
	Kind              string            `json:"kind"`     // webhook, sns, smq, smn
	Endpoint          string            `json:"endpoint"` // http or https URL, or queue:NAME for a queue of ours
	Envelope          string            `json:"envelope"`
	MaxInFlight       int               `json:"max_in_flight"`            // requests in flight; default 64
	Pipeline          int               `json:"pipeline"`                 // requests in flight per connection; default 1
	MaxPerSecond      int               `json:"max_per_second,omitempty"` // pushes begun per second; default 0: no limit
	Ordered           bool              `json:"ordered,omitempty"`        // within a group one delivery after the other; always of a FIFO topic
	Retry             RetryPolicy       `json:"retry"`
	Answers           AnswerRules       `json:"answers,omitzero"`
	DeadLetters       DeadLetterPlace   `json:"dead_letters,omitzero"`
	FilterTag         string            `json:"filter_tag,omitempty"`          // only messages with exactly this tag; "": all
	FilterPolicy      string            `json:"filter_policy,omitempty"`       // in the language of Amazon SNS; "": everything passes
	FilterPolicyScope string            `json:"filter_policy_scope,omitempty"` // MessageAttributes (default) or MessageBody
	Protocol          string            `json:"protocol,omitempty"`            // for MessageStructure: http or https
	Declared          bool              `json:"declared,omitempty"`            // comes from the configuration file
	Pending           bool              `json:"pending,omitempty"`             // waits for its confirmation; gets nothing else
	Token             string            `json:"token,omitempty"`               // that confirms it
	TokenUntil        int64             `json:"token_until,omitempty"`
	CreatedAt         int64             `json:"created_at"` // ms since 1970
	UpdatedAt         int64             `json:"updated_at"` // ms since 1970
	Labels            map[string]string `json:"labels,omitempty"`

	Filter CompiledFilter `json:"-"` // what CompileFilter made of the policy
}

// DeadLetterPlace is where a subscription's dead letters go. The zero value is the built-in list.
type DeadLetterPlace struct {
	Topic string `json:"topic,omitempty"` // name of the topic they are published to
	Queue string `json:"queue,omitempty"` // queue:NAME, or the http or https URL of a queue that speaks the API of Amazon SQS
}

// LaneState is what the egress is doing for a subscription, for reports.
type LaneState struct {
	State       string        // live, lagging or paused
	Floor       Sequence      // all up to here is settled
	Next        Sequence      // the next to be taken
	High        Sequence      // the last durable one of the topic
	Lag         uint64        // messages that are not settled
	LagTime     time.Duration // age of the oldest of them
	InFlight    int           // deliveries taken and not settled
	Connections int
	Failures    int       // in a row
	LastFailure string    // in words
	FailedAt    time.Time // zero without one
	Probe       time.Time // the breaker's next probe, of a paused lane
	Groups      int       // that wait for another try, of an ordered subscription
	Shallow     bool      // nothing is pipelined, since the endpoint did not keep up with it
}

// Receiver takes the messages of one subscription; the egress makes one for each.
type Receiver interface {
	// Offer hands over a durable message of the topic, in the order of the sequences. It must not block,
	// and must Retain what it keeps.
	Offer(m *Message)
	// Rewind sets the subscription back, or on, so that next is the first sequence it gets, or the first that
	// is still stored. It is durable when it returns. What was in flight may arrive once more.
	Rewind(next Sequence) (Sequence, error)
	// State reports what is being done for the subscription.
	State() LaneState
}

// Subscription is a durable claim on a topic.
type Subscription struct {
	ID    SubscriptionID // immutable
	Topic *Topic         // immutable

	config   atomic.Pointer[SubscriptionConfig]
	receiver Receiver // set before the subscription is visible, then immutable
	deleted  atomic.Bool

	consuming sync.Mutex // held while dead letters are replayed or purged
	replayAt  time.Time  // guarded by consuming: when the next dead letter of a replay with a rate is due
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
	return !c.Pending && (c.FilterTag == "" || string(m.Tag()) == c.FilterTag) && c.passes(m)
}

// Clone returns a copy that may be changed.
func (c *SubscriptionConfig) Clone() *SubscriptionConfig {
	d := *c
	d.Labels = maps.Clone(c.Labels)
	d.Retry.Delays = slices.Clone(c.Retry.Delays)
	d.Answers = AnswerRules{slices.Clone(c.Answers.Accept), slices.Clone(c.Answers.Retry), slices.Clone(c.Answers.Final)}
	return &d
}

// SetDefaults fills what was left out.
func (c *SubscriptionConfig) SetDefaults() {
	c.Kind = cmp.Or(c.Kind, "webhook")
	c.MaxInFlight = cmp.Or(c.MaxInFlight, 64)
	c.Pipeline = cmp.Or(c.Pipeline, 1)
	c.Retry.setDefaults()
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

// Validate returns every fault of the settings but those of kind and envelope, which the kinds know. It makes the filter
// policy ready for use.
func (c *SubscriptionConfig) Validate() []*FieldError {
	var faults []*FieldError
	fault := func(field, reason string, args ...any) {
		faults = append(faults, &FieldError{field, fmt.Sprintf(reason, args...)})
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
	if err := c.CompileFilter(); err != nil {
		faults = append(faults, err)
	}
	if c.MaxPerSecond < 0 || c.MaxPerSecond > PerSecondMax {
		fault("max_per_second", "must be between 0 and %d", PerSecondMax)
	}
	if reason := c.Answers.Check(); reason != "" {
		fault("answers", "%s", reason)
	}
	c.DeadLetters.validate(fault)
	c.Retry.validate(fault)
	return faults
}

func (p *DeadLetterPlace) validate(fault func(field, reason string, args ...any)) {
	if p.Topic != "" && p.Queue != "" {
		fault("dead_letters", "must be a topic or a queue, not both")
	}
	if p.Topic != "" && !validTopicName(p.Topic) {
		fault("dead_letters.topic", "is not the name of a topic")
	}
	if p.Queue == "" {
		return
	}
	if len(p.Queue) > EndpointBytesMax {
		fault("dead_letters.queue", "is longer than %d bytes", EndpointBytesMax)
	} else if reason := endpointFault(p.Queue); reason != "" {
		fault("dead_letters.queue", "%s", reason)
	}
}

func endpointFault(endpoint string) string {
	if name, ok := QueueOf(endpoint); ok {
		if !validTopicName(name) {
			return "does not name a queue"
		}
		return ""
	}
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
