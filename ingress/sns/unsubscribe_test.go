package sns

import (
	"strings"
	"testing"

	"fanfare/engine"
)

const signature = "Authorization: AWS4-HMAC-SHA256 Credential=k/20260102/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=00\r\n"

// confirmed makes a subscription of T1 and confirms it; it returns its ARN.
func (s *server) confirmed(pairs ...string) (*engine.Subscription, string) {
	s.t.Helper()
	s.do(subscribe(pairs...)...)
	all := s.engine.Topic([]byte("T1")).Subscriptions()
	sub := all[len(all)-1]
	return sub, s.do("Action", "ConfirmSubscription", "TopicArn", arnT1, "Token", sub.Config().Token).ConfirmedARN
}

// TestUnsubscribeByLink follows the link of a notification: the endpoint is told, and comes back with what it is sent.
func TestUnsubscribeByLink(t *testing.T) {
	s := newServer(t, Options{})
	sub, arn := s.confirmed()
	eventually(t, "the first request", func() bool { return len(s.recorder.Notified()) == 1 })
	before := sub.Config().Token
	for range 2 {
		s.wantError(200, "", "", "Action", "Unsubscribe", "SubscriptionArn", arn)
	}
	token := sub.Config().Token
	if token == before {
		t.Error("the token is the old one")
	}
	var told []string
	eventually(t, "the message to the endpoint", func() bool { told = s.recorder.Notified(); return len(told) == 2 })
	want := sub.Name() + "\ntopic: T1\nbody: \"You have chosen to deactivate subscription " + arn +
		".\\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.\"\ntoken: \"" + token + "\"\n"
	if !strings.HasPrefix(told[1], want) {
		t.Errorf("got %s\nwant %s", told[1], want)
	}

	// It is gone for everybody.
	for _, action := range []string{"GetSubscriptionAttributes", "SetSubscriptionAttributes"} {
		s.wantError(404, "NotFound", "Subscription does not exist", "Action", action, "SubscriptionArn", arn, "AttributeName", "RawMessageDelivery", "AttributeValue", "true")
	}
	for _, l := range s.do("Action", "ListSubscriptions").Listed {
		if l.TopicArn == arnT1 {
			t.Errorf("listed is %+v", l)
		}
	}
	counts := s.attributes("GetTopicAttributes", "TopicArn", arnT1)
	if counts["SubscriptionsConfirmed"] != "0" || counts["SubscriptionsPending"] != "0" || counts["SubscriptionsDeleted"] != "1" {
		t.Errorf("got %v", counts)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Token", "Action", "ConfirmSubscription", "TopicArn", arnT1, "Token", before)

	if got := s.do("Action", "ConfirmSubscription", "TopicArn", arnT1, "Token", token).ConfirmedARN; got != arn {
		t.Errorf("restored is %s", got)
	}
	if got := s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn); got["PendingConfirmation"] != "false" || got["Endpoint"] != "http://127.0.0.1:9/x" {
		t.Errorf("got %v", got)
	}

	// Whoever subscribes anew gets a new subscription, and the old one cannot come back.
	s.do("Action", "Unsubscribe", "SubscriptionArn", arn)
	token = sub.Config().Token
	if again := s.do(subscribe("ReturnSubscriptionArn", "true")...).SubscriptionARN; again == arn || !strings.HasPrefix(again, arnT1+":") {
		t.Errorf("got %s", again)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Token", "Action", "ConfirmSubscription", "TopicArn", arnT1, "Token", token)
	if n := len(s.engine.Topic([]byte("T1")).Subscriptions()); n != 1 {
		t.Errorf("there are %d subscriptions", n)
	}
}

// TestUnsubscribeAtOnce checks who is not told: the owner, and an endpoint that never confirmed.
func TestUnsubscribeAtOnce(t *testing.T) {
	s := newServer(t, Options{})
	_, arn := s.confirmed()
	if r := s.serve(post(form("Action", "Unsubscribe", "SubscriptionArn", arn), signature)); r.status != 200 {
		t.Errorf("got %s", r.text)
	}
	pending := s.do(subscribe("ReturnSubscriptionArn", "true")...).SubscriptionARN
	s.do("Action", "Unsubscribe", "SubscriptionArn", pending)
	if n := len(s.engine.Topic([]byte("T1")).Subscriptions()); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
	if n := len(s.recorder.Notified()); n > 2 {
		t.Errorf("the endpoint got %d messages beside the requests", n-2)
	}
	s.wantError(403, "MissingAuthenticationToken", "Request is missing Authentication Token",
		"Action", "ConfirmSubscription", "TopicArn", arnT1, "Token", "00", "AuthenticateOnUnsubscribe", "true")
}

// TestSweep checks that what nobody confirmed, or brought back, goes away when its time is over.
func TestSweep(t *testing.T) {
	s := newServer(t, Options{})
	cancelled, arn := s.confirmed()
	s.do("Action", "Unsubscribe", "SubscriptionArn", arn)
	s.do("Action", "Subscribe", "TopicArn", arnT1, "Protocol", "http", "Endpoint", "http://127.0.0.1:9/pending")
	other := []string{"Action", "Subscribe", "TopicArn", arnT1, "Protocol", "http", "Endpoint", "http://127.0.0.1:9/other"}
	s.do(other...)
	topic := s.engine.Topic([]byte("T1"))
	pending := topic.Subscriptions()[1]
	age := func(sub *engine.Subscription, until int64) {
		t.Helper()
		if err := s.engine.UpdateSubscription(sub, func(c *engine.SubscriptionConfig) { c.TokenUntil = until }); err != nil {
			t.Fatal(err)
		}
	}
	age(cancelled, 1)
	age(pending, pending.Config().TokenUntil-tokenAge.Milliseconds()-pendingAge.Milliseconds()/2)
	s.do(other...)
	if !cancelled.Deleted() || pending.Deleted() {
		t.Errorf("cancelled: %v, pending for half a day too long: %v", cancelled.Deleted(), pending.Deleted())
	}
	age(pending, 1)
	s.do(other...)
	if !pending.Deleted() || len(topic.Subscriptions()) != 1 {
		t.Errorf("%d subscriptions are left", len(topic.Subscriptions()))
	}
}

// TestUnsubscribeDeclared: what the configuration file declares is not ended by who knows its name.
func TestUnsubscribeDeclared(t *testing.T) {
	s := newServer(t, Options{})
	sub, arn := s.confirmed()
	if err := s.engine.UpdateSubscription(sub, func(c *engine.SubscriptionConfig) { c.Declared = true }); err != nil {
		t.Fatal(err)
	}
	s.wantError(403, "AuthorizationError", "User is not authorized to perform: SNS:Unsubscribe on resource: "+arn, "Action", "Unsubscribe", "SubscriptionArn", arn)
	if sub.Deleted() || sub.Config().Pending {
		t.Error("it is gone")
	}
}
