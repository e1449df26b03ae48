package sns

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanfare/engine"
)

var allGateways = Gateways{Application: "http://127.0.0.1:9/push", SMS: "http://127.0.0.1:9/sms?key=k", Email: "http://127.0.0.1:9/mail"}

func subscribeTo(protocol, endpoint string, more ...string) []string {
	return append([]string{"Action", "Subscribe", "TopicArn", arnT1, "Protocol", protocol, "Endpoint", endpoint, "ReturnSubscriptionArn", "true"}, more...)
}

// TestProtocolRules checks the endpoints of all protocols, with gateways and without.
func TestProtocolRules(t *testing.T) {
	s, bare := newServer(t, Options{Gateways: allGateways}), newServer(t, Options{})
	for _, server := range []*server{s, bare} {
		server.do(createApp("GCM", "shop", "PlatformCredential", "c")...)
	}
	endpoint, bareEndpoint := s.create("token"), bare.create("token")
	const role = "arn:aws:iam::000000000000:role/r"
	gone := endpoint[:len(endpoint)-36] + "11111111-2222-4333-8444-555555555555"
	withRole := attributePairs("SubscriptionRoleArn", role)
	for _, c := range []struct {
		protocol, endpoint, fault string
		more                      []string
	}{
		{"sms", "+15551234567", "", nil},
		{"sms", "15551234568", "", nil},
		{"sms", "+1-555-123.45/69", "", nil},
		{"sms", "+1 555 1234570", "", nil},
		{"sms", "+1--5551234567", "Invalid SMS endpoint: +1--5551234567", nil},
		{"sms", "-15551234567", "Invalid SMS endpoint: -15551234567", nil},
		{"sms", "15551234567-", "Invalid SMS endpoint: 15551234567-", nil},
		{"sms", "+05551234567", "Invalid SMS endpoint: +05551234567", nil},
		{"sms", "phone", "Invalid SMS endpoint: phone", nil},
		{"email", "a@example.com", "", nil},
		{"email-json", "a@example.com", "", nil},
		{"email", "example.com", "Invalid parameter: Email address", nil},
		{"email", "A <a@example.com>", "Invalid parameter: Email address", nil},
		{"email", "a@example.com\r\nBcc: b@example.com", "Invalid parameter: Email address", nil},
		{"email-json", "", "Invalid parameter: Endpoint Reason: no value for required parameter", nil},
		{"application", endpoint, "", nil},
		{"application", "x", "Invalid parameter: Application endpoint arn invalid:x", nil},
		{"application", arnApp, "Invalid parameter: Application endpoint arn invalid:" + arnApp, nil},
		{"application", endpoint + "x", "Invalid parameter: Application endpoint arn invalid:" + endpoint + "x", nil},
		{"application", gone, "Invalid parameter: Endpoint Reason: Endpoint does not exist for endpoint " + gone, nil},
		{"lambda", "x", "Invalid parameter: Lambda endpoint ARN", nil},
		{"lambda", "arn:aws:lambda:us-east-1:000000000000:function:f", "Invalid parameter: Protocol Reason: nothing is delivered to Lambda here", nil},
		{"firehose", "arn:aws:lambda:us-east-1:000000000000:function:f", "Invalid parameter: Firehose endpoint ARN", nil},
		{"firehose", "arn:aws:firehose:us-east-1:000000000000:deliverystream/d", "Invalid parameter: Attributes Reason: SubscriptionRoleArn: required for the protocol firehose", nil},
		{"firehose", "arn:aws:firehose:us-east-1:000000000000:deliverystream/d", "Invalid parameter: Protocol Reason: nothing is delivered to Firehose here", withRole},
		{"gopher", "gopher://h/", "Invalid parameter: Amazon SNS does not support this protocol string: gopher", nil},
		{"sms", "+15551234571", "Invalid parameter: Attributes Reason: Delivery protocol [sms] does not support raw message delivery.", attributePairs("RawMessageDelivery", "true")},
		{"email", "b@example.com", "Invalid parameter: Attributes Reason: Delivery protocol [email] does not support raw message delivery.", attributePairs("RawMessageDelivery", "true")},
		{"email", "b@example.com", "Invalid parameter: Attributes Reason: Delivery protocol [email] does not support a delivery policy.", attributePairs("DeliveryPolicy", "{}")},
		{"sms", "+15551234571", "", attributePairs("RawMessageDelivery", "false")},
	} {
		if c.fault != "" {
			s.wantError(400, "InvalidParameter", c.fault, subscribeTo(c.protocol, c.endpoint, c.more...)...)
			continue
		}
		s.wantError(200, "", "", subscribeTo(c.protocol, c.endpoint, c.more...)...)
		to := c.endpoint
		if c.protocol == "application" {
			to = bareEndpoint
		}
		key := strings.TrimSuffix(c.protocol, "-json")
		bare.wantError(400, "InvalidParameter", "Invalid parameter: Protocol Reason: no gateway for "+c.protocol+" is configured here (sns.gateways."+key+")", subscribeTo(c.protocol, to)...)
	}
	if n := len(bare.engine.Topic([]byte("T1")).Subscriptions()); n != 0 {
		t.Errorf("without gateways there are %d subscriptions", n)
	}
}

