package sqs

import (
	"bytes"
	"cmp"
	"net/url"
	"strings"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

const timeout = 10 * time.Second

// The envelopes.
const (
	SNS = "sns" // the notification document of Amazon SNS
	Raw = "raw" // the text of the message, with its attributes beside it
)

// Protocol is the one of subscriptions of this kind, for messages with a text per protocol.
const Protocol = "sqs"

// Options of a Kind.
type Options struct {
	// Documents renders what subscriptions get: a kind with the envelope "raw", which is the text alone, and else the
	// notification document. Default nil: nobody can subscribe, there are only dead letters.
	Documents egress.Kind
}

// Kind is the kind "sqs".
type Kind struct{ opts Options }

// New returns the kind.
func New(opts Options) *Kind { return &Kind{opts} }

// Name is "sqs".
func (*Kind) Name() string { return "sqs" }

// Check fills in the envelope and the protocol, and says what is wrong with the endpoint.
func (k *Kind) Check(c *engine.SubscriptionConfig) error {
	if k.opts.Documents == nil {
		return &engine.FieldError{Field: "kind", Reason: "sqs is for dead letters only"}
	}
	switch c.Envelope = cmp.Or(c.Envelope, SNS); c.Envelope {
	case SNS, Raw:
	default:
		return &engine.FieldError{Field: "envelope", Reason: "must be sns or raw for the kind sqs"}
	}
	c.Protocol = cmp.Or(c.Protocol, Protocol)
	if reason := k.CheckQueue(c.Endpoint); reason != "" {
		return &engine.FieldError{Field: "endpoint", Reason: reason}
	}
	return nil
}

// CheckQueue says what is wrong with a queue, "" for nothing: queue:NAME, or the URL of one elsewhere.
func (*Kind) CheckQueue(queue string) string {
	if name, ok := engine.QueueOf(queue); ok {
		if err := engine.CheckTopicName(name); err != nil {
			return "must name a queue: " + err.Reason
		}
		return ""
	}
	u, err := url.Parse(queue)
	if err != nil {
		return "is not a URL"
	}
	base, account, name, ok := split(u)
	switch {
	case !ok || account == "" || strings.Contains(base, "//"):
		return "must end in /ACCOUNT/NAME"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "must have neither a query nor a fragment"
	case !isQueueName(name):
		return "must end in the name of a queue: 1 to 80 letters, digits, '-' and '_', with .fifo at its end if need be"
	}
	return ""
}

func isQueueName(name string) bool {
	if len(name) > queueNameMax {
		return false
	}
	name = strings.TrimSuffix(name, fifoSuffix)
	for i := range len(name) {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return name != ""
}

// split takes the path of a queue's URL apart.
func split(u *url.URL) (base, account, name string, ok bool) {
	path := u.EscapedPath()
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return "", "", "", false
	}
	path, name = path[:slash], path[slash+1:]
	if slash = strings.LastIndexByte(path, '/'); slash < 0 {
		return "", "", "", false
	}
	return path[:slash], path[slash+1:], name, true
}

// Target is the path of the server: that of the queue without its last two segments.
func (*Kind) Target(queue *url.URL) string {
	if base, _, _, ok := split(queue); ok && base != "" {
		return base
	}
	return "/"
}

// Timeout is 10 s.
func (*Kind) Timeout() time.Duration { return timeout }

// DefaultRetry is the service's fixed policy for queues: three retries at once, two after 1 s, ten from 1 s to 20 s, and
// 100,000 after 20 s, which is 23 days.
func (*Kind) DefaultRetry() engine.RetryPolicy {
	return engine.RetryPolicy{
		Backoff: engine.BackoffExponential, Jitter: engine.JitterNone, MinDelay: time.Second, MaxDelay: 20 * time.Second,
		Immediate: 3, AtMinDelay: 2, AtMaxDelay: 100_000, MaxAttempts: 1 + 3 + 2 + 10 + 100_000, MaxAge: engine.RetryAgeMax,
	}
}

// Compile prepares what is the same in every push of the subscription.
func (k *Kind) Compile(s *engine.Subscription) egress.Encoder {
	config := s.Config()
	c := content{
		subscriber: k.opts.Documents.Compile(s), protocol: config.Protocol,
		bare: config.Envelope == Raw, strict: true, fifo: isFIFO(config.Endpoint),
	}
	return c.to(config.Endpoint)
}

// Wrap returns an encoder that sends what the subscriber would have got.
func (*Kind) Wrap(subscriber egress.Encoder, queue string) egress.Encoder {
	c := contentFor(subscriber, queue)
	return c.to(queue)
}

// to returns an encoder for a queue, ours or another.
func (c content) to(queue string) egress.Encoder {
	if name, ok := engine.QueueOf(queue); ok {
		return &placer{c, name}
	}
	return newEncoder(c, queue)
}

// Judge says what a status means when nothing is known of the answer's body.
func (k *Kind) Judge(status int) egress.Outcome { return k.JudgeAnswer(status, nil) }

// JudgeAnswer takes 2xx for delivered, and 3xx and 4xx for final unless they are about time or load.
func (*Kind) JudgeAnswer(status int, body []byte) egress.Outcome {
	switch {
	case status >= 200 && status <= 299:
		return egress.Delivered
	case status < 300 || status > 499 || status == 408 || status == 429 || aboutLoad(errorCode(body)):
		return egress.Retry
	}
	return egress.Dead
}

// errorCode finds the code of an error, in JSON or, as older servers answer, in XML.
func errorCode(body []byte) []byte {
	if _, rest, ok := bytes.Cut(body, typeMember); ok {
		rest = bytes.TrimLeft(rest, ": \t\r\n\"")
		code, _, _ := bytes.Cut(rest, quote)
		if i := bytes.LastIndexByte(code, '#'); i >= 0 {
			code = code[i+1:]
		}
		return code
	}
	_, rest, _ := bytes.Cut(body, codeElement)
	code, _, _ := bytes.Cut(rest, lessThan)
	return code
}

var (
	typeMember  = []byte(`"__type"`)
	codeElement = []byte("<Code>")
	lessThan    = []byte("<")
	quote       = []byte(`"`)

	throttl = []byte("hrottl") // Throttling, ThrottlingException, RequestThrottled, KmsThrottled
)

func aboutLoad(code []byte) bool {
	if bytes.Contains(code, throttl) {
		return true
	}
	switch string(code) {
	case "TooManyRequestsException", "SlowDown", "ServiceUnavailable", "InternalError", "InternalFailure", "RequestTimeout":
		return true
	}
	return false
}
