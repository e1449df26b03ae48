package native

import (
	"encoding/json"
	"testing"
	"time"

	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

func TestParseSettings(t *testing.T) {
	f := func(in string, want engine.SubscriptionConfig) {
		t.Helper()
		got, err := parseSettings([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
	f(`{}`, engine.SubscriptionConfig{})
	f(` {"endpoint" : "http://a/\u003f" } `, engine.SubscriptionConfig{Endpoint: "http://a/?"})
	f(`{"\u006bind":"sns"}`, engine.SubscriptionConfig{Kind: "sns"})
	f(`{"ordered":true}`, engine.SubscriptionConfig{Ordered: true})
	f(`{"ordered":false}`, engine.SubscriptionConfig{})
	f(`{"retry":{}}`, engine.SubscriptionConfig{})
	f(`{"retry":{"max_attempts":0,"timeout":"1500ms"}}`, engine.SubscriptionConfig{
		Retry: engine.RetryPolicy{Timeout: 1500 * time.Millisecond},
	})
	f(`{"name":"x","created_at":{"deep":[1]},"pipeline":4}`, engine.SubscriptionConfig{Pipeline: 4})

	bad := func(in, want string) {
		t.Helper()
		if _, err := parseSettings([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
	bad(``, "the body is not JSON.")
	bad(`{`, "the body is not JSON.")
	bad(`{"kind":"sns"`, "the body is not JSON.")
	bad(`{"kind":"sns",}`, "the body is not JSON.")
	bad(`{"kind":sns}`, "the body is not JSON.")
	bad(`{} {}`, "the body is not JSON.")
	bad("{\"kind\":\"\xff\"}", "The body is not UTF-8.")
	bad("\ufeff{}", "the body is not JSON.")
	bad(`[]`, "the body must be a JSON object.")
	bad(`null`, "the body must be a JSON object.")
	bad(`{"Kind":"sns"}`, `unknown key "Kind".`)
	bad(`{"":1}`, `unknown key "".`)
	bad(`{"kind":"sns","kind":"sns"}`, `key "kind" is there twice.`)
	bad(`{"kind":"sns","\u006bind":"sns"}`, `key "kind" is there twice.`)
	bad(`{"kind":1}`, "kind must be a string.")
	bad(`{"kind":null}`, "kind must be a string.")
	bad(`{"pipeline":"1"}`, "pipeline must be a whole number from 1.")
	bad(`{"pipeline":0}`, "pipeline must be a whole number from 1.")
	bad(`{"pipeline":1.5}`, "pipeline must be a whole number from 1.")
	bad(`{"pipeline":null}`, "pipeline must be a whole number from 1.")
	bad(`{"max_in_flight":99999999999999999999}`, "max_in_flight must be a whole number from 1.")
	bad(`{"ordered":"true"}`, "ordered must be true or false.")
	bad(`{"retry":[]}`, "retry must be a JSON object.")
	bad(`{"retry":{"min_delay":1}}`, `retry.min_delay must be a duration such as "1m30s".`)
	bad(`{"retry":{"min_delay":"-1s"}}`, `retry.min_delay must be a duration such as "1m30s".`)
	bad(`{"retry":{"min_delay":"0s"}}`, `retry.min_delay must be a duration such as "1m30s".`)
	bad(`{"retry":{"max_attempts":-1}}`, "retry.max_attempts must be a whole number from 0.")
	bad(`{"retry":{"timeout":"1s","timeout":"1s"}}`, `key "retry.timeout" is there twice.`)
	bad(`{"retry":{"retry":{}}}`, `unknown key "retry.retry".`)
}

// FuzzNativeSubscription checks that settings which are accepted are JSON for encoding/json too, and that what a
// GET would tell of them is read as the same settings again.
func FuzzNativeSubscription(f *testing.F) {
	f.Add([]byte(`{"kind":"sns","endpoint":"https://h/","envelope":"raw","max_in_flight":8,"pipeline":16,"ordered":true,"filter_tag":"red","filter_policy":"{\"a\":[\"b\"]}",` +
		`"retry":{"min_delay":"10ms","max_delay":"60s","max_attempts":5,"max_age":"1h","timeout":"2s"}}`))
	f.Add([]byte(`{"name":"x","retry":{"max_attempts":0}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		config, err := parseSettings(body)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q is not JSON and was accepted", body)
		}
		config.Retry.MinDelay = max(config.Retry.MinDelay, 1) // a view always tells them
		config.Retry.MaxDelay = max(config.Retry.MaxDelay, 1)
		config.Retry.MaxAge = max(config.Retry.MaxAge, 1)
		config.MaxInFlight, config.Pipeline = max(config.MaxInFlight, 1), max(config.Pipeline, 1)
		text, err := json.Marshal(viewConfig(&config, "t"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseSettings(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(config, again); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", text, diff)
		}
	})
}