// TestGatewaySubscription checks what is kept and shown of a subscription that a gateway serves.
func TestGatewaySubscription(t *testing.T) {
	s := newServer(t, Options{Gateways: allGateways, PublicURL: "https://fanfare.example"})
	const number = "+1-555-1234567"
	arn := s.do(subscribeTo("sms", number)...).SubscriptionARN
	config := s.engine.Topic([]byte("T1")).Subscriptions()[0].Config()
	if config.Kind != "gateway" || config.Endpoint != allGateways.SMS || config.Protocol != "sms" || config.Pending || config.Token != "" ||
		config.Labels["sns.destination"] != "+15551234567" || config.Labels["sns.topic_arn"] != arnT1 {
		t.Errorf("got %+v", config)
	}
	want := map[string]string{
		"ConfirmationWasAuthenticated": "true", "Endpoint": number, "Owner": "000000000000", "PendingConfirmation": "false", "Protocol": "sms",
		"RawMessageDelivery": "false", "SubscriptionArn": arn, "SubscriptionPrincipal": "arn:aws:iam::000000000000:user/fanfare", "TopicArn": arnT1,
	}
	if diff := cmp.Diff(want, s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r := s.do("Action", "ListSubscriptions")
	if got := r.Listed[len(r.Listed)-1]; got != (listed{number, "sms", arnT1, arn}) {
		t.Errorf("listed is %+v", got)
	}
	if again := s.do(subscribeTo("sms", number)...).SubscriptionARN; again != arn {
		t.Errorf("subscribed again: %s", again)
	}
	if again := s.do(subscribeTo("sms", "+15551234567")...).SubscriptionARN; again != arn {
		t.Errorf("subscribed again, spelled otherwise: %s", again)
	}
	set := func(name, value string) []string {
		return []string{"Action", "SetSubscriptionAttributes", "SubscriptionArn", arn, "AttributeName", name, "AttributeValue", value}
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Delivery protocol [sms] does not support raw message delivery.", set("RawMessageDelivery", "true")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Delivery protocol [sms] does not support a delivery policy.", set("DeliveryPolicy", "{}")...)

	// Mail has to be confirmed; the two protocols of an address are two subscriptions.
	if got := s.do("Action", "Subscribe", "TopicArn", arnT1, "Protocol", "email", "Endpoint", "a@example.com").SubscriptionARN; got != "pending confirmation" {
		t.Errorf("got %s", got)
	}
	s.do(subscribeTo("email-json", "a@example.com")...)
	eventually(t, "the requests for a confirmation", func() bool { return len(s.recorder.Notified()) == 2 })
	mail := s.engine.Topic([]byte("T1")).Subscriptions()[1]
	confirmed := s.do("Action", "ConfirmSubscription", "TopicArn", arnT1, "Token", mail.Config().Token).ConfirmedARN
	if confirmed != arnT1+":"+mail.Name() {
		t.Errorf("got %s", confirmed)
	}
	got := s.attributes("GetTopicAttributes", "TopicArn", arnT1)
	if got["SubscriptionsConfirmed"] != "2" || got["SubscriptionsPending"] != "1" {
		t.Errorf("got %v", got)
	}
	s.wantError(200, "", "", "Action", "Unsubscribe", "SubscriptionArn", arn)
	s.wantError(404, "NotFound", "Subscription does not exist", "Action", "GetSubscriptionAttributes", "SubscriptionArn", arn)

	// A topic's policy for HTTP is not one for gateways.
	s.wantError(200, "", "", "Action", "SetTopicAttributes", "TopicArn", arnT1, "AttributeName", "DeliveryPolicy", "AttributeValue", `{"http":{"defaultHealthyRetryPolicy":{"numRetries":7}}}`)
	if n := mail.Config().Retry.MaxAttempts; n == 8 {
		t.Error("the topic's policy for HTTP became that of a gateway")
	}
}

// TestSubscriptionOutlivesEndpoint checks that a deleted endpoint leaves its subscriptions listed.
func TestSubscriptionOutlivesEndpoint(t *testing.T) {
	s := newServer(t, Options{Gateways: allGateways})
	s.do(createApp("GCM", "shop", "PlatformCredential", "c")...)
	endpoint := s.create("token")
	arn := s.do(subscribeTo("application", endpoint)...).SubscriptionARN
	s.do("Action", "DeleteEndpoint", "EndpointArn", endpoint)
	r := s.do("Action", "ListSubscriptions")
	if got := r.Listed[len(r.Listed)-1]; got != (listed{endpoint, "application", arnT1, arn}) {
		t.Errorf("listed is %+v", got)
	}
	s.wantError(200, "", "", "Action", "Unsubscribe", "SubscriptionArn", arn)
}

// TestPublishToPhone checks what is published to a number itself.
func TestPublishToPhone(t *testing.T) {
	s := newServer(t, Options{Gateways: allGateways})
	phone := func(number, text string, more ...string) []string {
		return append([]string{"Action", "Publish", "PhoneNumber", number, "Message", text}, more...)
	}
	for _, number := range []string{"+15551234567", "15551234567"} {
		s.wantError(200, "", "", phone(number, "hello", "MessageAttributes.entry.1.Name", "AWS.SNS.SMS.SMSType",
			"MessageAttributes.entry.1.Value.DataType", "String", "MessageAttributes.entry.1.Value.StringValue", "Transactional")...)
	}
	eventually(t, "both messages", func() bool { return len(s.recorder.Messages()) == 2 })
	for _, got := range s.recorder.Messages() {
		if got != "topic: sns.sms\nbody: \"hello\"\nkeys: \"+15551234567\"\nattribute: \"AWS.SNS.SMS.SMSType\" \"String\" \"Transactional\"\n" {
			t.Errorf("got %s", got)
		}
	}
	s.wantError(200, "", "", phone("+15551234567", strings.Repeat("é", 1600))...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Message too long", phone("+15551234567", strings.Repeat("é", 1601))...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: + is not valid to publish to", phone("+", "m")...)
	s.wantError(400, "InvalidParameter", errTwoTargets.text, phone("+15551234567", "m", "TopicArn", arnT1)...)

	subscriptions := s.engine.Topic([]byte("sns.sms")).Subscriptions()
	if len(subscriptions) != 1 || subscriptions[0].Config().Endpoint != allGateways.SMS || subscriptions[0].Config().Kind != "gateway" {
		t.Fatalf("got %d subscriptions", len(subscriptions))
	}
	// Clients of this API see nothing of it.
	r := s.do("Action", "ListTopics")
	if cmp.Diff([]string{arnT1, arnOrders}, r.Topics) != "" {
		t.Errorf("listed are %v", r.Topics)
	}
	for _, l := range s.do("Action", "ListSubscriptions").Listed {
		if strings.Contains(l.TopicArn, "sns.sms") {
			t.Errorf("listed is %+v", l)
		}
	}
	hidden := arnBase + "sns.sms"
	s.wantError(404, "NotFound", "Topic does not exist", "Action", "Publish", "TopicArn", hidden, "Message", "m")
	s.wantError(404, "NotFound", "Topic does not exist", "Action", "GetTopicAttributes", "TopicArn", hidden)
	s.wantError(404, "NotFound", "Subscription does not exist", "Action", "GetSubscriptionAttributes", "SubscriptionArn", hidden+":gateway")
	s.wantError(200, "", "", "Action", "DeleteTopic", "TopicArn", hidden)
	if s.engine.Topic([]byte("sns.sms")) == nil {
		t.Error("a client deleted it")
	}
}

// TestPublishToEndpoint checks what is published to a device itself.
func TestPublishToEndpoint(t *testing.T) {
	s := newServer(t, Options{Gateways: allGateways})
	s.do(createApp("GCM", "shop", "PlatformCredential", "c")...)
	arn := s.create("token")
	to := func(target string, more ...string) []string {
		return append([]string{"Action", "Publish", "TargetArn", target}, more...)
	}
	s.wantError(200, "", "", to(arn, "Message", "hello", "Subject", "s")...)
	s.wantError(200, "", "", to(arn, "MessageStructure", "json", "Message", `{"GCM":"g"}`)...)
	s.wantError(200, "", "", to(arn, "MessageStructure", "json", "Message", `{"GCM":"g","default":"d"}`)...)
	s.wantError(400, "InvalidParameter", errNoDefault.text, to(arn, "MessageStructure", "json", "Message", `{"APNS":"a","GCM":1}`)...)
	s.wantError(400, "InvalidParameter", errNoDefault.text, to(arnT1, "MessageStructure", "json", "Message", `{"GCM":"g"}`)...)
	keys := "keys: \"" + arn + "\"\n"
	want := []string{
		"topic: sns.application\nbody: \"hello\"\nsubject: \"s\"\n" + keys,
		"topic: sns.application\nbody: \"g\"\n" + keys + "structure: \"{\\\"GCM\\\":\\\"g\\\"}\"\n",
		"topic: sns.application\nbody: \"d\"\n" + keys + "structure: \"{\\\"GCM\\\":\\\"g\\\",\\\"default\\\":\\\"d\\\"}\"\n",
	}
	eventually(t, "the messages", func() bool { return len(s.recorder.Messages()) == len(want) })
	if diff := cmp.Diff(want, s.recorder.Messages()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	refused := func(code, text, target string) {
		t.Helper()
		s.wantError(400, code, text, to(target, "Message", "m")...)
	}
	refused("InvalidParameter", "Invalid parameter: TargetArn Reason: ARN specifies an invalid endpointId: UUID must be encoded in exactly 36 characters.", arn+"x")
	refused("InvalidParameter", "Invalid parameter: TargetArn Reason: Wrong number of slashes in relative portion of the ARN.", arn+"/x")
	refused("InvalidParameter", "Invalid parameter: TargetArn Reason: Wrong number of slashes in relative portion of the ARN.", arnBase+"endpoint/GCM")
	refused("InvalidParameter", errNoEndpoint.text, arn[:len(arn)-36]+"11111111-2222-4333-8444-555555555555")
	s.do(append([]string{"Action", "SetEndpointAttributes", "EndpointArn", arn}, attributePairs("Enabled", "false")...)...)
	refused("EndpointDisabled", "Endpoint is disabled", arn)
	s.do(append([]string{"Action", "SetPlatformApplicationAttributes", "PlatformApplicationArn", arnApp}, attributePairs("Enabled", "false")...)...)
	refused("PlatformApplicationDisabled", "Platform application is disabled", arn)
	s.do("Action", "DeletePlatformApplication", "PlatformApplicationArn", arnApp)
	refused("InvalidParameter", errNoEndpoint.text, arn)

	// What a client puts into an attribute does not look like one that disables.
	s.do(createApp("GCM", "shop", "PlatformCredential", "c", "EventEndpointCreated", `"Enabled":"false"`)...)
	arn = s.create("token", "CustomUserData", `","Enabled":"false"`)
	s.wantError(200, "", "", to(arn, "Message", "m")...)

	bare := newServer(t, Options{})
	bare.do(createApp("GCM", "shop", "PlatformCredential", "c")...)
	bare.wantError(400, "InvalidParameter", "Invalid parameter: TargetArn Reason: no gateway for application is configured here (sns.gateways.application)",
		to(bare.create("token"), "Message", "m")...)
}

func TestGatewayOptions(t *testing.T) {
	for url, ok := range map[string]bool{
		"": true, "http://h/": true, "https://h:1/p?q=r": true, "ftp://h/": false, "http:///x": false, "://": false, "h": false,
		"http://" + strings.Repeat("h", engine.EndpointBytesMax): false,
	} {
		o := Options{Gateways: Gateways{Application: url}}
		if err := o.Validate(); (err == nil) != ok {
			t.Errorf("%.40q: got %v", url, err)
		}
	}
}
