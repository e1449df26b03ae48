package sns

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/engine"
)

func (s *server) setAttribute(arn, name, value string) []string {
	return []string{"Action", "SetSubscriptionAttributes", "SubscriptionArn", arn, "AttributeName", name, "AttributeValue", value}
}

// attributed is Subscribe with attributes: names and values in turn.
func attributed(pairs ...string) []string {
	all := subscribe()
	for i := 0; i < len(pairs); i += 2 {
		key := fmt.Sprintf("Attributes.entry.%d.", i/2+1)
		all = append(all, key+"key", pairs[i], key+"value", pairs[i+1])
	}
	return all
}

// TestFilterPolicyErrors: the texts are the same for both actions but for what stands before them.
func TestFilterPolicyErrors(t *testing.T) {
	s := newServer(t, Options{})
	arn := s.do(subscribe("ReturnSubscriptionArn", "true")...).SubscriptionARN
	f := func(want, policy string, scope ...string) {
		t.Helper()
		attributes := append([]string{"FilterPolicy", policy}, scope...)
		s.wantError(400, "InvalidParameter", "Invalid parameter: Attributes Reason: "+want, attributed(attributes...)...)
		if len(scope) == 0 {
			s.wantError(400, "InvalidParameter", "Invalid parameter: "+want, s.setAttribute(arn, "FilterPolicy", policy)...)
		}
	}
	f("FilterPolicy: Filter policy can not have more than 5 keys", `{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`)
	f("FilterPolicy: Filter policy is too complex", `{"a":[`+strings.Repeat(`"x",`, 150)+`"x"]}`)
	f("Filter policy scope MessageAttributes does not support nested filter policy", `{"a":{"b":["c"]}}`)
	f("Filter policy scope MessageAttributes does not support nested filter policy", `{"a":{"b":["c"]}}`, "FilterPolicyScope", "MessageAttributes")
	f(`FilterPolicy: "a" must be an object or an array`, `{"a":"b"}`, "FilterPolicyScope", "MessageBody")
	f("FilterPolicy: Unrecognized match type wildcard", `{"a":[{"wildcard":"*"}]}`)
	f("FilterPolicy: failed to parse JSON. invalid character 'x' looking for beginning of value\n at [Source: REDACTED; line: 1, column: 1]", `x`)
	f("FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or MessageAttributes", `{"a":["b"]}`, "FilterPolicyScope", "Body")
	s.wantError(400, "InvalidParameter", "Invalid parameter: FilterPolicyScope: Invalid value []. Please use either MessageBody or MessageAttributes",
		s.setAttribute(arn, "FilterPolicyScope", "")...)
	if c := s.engine.Topic([]byte("T1")).Subscriptions()[0].Config(); c.FilterPolicy != "" || c.FilterPolicyScope != "" {
		t.Errorf("got %+v", c)
	}
}

// TestFilterPolicyAttributes: policy and scope are shown together, and only while there is a policy.
func TestFilterPolicyAttributes(t *testing.T) {
	s := newServer(t, Options{})
	arn := s.do(subscribe("ReturnSubscriptionArn", "true")...).SubscriptionARN
	f := func(policy, scope string) {
		t.Helper()
		all := s.attributes("GetSubscriptionAttributes", "SubscriptionArn", arn)
		gotPolicy, shown := all["FilterPolicy"]
		gotScope, scopeShown := all["FilterPolicyScope"]
		if gotPolicy != policy || gotScope != scope || shown != (policy != "") || scopeShown != shown {
			t.Errorf("got %q, %v, %q, %v", gotPolicy, shown, gotScope, scopeShown)
		}
	}
	set := func(name, value string) {
		t.Helper()
		s.wantError(200, "", "", s.setAttribute(arn, name, value)...)
	}
	f("", "")
	set("FilterPolicy", `{"a": ["b"]}`)
	f(`{"a": ["b"]}`, "MessageAttributes")
	set("FilterPolicy", "")
	f("", "")
	set("FilterPolicyScope", "MessageBody")
	f("", "") // it is remembered
	set("FilterPolicy", `{"a":{"b":["c"]}}`)
	f(`{"a":{"b":["c"]}}`, "MessageBody")
	s.wantError(400, "InvalidParameter", "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy",
		s.setAttribute(arn, "FilterPolicyScope", "MessageAttributes")...)
	f(`{"a":{"b":["c"]}}`, "MessageBody")
	set("RawMessageDelivery", "true")
	f(`{"a":{"b":["c"]}}`, "MessageBody")
	set("FilterPolicy", " {} ")
	f("", "")
}

func TestSubscribeWithFilterPolicy(t *testing.T) {
	s := newServer(t, Options{})
	s.wantError(200, "", "", attributed("FilterPolicyScope", "MessageBody", "FilterPolicy", `{"a": {"b":["c"]}}`)...)
	sub := s.engine.Topic([]byte("T1")).Subscriptions()[0]
	if c := sub.Config(); c.FilterPolicy != `{"a": {"b":["c"]}}` || c.FilterPolicyScope != "MessageBody" {
		t.Errorf("got %+v", c)
	}
	// Again with the same, with less, and with something else.
	s.wantError(200, "", "", attributed("FilterPolicy", `{"a":{"b":["c"]}}`, "FilterPolicyScope", "MessageBody")...)
	s.wantError(200, "", "", attributed()...)
	differs := "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
	s.wantError(400, "InvalidParameter", differs, attributed("FilterPolicy", `{"a":{"b":["d"]}}`, "FilterPolicyScope", "MessageBody")...)
	s.wantError(400, "InvalidParameter", differs, attributed("FilterPolicyScope", "MessageAttributes")...)
	s.wantError(400, "InvalidParameter", differs, attributed("FilterPolicy", "{}")...)
	// What deliveries ask is the compiled policy.
	if err := s.engine.UpdateSubscription(sub, func(c *engine.SubscriptionConfig) { c.Pending = false }); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]bool{`{"a":{"b":"c"}}`: true, `{"a":"c"}`: false} {
		m := engine.NewMessage()
		m.Set(engine.FieldBody, []byte(body))
		if got := sub.Config().Matches(m); got != want {
			t.Errorf("%s: got %v", body, got)
		}
		m.Release()
	}
}
