package sns

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanfare/engine"
)

const arnQueue = "arn:aws:sqs:us-east-1:000000000000:jobs"

func subscribeQueue(topic, queue string, pairs ...string) []string {
	return append([]string{"Action", "Subscribe", "TopicArn", topic, "Protocol", "sqs", "Endpoint", queue}, pairs...)
}

// fifoTopic makes a FIFO topic and returns its ARN.
func (s *server) fifoTopic(t *testing.T) string {
	t.Helper()
	if _, _, err := s.engine.CreateTopicWith(engine.TopicConfig{Name: "f.fifo", FIFO: &engine.FIFO{ByContent: true}}); err != nil {
		t.Fatal(err)
	}
	return "arn:aws:sns:us-east-1:000000000000:f.fifo"
}

// only is the configuration of the one subscription that a topic has.
func (s *server) only(t *testing.T, topic string) *engine.SubscriptionConfig {
	t.Helper()
	all := s.engine.Topic([]byte(topic)).Subscriptions()
	if len(all) != 1 {
		t.Fatalf("%s has %d subscriptions", topic, len(all))
	}
	return all[0].Config()
}

// TestQueueSubscription is confirmed at once, whether the queue is there or not, and shows the queue's ARN.
func TestQueueSubscription(t *testing.T) {
	s := newServer(t, Options{})
	arn := s.do(subscribeQueue(arnT1, arnQueue)...).SubscriptionARN
	config := s.only(t, "T1")
	if config.Kind != "sqs" || config.Endpoint != "queue:jobs" || config.Envelope != "sns" || config.Protocol != "sqs" || config.Pending {
		t.Errorf("got %+v", config)
	}
	if arn != arnT1+":"+config.Name {
		t.Errorf("got %q", arn)
	}
	want := map[string]string{
		"ConfirmationWasAuthenticated": "true", "Endpoint": arnQueue, "Owner": "000000000000", "PendingConfirmation": "false", "Protocol": "sqs",
		"RawMessageDelivery": "false", "SubscriptionArn": arn, "SubscriptionPrincipal": "arn:aws:iam::000000000000:user/fanfare", "TopicArn": arnT1,
	}
	attributes := func() map[string]string { return s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn) }
	if diff := cmp.Diff(want, attributes()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// Once more is the same, unless it wants something else.
	if again := s.do(subscribeQueue(arnT1, arnQueue, "Attributes.entry.1.key", "RawMessageDelivery", "Attributes.entry.1.value", "False")...).SubscriptionARN; again != arn {
		t.Errorf("once more it is %q", again)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
		subscribeQueue(arnT1, arnQueue, "Attributes.entry.1.key", "RawMessageDelivery", "Attributes.entry.1.value", "true")...)

	set := func(name, value string) []string {
		return []string{"Action", "SetSubscriptionAttributes", "SubscriptionArn", arn, "AttributeName", name, "AttributeValue", value}
	}
	s.wantError(200, "", "", set("RawMessageDelivery", "true")...)
	s.wantError(200, "", "", set("RedrivePolicy", `{"deadLetterTargetArn":"`+arnQueue+`-dead"}`)...)
	s.wantError(200, "", "", set("FilterPolicy", `{"a":["b"]}`)...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Delivery protocol [sqs] does not support a delivery policy.", set("DeliveryPolicy", `{"healthyRetryPolicy":{}}`)...)
	s.wantError(200, "", "", set("DeliveryPolicy", "")...)
	want["RawMessageDelivery"], want["RedrivePolicy"] = "true", `{"deadLetterTargetArn":"`+arnQueue+`-dead"}`
	want["FilterPolicy"], want["FilterPolicyScope"] = `{"a":["b"]}`, "MessageAttributes"
	if diff := cmp.Diff(want, attributes()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if config := s.only(t, "T1"); config.Envelope != "raw" || config.DeadLetters.Queue != "queue:jobs-dead" || config.Retry.MaxAttempts != 0 {
		t.Errorf("got %+v", config)
	}
	s.wantError(200, "", "", set("RawMessageDelivery", "false")...)
	if config := s.only(t, "T1"); config.Envelope != "sns" {
		t.Errorf("the envelope is %q", config.Envelope)
	}

	list := s.do("Action", "ListSubscriptionsByTopic", "TopicArn", arnT1).text
	for _, part := range []string{"<Endpoint>" + arnQueue + "</Endpoint>", "<Protocol>sqs</Protocol>", "<SubscriptionArn>" + arn + "</SubscriptionArn>"} {
		if !strings.Contains(list, part) {
			t.Errorf("%s is missing in %s", part, list)
		}
	}
	s.do("Action", "Unsubscribe", "SubscriptionArn", arn)
	if all := s.engine.Topic([]byte("T1")).Subscriptions(); len(all) != 0 {
		t.Errorf("%d subscriptions are left", len(all))
	}
}

func TestQueueSubscriptionRules(t *testing.T) {
	s := newServer(t, Options{})
	fifo := s.fifoTopic(t)
	for _, bad := range []string{
		"x", "http://127.0.0.1/000000000000/jobs", "queue:jobs", "arn:aws:sns:us-east-1:000000000000:jobs", arnQueue + ":x", "arn:aws:sqs:us-east-1:000000000000:",
		"arn:aws:sqs:us-east-1:0:jobs", "arn:aws:sqs::000000000000:jobs", "arn:aws:sqs:us-east-1:000000000000:a b", "arn:gcp:sqs:us-east-1:000000000000:jobs",
	} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: SQS endpoint ARN", subscribeQueue(arnT1, bad)...)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
		subscribeQueue(arnT1, arnQueue+".fifo")...)
	s.wantError(200, "", "", subscribeQueue(fifo, arnQueue+".fifo")...)
	s.wantError(200, "", "", subscribeQueue(fifo, arnQueue)...)
	for protocol, endpoint := range map[string]string{
		"http": "http://127.0.0.1/", "https": "https://127.0.0.1/", "email": "a@example.com", "email-json": "a@example.com", "sms": "+491700000000",
		"application": "arn:aws:sns:us-east-1:000000000000:endpoint/GCM/a/b", "lambda": "arn:aws:lambda:us-east-1:000000000000:function:f",
	} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: Invalid protocol type: "+protocol,
			"Action", "Subscribe", "TopicArn", fifo, "Protocol", protocol, "Endpoint", endpoint)
	}

	// The dead letters of a FIFO queue of a FIFO topic go into a FIFO queue.
	const refusal = "Invalid parameter: Attributes Reason: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
	redrive := func(queue, dead string) []string {
		return subscribeQueue(fifo, queue, "Attributes.entry.1.key", "RedrivePolicy", "Attributes.entry.1.value", `{"deadLetterTargetArn":"`+dead+`"}`)
	}
	s.wantError(400, "InvalidParameter", refusal, redrive(arnQueue+"2.fifo", arnQueue+"-dead")...)
	s.wantError(200, "", "", redrive(arnQueue+"2.fifo", arnQueue+"-dead.fifo")...)
	s.wantError(200, "", "", redrive(arnQueue+"2", arnQueue+"-dead")...)
}

