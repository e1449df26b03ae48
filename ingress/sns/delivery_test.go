package sns

import (
	"strings"
	"testing"
	"time"

	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

const (
	sevenDefaults = `{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"}`
	ownSeven      = `{"minDelayTarget":1,"maxDelayTarget":60,"numRetries":50,"numMaxDelayRetries":35,"numNoDelayRetries":3,"numMinDelayRetries":2,"backoffFunction":"exponential"}`
	topicSeven    = `{"minDelayTarget":7,"maxDelayTarget":20,"numRetries":9,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"}`
	plainRequest  = `{"headerContentType":"text/plain; charset=UTF-8"}`
	jsonRequest   = `{"headerContentType":"application/json"}`
	xmlRequest    = `{"headerContentType":"application/xml"}`
)

func (s *server) attributes(action, parameter, arn string) map[string]string {
	s.t.Helper()
	r := s.do("Action", action, parameter, arn)
	all := map[string]string{}
	for _, e := range append(r.Entries, r.TopicEntries...) {
		all[e.Key] = e.Value
	}
	return all
}

// TestDeliveryPolicyForms reads policies and writes them as the service returns them.
func TestDeliveryPolicyForms(t *testing.T) {
	f := func(given, want string) {
		t.Helper()
		p, fault := parseSubscriptionPolicy(given)
		if fault != "" {
			t.Fatalf("%s: %s", given, fault)
		}
		got := ""
		if p != nil {
			got = writePolicy(p)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", given, diff)
		}
		if p == nil {
			return
		}
		again, fault := parseSubscriptionPolicy(got)
		if fault != "" || writePolicy(again) != got {
			t.Errorf("%s is not read back: %s", got, fault)
		}
	}
	const rest = `,"sicklyRetryPolicy":null,"throttlePolicy":null,"requestPolicy":null,"guaranteed":false}`
	f("", "")
	f("{}", "")
	f(`{"healthyRetryPolicy":{"numRetries":5}}`, `{"healthyRetryPolicy":`+strings.Replace(sevenDefaults, `"numRetries":3`, `"numRetries":5`, 1)+rest)
	f(`{"healthyRetryPolicy":{"minDelayTarget":null}}`, `{"healthyRetryPolicy":`+sevenDefaults+rest)
	f(`{"healthyRetryPolicy":`+ownSeven+`}`, `{"healthyRetryPolicy":`+ownSeven+rest)
	f(` { "guaranteed" : false , "throttlePolicy":{"maxReceivesPerSecond":10},"requestPolicy":{"headerContentType":"text/csv; header=\"<a&b>\""}, "sicklyRetryPolicy":{}, "healthyRetryPolicy":null}`,
		`{"healthyRetryPolicy":null,"sicklyRetryPolicy":`+sevenDefaults+`,"throttlePolicy":{"maxReceivesPerSecond":10},"requestPolicy":{"headerContentType":"text/csv; header=\"<a&b>\""},"guaranteed":false}`)
}

func TestDeliveryPolicyFaults(t *testing.T) {
	subscription := func(want, value string) {
		t.Helper()
		if _, got := parseSubscriptionPolicy(value); !strings.HasPrefix(got, "DeliveryPolicy: "+want) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	topic := func(want, value string) {
		t.Helper()
		if _, got := parseTopicPolicy(value); !strings.HasPrefix(got, "DeliveryPolicy: "+want) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	retry := func(want, members string) {
		t.Helper()
		subscription("healthyRetryPolicy"+want, `{"healthyRetryPolicy":{`+members+`}}`)
		subscription("sicklyRetryPolicy"+want, `{"sicklyRetryPolicy":{`+members+`}}`)
		topic("http.defaultHealthyRetryPolicy"+want, `{"http":{"defaultHealthyRetryPolicy":{`+members+`}}}`)
	}
	retry(".minDelayTarget must be between 1 and maxDelayTarget", `"minDelayTarget":0`)
	retry(".minDelayTarget must be between 1 and maxDelayTarget", `"minDelayTarget":-1`)
	retry(".minDelayTarget must be between 1 and maxDelayTarget", `"minDelayTarget":21`)
	retry(".maxDelayTarget must be between 1 and 3600", `"maxDelayTarget":3601`)
	retry(".maxDelayTarget must be between 1 and 3600", `"minDelayTarget":0,"maxDelayTarget":0`)
	retry(".numRetries must be less than or equal to 100", `"numRetries":101`)
	retry(".numRetries must be greater than or equal to 0", `"numRetries":-1`)
	retry(".numNoDelayRetries must be 0 or more", `"numNoDelayRetries":-1`)
	retry(".numMinDelayRetries must be 0 or more", `"numMinDelayRetries":-1`)
	retry(".numMaxDelayRetries must be 0 or more", `"numMaxDelayRetries":-1`)
	const together = ": numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries must not be more than numRetries together"
	retry(together, `"numNoDelayRetries":2,"numMinDelayRetries":1,"numMaxDelayRetries":1`)
	retry(together, `"numNoDelayRetries":9223372036854775807,"numMaxDelayRetries":9223372036854775807`)
	retry(".backoffFunction must be linear, arithmetic, geometric or exponential", `"backoffFunction":"Linear"`)
	retry(": the delays must not be more than 3600 seconds together", `"minDelayTarget":36,"maxDelayTarget":37,"numRetries":100`)
	retry(": the delays must not be more than 3600 seconds together", `"maxDelayTarget":3600,"numRetries":2`)
	for _, value := range []string{
		"{", "x", "[]", "5", `"s"`, `{"healthyRetryPolicy":5}`, `{"healthyRetryPolicy":{"numRetries":"3"}}`,
		`{"healthyRetryPolicy":{"numRetries":3.5}}`, `{"healthyRetryPolicy":{"numRetries":1e99}}`, `{"guaranteed":"no"}`, `{} {}`,
	} {
		subscription("failed to parse JSON.", value)
	}
	for value, member := range map[string]string{
		`{"a":1}`: "a", `{"healthyRetryPolicy":{"a":1}}`: "a", `{"throttlePolicy":{"a":1}}`: "a", `{"Guaranteed":false}`: "Guaranteed",
		`{"healthyRetryPolicy":{"numretries":3}}`: "numretries", `{"http":{}}`: "http",
	} {
		subscription("Unexpected JSON member: "+member, value)
	}
	subscription("throttlePolicy.maxReceivesPerSecond must be between 1 and 1000000", `{"throttlePolicy":{"maxReceivesPerSecond":0}}`)
	subscription("requestPolicy.headerContentType is not a media type", `{"requestPolicy":{"headerContentType":"a/b\r\nX: y"}}`)
	for _, value := range []string{"", ";", "a/b/c", "é/x", "text/plain; charset", strings.Repeat("a", 257)} {
		subscription("requestPolicy.headerContentType is not a media type", `{"requestPolicy":{"headerContentType":"`+value+`"}}`)
	}
	topic("Unexpected JSON member: healthyRetryPolicy", `{"healthyRetryPolicy":null}`)
	topic("failed to parse JSON.", `{"http":{"disableSubscriptionOverrides":"yes"}}`)
	topic("http.defaultThrottlePolicy.maxReceivesPerSecond must be", `{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":-1}}}`)
	topic("http.defaultRequestPolicy.headerContentType is not", `{"http":{"defaultRequestPolicy":{"headerContentType":"/"}}}`)
	topic("longer than 8192 bytes", strings.Repeat(" ", 9000)+"{}")
	for _, fits := range []string{`"minDelayTarget":36,"maxDelayTarget":36,"numRetries":100`, `"minDelayTarget":3600,"maxDelayTarget":3600,"numRetries":1`, `"numRetries":0`, `"numRetries":3,"numNoDelayRetries":3`} {
		if _, fault := parseSubscriptionPolicy(`{"healthyRetryPolicy":{` + fits + `}}`); fault != "" {
			t.Errorf("%s: %s", fits, fault)
		}
	}
}

// TestEffectivePolicy lets a subscription's policy stand over its topic's, and both over the defaults, and deliveries
// follow every change of either.
func TestEffectivePolicy(t *testing.T) {
	s := newServer(t, Options{})
	arn := s.do(subscribe("ReturnSubscriptionArn", "true")...).SubscriptionARN
	sub := s.engine.Topic([]byte("T1")).Subscriptions()[0]
	own := func(value string) {
		t.Helper()
		s.wantError(200, "", "", "Action", "SetSubscriptionAttributes", "SubscriptionArn", arn, "AttributeName", "DeliveryPolicy", "AttributeValue", value)
	}
	topic := func(value string) {
		t.Helper()
		s.wantError(200, "", "", "Action", "SetTopicAttributes", "TopicArn", arnT1, "AttributeName", "DeliveryPolicy", "AttributeValue", value)
	}
	f := func(healthy, throttle, request string) {
		t.Helper()
		want := `{"healthyRetryPolicy":` + healthy + `,"sicklyRetryPolicy":null,"throttlePolicy":` + throttle + `,"requestPolicy":` + request + `,"guaranteed":false}`
		if diff := cmp.Diff(want, s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn)["EffectiveDeliveryPolicy"]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		policies := map[string]engine.RetryPolicy{
			sevenDefaults: {Backoff: "linear", MinDelay: 20 * time.Second, MaxDelay: 20 * time.Second, MaxAttempts: 4},
			topicSeven:    {Backoff: "linear", MinDelay: 7 * time.Second, MaxDelay: 20 * time.Second, MaxAttempts: 10},
			ownSeven:      {Backoff: "exponential", MinDelay: time.Second, MaxDelay: time.Minute, MaxAttempts: 51, Immediate: 3, AtMinDelay: 2, AtMaxDelay: 35},
		}
		policy := policies[healthy]
		policy.Jitter, policy.Deaf, policy.MaxAge = engine.JitterNone, true, 72*time.Hour
		config := sub.Config()
		if diff := cmp.Diff(policy, config.Retry); diff != "" {
			t.Errorf("retries (-want +got):\n%s", diff)
		}
		if want := map[string]int{"null": 0, `{"maxReceivesPerSecond":5}`: 5, `{"maxReceivesPerSecond":9}`: 9}[throttle]; config.MaxPerSecond != want {
			t.Errorf("%d pushes per second, want %d", config.MaxPerSecond, want)
		}
		if want := map[string]string{jsonRequest: "application/json", xmlRequest: "application/xml"}[request]; config.Labels["sns.content_type"] != want {
			t.Errorf("content type %q, want %q", config.Labels["sns.content_type"], want)
		}
	}
	f(sevenDefaults, "null", plainRequest)
	own(`{"healthyRetryPolicy":` + ownSeven + `}`)
	f(ownSeven, "null", plainRequest)
	topic(`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":7,"numRetries":9},"defaultThrottlePolicy":{"maxReceivesPerSecond":9},"defaultRequestPolicy":` + xmlRequest + `}}`)
	f(ownSeven, `{"maxReceivesPerSecond":9}`, xmlRequest)
	own(`{"throttlePolicy":{"maxReceivesPerSecond":5}}`)
	f(topicSeven, `{"maxReceivesPerSecond":5}`, xmlRequest)
	own(`{"throttlePolicy":{},"requestPolicy":` + jsonRequest + `,"healthyRetryPolicy":` + ownSeven + `}`)
	f(ownSeven, `{"maxReceivesPerSecond":9}`, jsonRequest)
	topic(`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":7,"numRetries":9},"disableSubscriptionOverrides":true}}`)
	f(topicSeven, "null", plainRequest)
	topic("")
	f(ownSeven, "null", jsonRequest)
	own("")
	f(sevenDefaults, "null", plainRequest)
	if got, ok := s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn)["DeliveryPolicy"]; ok {
		t.Errorf("a policy that was removed is returned: %s", got)
	}
	// A subscription that is made later has the topic's policy from the beginning, and another kind's has not.
	topic(`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":7,"numRetries":9}}}`)
	s.do("Action", "Subscribe", "TopicArn", arnT1, "Protocol", "http", "Endpoint", "http://127.0.0.1:9/later")
	if got := s.engine.Topic([]byte("T1")).Subscriptions()[1].Config().Retry; got.MinDelay != 7*time.Second || got.MaxAttempts != 10 {
		t.Errorf("got %+v", got)
	}
	s.do("Action", "SetTopicAttributes", "TopicArn", arnOrders, "AttributeName", "DeliveryPolicy", "AttributeValue", `{"http":{"defaultHealthyRetryPolicy":{"numRetries":9}}}`)
	for name, want := range map[string]int{confirmedName: 10, pendingName: 10, "billing": 0} {
		if got := s.engine.Topic([]byte("orders")).Subscription(name).Config().Retry.MaxAttempts; got != want {
			t.Errorf("%s: %d attempts, want %d", name, got, want)
		}
	}
}

func TestTopicDeliveryPolicy(t *testing.T) {
	s := newServer(t, Options{})
	const given = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":7,"numRetries":9}, "defaultThrottlePolicy":{"maxReceivesPerSecond":2}}}`
	const normal = `{"http":{"defaultHealthyRetryPolicy":` + topicSeven + `,"disableSubscriptionOverrides":false,"defaultThrottlePolicy":{"maxReceivesPerSecond":2}`
	create := []string{"Action", "CreateTopic", "Name", "d", "Attributes.entry.1.key", "DeliveryPolicy", "Attributes.entry.1.value"}
	for _, same := range []string{given, normal + `}}`} {
		s.wantError(200, "", "", append(create, same)...)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes", append(create, `{"http":{"disableSubscriptionOverrides":true}}`)...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Attributes Reason: DeliveryPolicy: failed to parse JSON.", append(create, "{")...)
	arn := "arn:aws:sns:us-east-1:000000000000:d"
	got := s.attributes("GetTopicAttributes", "TopicArn", arn)
	if got["DeliveryPolicy"] != normal+"}}" || got["EffectiveDeliveryPolicy"] != normal+`,"defaultRequestPolicy":`+plainRequest+`}}` {
		t.Errorf("got %s and %s", got["DeliveryPolicy"], got["EffectiveDeliveryPolicy"])
	}
	set := func(name, value string) []string {
		return []string{"Action", "SetTopicAttributes", "TopicArn", arn, "AttributeName", name, "AttributeValue", value}
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100", set("DeliveryPolicy", `{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}`)...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: AttributeName", set("Colour", "red")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: AttributeName Reason: no value for required parameter", set("", "")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: SignatureVersion: Invalid value", set("SignatureVersion", "3")...)
	s.wantError(404, "NotFound", "Topic does not exist", "Action", "SetTopicAttributes", "TopicArn", arn+"x", "AttributeName", "DisplayName", "AttributeValue", "x")
	s.wantError(200, "", "", set("DeliveryPolicy", "")...)
	s.wantError(200, "", "", set("DisplayName", "D")...)
	got = s.attributes("GetTopicAttributes", "TopicArn", arn)
	if _, ok := got["DeliveryPolicy"]; ok || got["DisplayName"] != "D" {
		t.Errorf("got %v", got)
	}
}

// TestSubscribeWithPolicies is idempotent as far as the attributes are the same, however they are written.
func TestSubscribeWithPolicies(t *testing.T) {
	s := newServer(t, Options{Queues: "http://127.0.0.1:9324/"})
	with := func(pairs ...string) []string {
		p := []string{"ReturnSubscriptionArn", "true"}
		for i := 0; i+1 < len(pairs); i += 2 {
			n := "Attributes.entry." + string('1'+rune(i/2))
			p = append(p, n+".key", pairs[i], n+".value", pairs[i+1])
		}
		return subscribe(p...)
	}
	const redrive = `{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"}`
	arn := s.do(with("DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":5}}`, "RedrivePolicy", redrive)...).SubscriptionARN
	for _, again := range [][]string{
		with(),
		with("DeliveryPolicy", ` {"healthyRetryPolicy":{"numRetries":5,"minDelayTarget":20}}`),
		with("RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead"}`),
	} {
		if got := s.do(again...).SubscriptionARN; got != arn {
			t.Errorf("got %s", got)
		}
	}
	differs := "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
	s.wantError(400, "InvalidParameter", differs, with("DeliveryPolicy", "{}")...)
	s.wantError(400, "InvalidParameter", differs, with("DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":6}}`)...)
	s.wantError(400, "InvalidParameter", differs, with("RedrivePolicy", "")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Attributes Reason: DeliveryPolicy: healthyRetryPolicy.numRetries must be less than or equal to 100", with("DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":101}}`)...)
	config := s.engine.Topic([]byte("T1")).Subscriptions()[0].Config()
	if config.Retry.MaxAttempts != 6 || config.DeadLetters.Queue != "http://127.0.0.1:9324/123456789012/dead" {
		t.Errorf("got %+v", config)
	}
	if got := s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn); got["RedrivePolicy"] != redrive {
		t.Errorf("got %v", got)
	}
}

