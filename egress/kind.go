package egress

import (
	"net/url"
	"time"

	"fanfare/engine"
)

// Kind is what a subscription speaks: envelope, headers, and which answers acknowledge. The zero-allocation
// rule holds for everything an Encoder does.
type Kind interface {
	// Name is the kind's word in configurations, such as "webhook".
	Name() string
	// Check fills the default envelope and reports what is wrong with the settings, as *engine.FieldError.
	Check(c *engine.SubscriptionConfig) error
	// Timeout is how long one attempt may take unless the subscription says otherwise.
	Timeout() time.Duration
	// Compile prepares what is the same in every push of the subscription. It is called again when the
	// subscription's settings change.
	Compile(s *engine.Subscription) Encoder
	// Judge says what an answer's HTTP status means.
	Judge(status int) Outcome
}

// Encoder renders the pushes of one subscription. It is called from many goroutines at once and must keep
// nothing of the message.
type Encoder interface {
	// Body renders the body of a push. It appends to scratch, or returns a view of the message instead;
	// the second result is the scratch memory, which may have grown.
	Body(scratch []byte, m *engine.Message) (body, grown []byte)
	// AppendHeader appends the header lines the kind adds, each "Name: value\r\n". The request line, Host
	// and Content-Length are the transport's.
	AppendHeader(dst []byte, m *engine.Message, body []byte, attempt int) []byte
}

// Outcome is what an attempt ended in.
type Outcome uint8

// The outcomes.
const (
	Delivered Outcome = iota // acknowledged
	Retry                    // worth another try
	Dead                     // refused for good
)

func (o Outcome) String() string {
	return [...]string{"delivered", "retry", "dead"}[o]
}

// DefaultRetrier is an optional ability of a Kind: the retry policy of subscriptions that say nothing of it.
type DefaultRetrier interface {
	DefaultRetry() engine.RetryPolicy
}

// QueueKind puts dead letters into a queue: a Kind whose pushes carry what another one's would.
type QueueKind interface {
	Kind
	DefaultRetrier
	// CheckQueue says what is wrong with a queue, "" for nothing: the URL of one elsewhere, or queue:NAME for one of ours.
	CheckQueue(queue string) string
	// Wrap returns an encoder whose push to the queue carries what the subscriber would have got.
	Wrap(subscriber Encoder, queue string) Encoder
}

// Placer is the Encoder of pushes that go into a queue of the engine: each is published to the queue's topic, without a
// request, and a batch of them together. Body is what a subscriber elsewhere would have got.
type Placer interface {
	Encoder
	// Queue is the queue's name.
	Queue() string
	// Place fills a new message with what the queue gets of one. A fault says why the queue cannot have it, which is final;
	// what is in dst then does not matter.
	Place(dst, m *engine.Message, queue *engine.QueueConfig) (fault string)
}

// Bilingual is an optional ability of an Encoder whose endpoint may speak one of two protocols, and shows which by its
// answers.
type Bilingual interface {
	// Second reports whether the body of a push is in the second protocol. Such a request goes to the path of the endpoint
	// itself, whatever a Targeter says.
	Second(body []byte) bool
	// Learn sees every answer to a push, which was in the second protocol or not; body is its beginning, 256 bytes at the
	// most. It reports whether the endpoint did not understand the first one: then the push is made again, in the other.
	Learn(second bool, status int, body []byte) bool
}

// AnswerReader is an optional ability of a Kind whose receivers say more than a status does. Rules of the subscription
// take its place, as they take Judge's.
type AnswerReader interface {
	// JudgeAnswer says what an answer means; body is its beginning, 256 bytes at the most.
	JudgeAnswer(status int, body []byte) Outcome
}

// Targeter is an optional ability of a Kind that does not post to the path of its endpoint.
type Targeter interface {
	// Target is what stands in the request line for an endpoint. It begins with a '/'.
	Target(endpoint *url.URL) string
}

// Locator is an optional ability of a Kind whose pushes go to a place of its own rather than to the endpoints.
type Locator interface {
	// Locate is the http or https URL that a subscription's pushes go to, "" for its endpoint.
	Locate(c *engine.SubscriptionConfig) string
}

// Barer is an optional ability of an Encoder: whether its pushes carry the text of the message alone, so that
// whatever else belongs to it has to travel beside.
type Barer interface {
	Bare() bool
}

// DefaultPather is an optional ability of a Kind: the path of endpoints that have none.
type DefaultPather interface {
	// DefaultPath begins with a '/'.
	DefaultPath() string
}