// TestQueueServers sends the queues of some accounts elsewhere.
func TestQueueServers(t *testing.T) {
	f := func(queues, arn, want string) {
		t.Helper()
		s := newServer(t, Options{Queues: queues})
		s.do(subscribeQueue(arnT1, arn, "Attributes.entry.1.key", "RedrivePolicy", "Attributes.entry.1.value", `{"deadLetterTargetArn":"`+arn+`"}`)...)
		config := s.only(t, "T1")
		if config.Endpoint != want || config.DeadLetters.Queue != want {
			t.Errorf("%q: %s is %s, and %s as a place of dead letters; want %s", queues, arn, config.Endpoint, config.DeadLetters.Queue, want)
		}
		if got := s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arnT1+":"+config.Name)["Endpoint"]; got != arn {
			t.Errorf("%s is shown as %s", arn, got)
		}
	}
	const some = "eu-west-1/111111111111=http://a/x/ 111111111111=http://b"
	f("", arnQueue, "queue:jobs")
	f("http://127.0.0.1:9324/", arnQueue, "http://127.0.0.1:9324/000000000000/jobs")
	f(some, "arn:aws:sqs:eu-west-1:111111111111:jobs", "http://a/x/111111111111/jobs")
	f(some, "arn:aws:sqs:eu-west-2:111111111111:jobs", "http://b/111111111111/jobs")
	f(some, "arn:aws:sqs:eu-west-1:222222222222:jobs", "queue:jobs")
	f(some+" http://c", "arn:aws-cn:sqs:cn-north-1:222222222222:jobs", "http://c/222222222222/jobs")

	for value, ok := range map[string]bool{
		"http://127.0.0.1:9324": true, "https://h/sqs": true, "127.0.0.1:9324": false, "http://h?x": false, "ftp://h": false,
		some: true, some + " https://c": true, "http://a http://b": false, "111111111111=http://a 111111111111=http://b": false,
		"1=http://a": false, "/111111111111=http://a": false, "EU/111111111111=http://a": false, "eu-west-1/=http://a": false,
		"111111111111=a": false, "=http://a": false, "a/b/111111111111=http://a": false,
	} {
		if err := (&Options{Queues: value}).Validate(); (err == nil) != ok {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// TestDeclaredQueueSubscription shows what another face, or the configuration file, made.
func TestDeclaredQueueSubscription(t *testing.T) {
	s := newServer(t, Options{Account: "123456789012"})
	top := s.engine.Topic([]byte("T1"))
	want := map[string]string{
		"queue:jobs": "arn:aws:sqs:us-east-1:123456789012:jobs", "http://h/x/111111111111/jobs": "arn:aws:sqs:us-east-1:111111111111:jobs",
		"http://h/x/1/jobs": "http://h/x/1/jobs",
	}
	for i, endpoint := range slices.Sorted(maps.Keys(want)) {
		name := string('a' + rune(i))
		if _, _, err := s.engine.PutSubscription(top, engine.SubscriptionConfig{
			Name: name, Kind: "sqs", Protocol: "sqs", Endpoint: endpoint, Envelope: "sns", DeadLetters: engine.DeadLetterPlace{Queue: endpoint},
		}); err != nil {
			t.Fatal(err)
		}
		got := s.attributes("GetSubscriptionAttributes", "SubscriptionArn", "arn:aws:sns:us-east-1:123456789012:T1:"+name)
		if got["Endpoint"] != want[endpoint] || got["RedrivePolicy"] != `{"deadLetterTargetArn":"`+want[endpoint]+`"}` {
			t.Errorf("%s is shown as %v", endpoint, got)
		}
	}
}
