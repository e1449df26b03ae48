package sns

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"strings"
	"time"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SNS developer guide, "Message delivery retries" and "Creating an HTTP/S delivery policy", read 2026-11;
// the normalised form as recorded from AWS.

// Limits of a delivery policy.
const (
	policyBytesMax      = 8 << 10
	delayTargetMax      = 3600 // s
	numRetriesMax       = 100
	policyTotalMax      = 3600 * time.Second // all waits together
	contentTypeBytesMax = 256
)

const defaultContentType = "text/plain; charset=UTF-8"

// retryValues is a retry policy. What a document leaves out of it has its default.
type retryValues struct {
	MinDelayTarget     int    `json:"minDelayTarget"` // s
	MaxDelayTarget     int    `json:"maxDelayTarget"` // s
	NumRetries         int    `json:"numRetries"`
	NumMaxDelayRetries int    `json:"numMaxDelayRetries"`
	NumNoDelayRetries  int    `json:"numNoDelayRetries"`
	NumMinDelayRetries int    `json:"numMinDelayRetries"`
	BackoffFunction    string `json:"backoffFunction"`
}

func defaultRetry() *retryValues {
	return &retryValues{MinDelayTarget: 20, MaxDelayTarget: 20, NumRetries: 3, BackoffFunction: "linear"}
}

// UnmarshalJSON fills in the defaults.
func (r *retryValues) UnmarshalJSON(text []byte) error {
	*r = *defaultRetry()
	type plain retryValues
	return decodeStrictly(text, (*plain)(r))
}

type throttleValues struct {
	MaxReceivesPerSecond *int `json:"maxReceivesPerSecond"`
}

type requestValues struct {
	HeaderContentType *string `json:"headerContentType"`
}

// subscriptionPolicy is the attribute DeliveryPolicy of a subscription; its members are written in this order.
type subscriptionPolicy struct {
	Healthy    *retryValues    `json:"healthyRetryPolicy"`
	Sickly     *retryValues    `json:"sicklyRetryPolicy"` // kept, and without a meaning
	Throttle   *throttleValues `json:"throttlePolicy"`
	Request    *requestValues  `json:"requestPolicy"`
	Guaranteed bool            `json:"guaranteed"` // likewise
}

// topicPolicy is the attribute DeliveryPolicy of a topic.
type topicPolicy struct {
	HTTP topicValues `json:"http"`
}

type topicValues struct {
	Healthy  *retryValues    `json:"defaultHealthyRetryPolicy,omitempty"`
	Sickly   *retryValues    `json:"defaultSicklyRetryPolicy,omitempty"`
	Disable  bool            `json:"disableSubscriptionOverrides"` // what subscriptions say does not count
	Throttle *throttleValues `json:"defaultThrottlePolicy,omitempty"`
	Request  *requestValues  `json:"defaultRequestPolicy,omitempty"`
}

// decodeStrictly refuses members that are not known.
func decodeStrictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// readPolicy reads the value of an attribute that is a JSON object.
func readPolicy(name, value string, into any) (fault string) {
	switch {
	case len(value) > policyBytesMax:
		return fmt.Sprintf("%s: longer than %d bytes", name, policyBytesMax)
	case !json.Valid([]byte(value)):
		return name + ": failed to parse JSON."
	}
	if err := decodeStrictly([]byte(value), into); err != nil {
		if member, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok { // the error has no type of its own
			return unexpectedMember(name, strings.Trim(member, `"`))
		}
		return name + ": failed to parse JSON. " + aws.Shorten(err.Error())
	}
	var tree any
	if json.Unmarshal([]byte(value), &tree) == nil {
		if member := misspelt(tree); member != "" {
			return unexpectedMember(name, member)
		}
	}
	return ""
}

func unexpectedMember(name, member string) string {
	return name + ": Unexpected JSON member: " + aws.Shorten(member)
}

// policyMembers are all names in delivery policies. The decoder knows which belong where, but takes any case.
var policyMembers = map[string]bool{
	"http": true, "healthyRetryPolicy": true, "sicklyRetryPolicy": true, "throttlePolicy": true, "requestPolicy": true, "guaranteed": true,
	"defaultHealthyRetryPolicy": true, "defaultSicklyRetryPolicy": true, "defaultThrottlePolicy": true, "defaultRequestPolicy": true,
	"disableSubscriptionOverrides": true, "minDelayTarget": true, "maxDelayTarget": true, "numRetries": true, "numMaxDelayRetries": true,
	"numNoDelayRetries": true, "numMinDelayRetries": true, "backoffFunction": true, "maxReceivesPerSecond": true, "headerContentType": true,
}

// misspelt returns a name in a tree of objects that is none of them, "" without one.
func misspelt(tree any) string {
	object, _ := tree.(map[string]any)
	for name, value := range object {
		if !policyMembers[name] {
			return name
		}
		if inner := misspelt(value); inner != "" {
			return inner
		}
	}
	return ""
}

