package sns

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanfare/engine"
)

func TestCreateTopicRules(t *testing.T) {
	s := newServer(t, Options{Region: "eu-west-1", Account: "123456789012"})
	for _, name := range []string{"a", "A-Z_09", strings.Repeat("n", 256)} {
		if r := s.do("Action", "CreateTopic", "Name", name); r.TopicARN != "arn:aws:sns:eu-west-1:123456789012:"+name {
			t.Errorf("%s: got %s", name, r.text)
		}
	}
	for _, name := range []string{"a b", "a.b", "é", strings.Repeat("n", 257), ".fifo", "a%b", "a.fifo"} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: Topic Name", "Action", "CreateTopic", "Name", name)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Name Reason: no value for required parameter", "Action", "CreateTopic")

	create := func(pairs ...string) []string {
		return append([]string{"Action", "CreateTopic", "Name", "x"}, pairs...)
	}
	s.wantError(200, "", "", create("Attributes.entry.1.key", "DisplayName", "Attributes.entry.1.value", "d", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v")...)
	s.wantError(200, "", "", create()...)
	s.wantError(200, "", "", create("Attributes.entry.1.key", "DisplayName", "Attributes.entry.1.value", "d")...)
	s.wantError(200, "", "", create("Attributes.entry.1.key", "FifoTopic", "Attributes.entry.1.value", "false")...)
	s.wantError(200, "", "", create("Tags.member.1.Key", "k", "Tags.member.1.Value", "v")...)
	differs := "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
	s.wantError(400, "InvalidParameter", differs, create("Attributes.entry.1.key", "DisplayName", "Attributes.entry.1.value", "e")...)
	s.wantError(400, "InvalidParameter", differs, create("Attributes.entry.1.key", "SignatureVersion", "Attributes.entry.1.value", "2")...)
	tags := "Invalid parameter: Tags Reason: Topic already exists with different tags"
	s.wantError(400, "InvalidParameter", tags, create("Tags.member.1.Key", "k", "Tags.member.1.Value", "w")...)
	s.wantError(400, "InvalidParameter", tags, create("Tags.member.1.Key", "l", "Tags.member.1.Value", "v")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Duplicated keys are not allowed.",
		create("Tags.member.1.Key", "k", "Tags.member.1.Value", "v", "Tags.member.2.Key", "k", "Tags.member.2.Value", "v")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Attributes Reason: Unknown attribute: Colour",
		create("Attributes.entry.1.key", "Colour", "Attributes.entry.1.value", "red")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Attributes Reason: SignatureVersion: Invalid value",
		create("Attributes.entry.1.key", "SignatureVersion", "Attributes.entry.1.value", "3")...)
	many := create()
	for i := range 51 {
		many = append(many, fmt.Sprintf("Tags.member.%d.Key", i+1), fmt.Sprint(i), fmt.Sprintf("Tags.member.%d.Value", i+1), "")
	}
	s.wantError(400, "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded", many...)

	s.do("Action", "DeleteTopic", "TopicArn", "arn:aws:sns:eu-west-1:123456789012:x")
	s.wantError(200, "", "", create("Attributes.entry.1.key", "DisplayName", "Attributes.entry.1.value", "e")...)
}

// TestListTopicsPages checks the pages of a list, which have a hundred items.
func TestListTopicsPages(t *testing.T) {
	s := newServer(t, Options{})
	for i := range 248 {
		s.do("Action", "CreateTopic", "Name", fmt.Sprintf("t-%03d", i))
	}
	var all []string
	token := ""
	for range 3 {
		pairs := []string{"Action", "ListTopics"}
		if token != "" {
			pairs = append(pairs, "NextToken", token)
		}
		r := s.do(pairs...)
		all, token = append(all, r.Topics...), r.TopicsNext
	}
	if len(all) != 250 || token != "" || all[0] != arnT1 || all[249] != "arn:aws:sns:us-east-1:000000000000:t-247" {
		t.Errorf("got %d topics, next %q: %v", len(all), token, all)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: NextToken", "Action", "ListTopics", "NextToken", "!")
}

func TestTopicAttributes(t *testing.T) {
	s := newServer(t, Options{})
	r := s.do("Action", "GetTopicAttributes", "TopicArn", arnT1)
	var keys []string
	for _, e := range r.TopicEntries {
		keys = append(keys, e.Key)
	}
	want := []string{"DisplayName", "EffectiveDeliveryPolicy", "Owner", "Policy", "SubscriptionsConfirmed", "SubscriptionsDeleted", "SubscriptionsPending", "TopicArn"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.wantError(404, "NotFound", "Topic does not exist", "Action", "GetTopicAttributes", "TopicArn", arnT1+"x")
	s.wantError(400, "InvalidParameter", "Invalid parameter: TopicArn Reason: no value for required parameter", "Action", "GetTopicAttributes")
	s.wantError(400, "InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1", "Action", "GetTopicAttributes", "TopicArn", "")
	s.wantError(400, "InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1", "Action", "DeleteTopic", "TopicArn", "x")
}

func subscribe(pairs ...string) []string {
	return append([]string{"Action", "Subscribe", "TopicArn", arnT1, "Protocol", "http", "Endpoint", "http://127.0.0.1:9/x"}, pairs...)
}

// TestSubscriptionLife goes from Subscribe over the confirmation to Unsubscribe, as a subscriber would.
func TestSubscriptionLife(t *testing.T) {
	s := newServer(t, Options{})
	r := s.do(subscribe()...)
	if r.SubscriptionARN != "pending confirmation" {
		t.Fatalf("got %s", r.text)
	}
	r = s.do(subscribe("ReturnSubscriptionArn", "true")...)
	arn := r.SubscriptionARN
	if !regexp.MustCompile(`^` + arnT1 + `:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(arn) {
		t.Fatalf("got %s", r.text)
	}
	subscriptions := s.engine.Topic([]byte("T1")).Subscriptions()
	if len(subscriptions) != 1 {
		t.Fatalf("got %d subscriptions", len(subscriptions))
	}
	config := subscriptions[0].Config()
	if !regexp.MustCompile(`^[0-9a-f]{288}$`).MatchString(config.Token) || config.Kind != "sns" || config.Envelope != "json" || !config.Pending {
		t.Errorf("got %+v", config)
	}
	if diff := cmp.Diff(map[string]string{"sns.topic_arn": arnT1, "sns.public_url": "http://h:4100"}, config.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}

	// Each Subscribe asks once more, with the same token.
	eventually(t, "the second confirmation request", func() bool { return len(s.recorder.Notified()) == 2 })
	want := config.Name + "\ntopic: T1\n" +
		`body: "You have chosen to subscribe to the topic ` + arnT1 + `.\nTo confirm the subscription, visit the SubscribeURL included in this message."` + "\n" +
		`token: "` + config.Token + `"` + "\nexpires: "
	for _, got := range s.recorder.Notified() {
		if !strings.HasPrefix(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}

	attributes := func() map[string]string {
		m := map[string]string{}
		for _, e := range s.do("Action", "GetSubscriptionAttributes", "SubscriptionArn", arn).Entries {
			m[e.Key] = e.Value
		}
		return m
	}
	if got := attributes(); got["PendingConfirmation"] != "true" || got["RawMessageDelivery"] != "false" || got["SubscriptionArn"] != arn {
		t.Errorf("got %v", got)
	}

	// Any topic of the region will do: the token decides.
	for range 2 {
		r = s.do("Action", "ConfirmSubscription", "TopicArn", arnOrders, "Token", config.Token)
		if r.ConfirmedARN != arn {
			t.Errorf("got %s", r.text)
		}
	}
	if got := attributes(); got["PendingConfirmation"] != "false" || got["ConfirmationWasAuthenticated"] != "false" {
		t.Errorf("got %v", got)
	}
	if r = s.do(subscribe()...); r.SubscriptionARN != arn {
		t.Errorf("a confirmed one: got %s", r.text)
	}
	r = s.do("Action", "ListSubscriptions")
	if got := r.Listed[len(r.Listed)-1]; got != (listed{"http://127.0.0.1:9/x", "http", arnT1, arn}) {
		t.Errorf("got %+v", got)
	}

	s.wantError(200, "", "", "Action", "SetSubscriptionAttributes", "SubscriptionArn", arn, "AttributeName", "RawMessageDelivery", "AttributeValue", "True")
	if got := attributes(); got["RawMessageDelivery"] != "true" {
		t.Errorf("got %v", got)
	}
	for range 2 {
		s.wantError(200, "", "", "Action", "Unsubscribe", "SubscriptionArn", arn)
	}
	s.wantError(404, "NotFound", "Subscription does not exist", "Action", "GetSubscriptionAttributes", "SubscriptionArn", arn)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Token", "Action", "ConfirmSubscription", "TopicArn", arnT1, "Token", config.Token)
	if r = s.do(subscribe("ReturnSubscriptionArn", "true")...); r.SubscriptionARN == arn {
		t.Error("a new subscription has the ARN of one that was deleted")
	}
}

func TestSubscribeRules(t *testing.T) {
	s := newServer(t, Options{})
	refused := func(message string, pairs ...string) {
		t.Helper()
		s.wantError(400, "InvalidParameter", message, pairs...)
	}
	to := func(protocol, endpoint string) []string {
		return []string{"Action", "Subscribe", "TopicArn", arnT1, "Protocol", protocol, "Endpoint", endpoint}
	}
	refused("Invalid parameter: Endpoint must match the specified protocol", to("http", "https://h/")...)
	refused("Invalid parameter: Endpoint must match the specified protocol", to("https", "h/")...)
	refused("Invalid parameter: Endpoint Reason: has no host", to("http", "http:///x")...)
	refused("Invalid parameter: Endpoint Reason: must not contain spaces or control characters", to("http", "http://h/a b")...)
	refused("Invalid parameter: Amazon SNS does not support this protocol string: gopher", to("gopher", "gopher://h/")...)
	refused("Invalid parameter: Protocol Reason: no value for required parameter", "Action", "Subscribe", "TopicArn", arnT1, "Endpoint", "http://h/")
	refused("Invalid parameter: Endpoint Reason: no value for required parameter", "Action", "Subscribe", "TopicArn", arnT1, "Protocol", "http")
	refused("Invalid parameter: ReturnSubscriptionArn", subscribe("ReturnSubscriptionArn", "perhaps")...)
	s.wantError(404, "NotFound", "Topic does not exist", "Action", "Subscribe", "TopicArn", arnT1+"x", "Protocol", "http", "Endpoint", "http://h/")

	attribute := func(name, value string) []string {
		return subscribe("Attributes.entry.1.key", name, "Attributes.entry.1.value", value)
	}
	refused("Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [1]. Must be true or false.", attribute("RawMessageDelivery", "1")...)
	refused("Invalid parameter: Attributes Reason: AttributeName", attribute("Colour", "red")...)
	refused("Invalid parameter: Attributes Reason: SubscriptionRoleArn: not supported", attribute("SubscriptionRoleArn", "x")...)
	s.wantError(200, "", "", attribute("RawMessageDelivery", "TRUE")...)
	s.wantError(200, "", "", subscribe()...)
	refused("Invalid parameter: Attributes Reason: Subscription already exists with different attributes", attribute("RawMessageDelivery", "false")...)
}

// TestSubscribeAtOnce checks that many calls for one endpoint make one subscription.
func TestSubscribeAtOnce(t *testing.T) {
	s := newServer(t, Options{PublicURL: "https://fanfare.example"})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { s.do(subscribe()...) })
	}
	wg.Wait()
	subscriptions := s.engine.Topic([]byte("T1")).Subscriptions()
	if len(subscriptions) != 1 {
		t.Fatalf("got %d subscriptions", len(subscriptions))
	}
	if _, ok := subscriptions[0].Config().Labels["sns.public_url"]; ok {
		t.Error("the host of the request counts although there is a public URL")
	}
	if len(s.face.subscribing.busy) != 0 {
		t.Error("the gate remembers keys that are free")
	}
}

func TestConfirmRules(t *testing.T) {
	s := newServer(t, Options{})
	confirm := func(topic, token string) []string {
		return []string{"Action", "ConfirmSubscription", "TopicArn", topic, "Token", token}
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Topic", confirm("orders", pendingToken)...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Topic", confirm(arnOrders+":x", pendingToken)...)
	s.wantError(400, "InvalidParameter", "Invalid token", confirm(arnOrders, "zz")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Token Reason: no value for required parameter", confirm(arnOrders, "")...)
	signed := post(form(confirm(arnOrders, pendingToken)...),
		"Authorization: AWS4-HMAC-SHA256 Credential=k/20260102/eu-west-1/sns/aws4_request, SignedHeaders=host, Signature=00\r\n")
	if r := s.serve(signed); r.Message != "Invalid parameter: Topic" {
		t.Errorf("of another region: got %s", r.text)
	}

	// An old token is not known any more.
	sub := s.engine.Topic([]byte("orders")).Subscription(pendingName)
	update := func(until int64) {
		if err := s.engine.UpdateSubscription(sub, func(c *engine.SubscriptionConfig) { c.TokenUntil = until }); err != nil {
			t.Fatal(err)
		}
	}
	update(1)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Token", confirm(arnOrders, pendingToken)...)
	// Subscribing again gives a new one.
	s.do("Action", "Subscribe", "TopicArn", arnOrders, "Protocol", "https", "Endpoint", "https://127.0.0.1:9/pending")
	if token := sub.Config().Token; len(token) != 288 {
		t.Errorf("the token is still %q", token)
	}

	// Confirmed by a signed call that wants signed calls only.
	s.serve(post(form(append(confirm(arnOrders, sub.Config().Token), "AuthenticateOnUnsubscribe", "true")...),
		"Authorization: AWS4-HMAC-SHA256 Credential=k/20260102/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=00\r\n"))
	if got := sub.Config(); got.Pending || got.Labels["sns.authenticated"] != "true" || got.Labels["sns.guarded"] != "true" {
		t.Errorf("got %+v", got)
	}
	arn := arnOrders + ":" + pendingName
	s.wantError(403, "AuthorizationError", "User is not authorized to perform: SNS:Unsubscribe on resource: "+arn, "Action", "Unsubscribe", "SubscriptionArn", arn)
	r := s.serve(post(form("Action", "Unsubscribe", "SubscriptionArn", arn),
		"Authorization: AWS4-HMAC-SHA256 Credential=k/20260102/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=00\r\n"))
	if r.status != 200 {
		t.Errorf("signed: got %s", r.text)
	}
}

func TestSubscriptionARNRules(t *testing.T) {
	s := newServer(t, Options{})
	for _, action := range []string{"Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes"} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: SubscriptionArn Reason: no value for required parameter", "Action", action)
		s.wantError(400, "InvalidParameter", "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1", "Action", action, "SubscriptionArn", "PendingConfirmation")
		s.wantError(400, "InvalidParameter", "Invalid parameter: SubscriptionId", "Action", action, "SubscriptionArn", arnOrders)
		s.wantError(400, "InvalidParameter", "Invalid parameter: SubscriptionId", "Action", action, "SubscriptionArn", arnOrders+":a:b")
	}
	// A subscription of another kind is not SNS's.
	s.wantError(404, "NotFound", "Subscription does not exist", "Action", "GetSubscriptionAttributes", "SubscriptionArn", arnOrders+":billing")
	s.wantError(200, "", "", "Action", "Unsubscribe", "SubscriptionArn", arnOrders+":billing")
	if s.engine.Topic([]byte("orders")).Subscription("billing") == nil {
		t.Error("the subscription of another kind was deleted")
	}
	set := func(name, value string) []string {
		return []string{"Action", "SetSubscriptionAttributes", "SubscriptionArn", arnOrders + ":" + confirmedName, "AttributeName", name, "AttributeValue", value}
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: AttributeName", set("Colour", "red")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: ReplayPolicy: not supported", set("ReplayPolicy", "x")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: AttributeName Reason: no value for required parameter", set("", "")...)
}

// TestListSubscriptionsPages checks the pages of a list, which have a hundred items.
func TestListSubscriptionsPages(t *testing.T) {
	s := newServer(t, Options{})
	for i := range 199 {
		s.do("Action", "Subscribe", "TopicArn", arnT1, "Protocol", "http", "Endpoint", fmt.Sprintf("http://127.0.0.1:9/%d", i))
	}
	r := s.do("Action", "ListSubscriptions")
	if len(r.Listed) != 100 || r.ListedNext == "" {
		t.Fatalf("the first page has %d items, next %q", len(r.Listed), r.ListedNext)
	}
	seen := map[string]bool{}
	for token := ""; ; token = r.ListedNext {
		pairs := []string{"Action", "ListSubscriptions"}
		if token != "" {
			pairs = append(pairs, "NextToken", token)
		}
		r = s.do(pairs...)
		for _, l := range r.Listed {
			seen[l.Endpoint] = true
		}
		if r.ListedNext == "" {
			break
		}
	}
	if len(seen) != 201 {
		t.Errorf("got %d subscriptions in all", len(seen))
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: NextToken", "Action", "ListSubscriptions", "NextToken", "eHh4")
}

func TestParamsBound(t *testing.T) {
	s := newServer(t, Options{})
	pairs := []string{"Action", "ListTopics"}
	for i := range paramsMax {
		pairs = append(pairs, fmt.Sprint("p", i), "")
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: more than 1000 parameters", pairs...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: a parameter is not UTF-8", "Action", "CreateTopic", "Name", "\xff")
	s.wantError(400, "InvalidParameter", "Invalid parameter: Name Reason: the parameter is given more than once", "Action", "CreateTopic", "Name", "a", "Name", "a")
}