func TestRedrivePolicy(t *testing.T) {
	s := newServer(t, Options{Queues: "http://127.0.0.1:9324"})
	arn := arnOrders + ":" + confirmedName
	set := func(value string) []string {
		return []string{"Action", "SetSubscriptionAttributes", "SubscriptionArn", arn, "AttributeName", "RedrivePolicy", "AttributeValue", value}
	}
	queue := func() string {
		return s.engine.Topic([]byte("orders")).Subscription(confirmedName).Config().DeadLetters.Queue
	}
	policy := func(arn string) string { return `{"deadLetterTargetArn":"` + arn + `"}` }
	s.wantError(200, "", "", set(policy("arn:aws:sqs:us-east-1:000000000000:dead-1"))...)
	for _, value := range []string{"{", "x", "[]", `{"deadLetterTargetArn":5}`} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: RedrivePolicy: failed to parse JSON.", set(value)...)
	}
	for _, bad := range []string{
		"", "x", "http://127.0.0.1/q", "arn:aws:sns:us-east-1:000000000000:dead", "arn:aws:sqs:us-east-1:000000000000", "arn:aws:sqs:us-east-1:000000000000:a:b",
		"arn:aws:sqs::000000000000:dead", "arn:aws:sqs:us-east-1:0:dead", "arn:aws:sqs:us-east-1:000000000000:", "arn:aws:sqs:us-east-1:000000000000:a/b",
		"arn:aws:sqs:us-east-1:000000000000:..", "arn:aws:sqs:us-east-1:000000000000:" + strings.Repeat("q", 81),
	} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn", set(policy(bad))...)
	}
	if got := queue(); got != "http://127.0.0.1:9324/000000000000/dead-1" {
		t.Errorf("the queue is %q", got)
	}
	for _, none := range []string{"", "{}"} {
		s.wantError(200, "", "", set(policy("arn:aws:sqs:us-east-1:000000000000:dead.fifo"))...)
		if got := queue(); got != "http://127.0.0.1:9324/000000000000/dead.fifo" {
			t.Errorf("the queue is %q", got)
		}
		s.wantError(200, "", "", set(none)...)
		if got := queue(); got != "" {
			t.Errorf("%q: the queue is %q", none, got)
		}
		if got, ok := s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn)["RedrivePolicy"]; ok {
			t.Errorf("a policy that was removed is returned: %s", got)
		}
	}

	without := newServer(t, Options{})
	ours := policy("arn:aws:sqs:us-east-1:000000000000:dead")
	without.wantError(200, "", "", set(ours)...)
	if got := without.engine.Topic([]byte("orders")).Subscription(confirmedName).Config().DeadLetters.Queue; got != "queue:dead" {
		t.Errorf("the queue is %q", got)
	}
	if got := without.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn)["RedrivePolicy"]; got != ours {
		t.Errorf("got %q", got)
	}
	without.wantError(200, "", "", set("{}")...)
}