// writePolicy is the normalised form.
func writePolicy(policy any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(policy); err != nil {
		panic("BUG: sns: a policy does not encode: " + err.Error())
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}

// parseSubscriptionPolicy reads and checks a subscription's policy. An empty one is none.
func parseSubscriptionPolicy(value string) (p *subscriptionPolicy, fault string) {
	if value == "" || value == "{}" {
		return nil, ""
	}
	p = &subscriptionPolicy{}
	if fault := readPolicy("DeliveryPolicy", value, p); fault != "" {
		return nil, fault
	}
	fault = cmp.Or(p.Healthy.check("healthyRetryPolicy"), p.Sickly.check("sicklyRetryPolicy"),
		p.Throttle.check("throttlePolicy"), p.Request.check("requestPolicy"))
	if fault != "" {
		return nil, "DeliveryPolicy: " + fault
	}
	return p, ""
}

// parseTopicPolicy reads and checks a topic's policy. An empty one is none.
func parseTopicPolicy(value string) (p *topicPolicy, fault string) {
	if value == "" || value == "{}" {
		return nil, ""
	}
	p = &topicPolicy{}
	if fault := readPolicy("DeliveryPolicy", value, p); fault != "" {
		return nil, fault
	}
	h := &p.HTTP
	fault = cmp.Or(h.Healthy.check("http.defaultHealthyRetryPolicy"), h.Sickly.check("http.defaultSicklyRetryPolicy"),
		h.Throttle.check("http.defaultThrottlePolicy"), h.Request.check("http.defaultRequestPolicy"))
	if fault != "" {
		return nil, "DeliveryPolicy: " + fault
	}
	return p, ""
}

// check says what is wrong with the values, "" for nothing.
func (r *retryValues) check(path string) string {
	if r == nil {
		return ""
	}
	switch {
	case r.MaxDelayTarget < 1 || r.MaxDelayTarget > delayTargetMax:
		return fmt.Sprintf("%s.maxDelayTarget must be between 1 and %d", path, delayTargetMax)
	case r.MinDelayTarget < 1 || r.MinDelayTarget > r.MaxDelayTarget:
		return path + ".minDelayTarget must be between 1 and maxDelayTarget"
	case r.NumRetries < 0:
		return path + ".numRetries must be greater than or equal to 0"
	case r.NumRetries > numRetriesMax:
		return fmt.Sprintf("%s.numRetries must be less than or equal to %d", path, numRetriesMax)
	}
	rest := r.NumRetries
	for _, n := range []struct {
		name  string
		value int
	}{
		{"numNoDelayRetries", r.NumNoDelayRetries}, {"numMinDelayRetries", r.NumMinDelayRetries}, {"numMaxDelayRetries", r.NumMaxDelayRetries},
	} {
		if n.value < 0 {
			return path + "." + n.name + " must be 0 or more"
		}
		if n.value > rest {
			return path + ": numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries must not be more than numRetries together"
		}
		rest -= n.value
	}
	switch r.BackoffFunction {
	case "linear", "arithmetic", "geometric", "exponential":
	default:
		return path + ".backoffFunction must be linear, arithmetic, geometric or exponential"
	}
	if r.total() > policyTotalMax {
		return fmt.Sprintf("%s: the delays must not be more than %d seconds together", path, int(policyTotalMax.Seconds()))
	}
	return ""
}

func (t *throttleValues) check(path string) string {
	if t != nil && t.MaxReceivesPerSecond != nil && (*t.MaxReceivesPerSecond < 1 || *t.MaxReceivesPerSecond > engine.PerSecondMax) {
		return fmt.Sprintf("%s.maxReceivesPerSecond must be between 1 and %d", path, engine.PerSecondMax)
	}
	return ""
}

func (r *requestValues) check(path string) string {
	if r == nil || r.HeaderContentType == nil {
		return ""
	}
	value := *r.HeaderContentType
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return path + ".headerContentType is not a media type"
		}
	}
	if _, _, err := mime.ParseMediaType(value); err != nil || len(value) > contentTypeBytesMax {
		return path + ".headerContentType is not a media type"
	}
	return ""
}

// policy is the values in the engine's form.
func (r *retryValues) policy() engine.RetryPolicy {
	return engine.RetryPolicy{
		Backoff: engine.Backoff(r.BackoffFunction), Jitter: engine.JitterNone,
		MinDelay: time.Duration(r.MinDelayTarget) * time.Second, MaxDelay: time.Duration(r.MaxDelayTarget) * time.Second,
		Immediate: r.NumNoDelayRetries, AtMinDelay: r.NumMinDelayRetries, AtMaxDelay: r.NumMaxDelayRetries,
		MaxAttempts: r.NumRetries + 1, Deaf: true,
	}
}

func (r *retryValues) total() (sum time.Duration) {
	p := r.policy()
	for n := 1; !p.Exhausted(n); n++ {
		sum += p.Wait(n)
	}
	return sum
}
