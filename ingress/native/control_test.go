package native

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"
)

// client speaks to a face on a fresh engine.
type client struct {
	t    *testing.T
	face ingress.Face
}

func newClient(t *testing.T) *client {
	return &client{t, New(facetest.NewEngine(t, nil, facetest.Quiet()), Options{})}
}

// do sends a request and returns the status and the reply's JSON, with its times masked.
func (c *client) do(method, target, body string) (int, string) {
	c.t.Helper()
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", method, target, len(body), body)
	reply := facetest.Do(c.t, c.face, []byte(request))
	var response fasthttp.Response
	if err := response.Read(bufio.NewReader(bytes.NewReader(reply))); err != nil {
		c.t.Fatal(err)
	}
	if len(response.Body()) == 0 {
		return response.StatusCode(), ""
	}
	var v any
	if err := json.Unmarshal(response.Body(), &v); err != nil {
		c.t.Fatalf("%s %s: %v in %q", method, target, err, response.Body())
	}
	maskTimes(v)
	masked, err := json.Marshal(v)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode(), string(masked)
}

func maskTimes(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if strings.HasSuffix(key, "_at") {
				v[key] = "T"
			}
			maskTimes(value)
		}
	case []any:
		for _, value := range v {
			maskTimes(value)
		}
	}
}

// want sends a request and compares the status and the reply as JSON.
func (c *client) want(method, target, body string, status int, reply string) {
	c.t.Helper()
	gotStatus, got := c.do(method, target, body)
	if gotStatus != status {
		c.t.Errorf("%s %s: status %d, want %d", method, target, gotStatus, status)
	}
	var a, b any
	if reply != "" {
		if err := json.Unmarshal([]byte(reply), &a); err != nil {
			c.t.Fatal(err)
		}
	}
	if got != "" {
		if err := json.Unmarshal([]byte(got), &b); err != nil {
			c.t.Fatal(err)
		}
	}
	if diff := cmp.Diff(a, b); diff != "" {
		c.t.Errorf("%s %s (-want +got):\n%s", method, target, diff)
	}
}

func TestTopics(t *testing.T) {
	c := newClient(t)
	orders := `{"name":"orders","subscriptions":0,"last_sequence":0,"created_at":"T","updated_at":"T"}`
	c.want("PUT", "/v1/topics/orders", "", 201, orders)
	c.want("PUT", "/v1/topics/orders", "{}", 200, orders)
	c.want("GET", "/v1/topics/orders", "", 200, orders)
	c.do("POST", "/v1/topics/orders/messages", "x")
	c.want("GET", "/v1/topics/orders", "", 200, `{"name":"orders","subscriptions":0,"last_sequence":1,"created_at":"T","updated_at":"T"}`)
	c.want("DELETE", "/v1/topics/orders", "", 204, "")
	c.want("GET", "/v1/topics/orders", "", 404, `{"error":"topic_not_found","message":"The topic does not exist."}`)
	c.want("PUT", "/v1/topics/orders", "[]", 400, `{"error":"invalid_body","message":"the body must be a JSON object."}`)
	c.want("PUT", "/v1/topics/orders", "null", 400, `{"error":"invalid_body","message":"the body must be a JSON object."}`)
}

func TestTopicRetention(t *testing.T) {
	c := newClient(t)
	view := func(retention string) string {
		return `{"name":"orders",` + retention + `"subscriptions":0,"last_sequence":0,"created_at":"T","updated_at":"T"}`
	}
	both := view(`"retention":{"age":"24h0m0s","bytes":1073741824},`)
	c.want("PUT", "/v1/topics/orders", `{"retention":{"age":"24h","bytes":"1GiB"}}`, 201, both)
	c.want("PUT", "/v1/topics/orders", "", 200, both)
	c.want("PUT", "/v1/topics/orders", "{}", 200, both)
	c.want("GET", "/v1/topics/orders", "", 200, both)
	_, read := c.do("GET", "/v1/topics/orders", "")
	c.want("PUT", "/v1/topics/orders", read, 200, both)
	c.want("PUT", "/v1/topics/orders", `{"retention":{"bytes":1024}}`, 200, view(`"retention":{"bytes":1024},`))
	c.want("PUT", "/v1/topics/orders", `{"retention":{"age":"90m","bytes":0}}`, 200, view(`"retention":{"age":"1h30m0s"},`))
	c.want("PUT", "/v1/topics/orders", `{"retention":{}}`, 200, view(""))

	bad := func(body, code, text string) {
		t.Helper()
		message, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		c.want("PUT", "/v1/topics/orders", body, 400, fmt.Sprintf(`{"error":%q,"message":%s}`, code, message))
	}
	bad(`{"retention":"1h"}`, "invalid_body", "retention must be a JSON object.")
	bad(`{"retention":null}`, "invalid_body", "retention must be a JSON object.")
	bad(`{"retention":{"days":1}}`, "invalid_body", `unknown key "retention.days".`)
	bad(`{"retention":{"age":1}}`, "invalid_body", `retention.age must be a duration such as "1m30s".`)
	bad(`{"retention":{"bytes":"1GB"}}`, "invalid_body", `retention.bytes must be a number of bytes, or a size such as "64MiB".`)
	bad(`{"retention":{"bytes":-1}}`, "invalid_body", `retention.bytes must be a number of bytes, or a size such as "64MiB".`)
	bad(`{"retention":{"bytes":"9223372036854775807TiB"}}`, "invalid_body", `retention.bytes must be a number of bytes, or a size such as "64MiB".`)
	bad(`{"retention":{"age":"9000h"}}`, "invalid", "retention.age: must be between 0 and 8784h0m0s.")
}

func TestTopicsPaging(t *testing.T) {
	c := newClient(t)
	for _, name := range []string{"b1", "a1", "b3", "b2", "c1"} {
		c.do("PUT", "/v1/topics/"+name, "")
	}
	f := func(query, want string) {
		t.Helper()
		_, body := c.do("GET", "/v1/topics"+query, "")
		var list struct {
			Topics []struct{ Name string }
			Next   string
		}
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, topic := range list.Topics {
			got += topic.Name + " "
		}
		if got += list.Next; got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	f("", "a1 b1 b2 b3 c1 ")
	f("?limit=2", "a1 b1 b1")
	f("?limit=2&after=b1", "b2 b3 b3")
	f("?limit=2&after=b3", "c1 ")
	f("?limit=5", "a1 b1 b2 b3 c1 ")
	f("?prefix=b", "b1 b2 b3 ")
	f("?prefix=b&limit=2", "b1 b2 b2")
	f("?prefix=b&after=b2", "b3 ")
	f("?after=b", "b1 b2 b3 c1 ")
	f("?after=z", "")
	f("?prefix=%62", "b1 b2 b3 ")
}

func TestSubscriptions(t *testing.T) {
	c := newClient(t)
	c.do("PUT", "/v1/topics/orders", "")
	const at = "/v1/topics/orders/subscriptions/billing"
	const state = `"state":{"state":"live","floor":0,"next":0,"high":0,"lag_messages":0,"lag_seconds":0,"in_flight":0,"connections":0,"failures":0},`
	billing := `{"name":"billing","topic":"orders","kind":"webhook","endpoint":"http://127.0.0.1:9000/hook","envelope":"",
		"max_in_flight":64,"pipeline":1,"retry":{"backoff":"doubling","jitter":"full","min_delay":"1s","max_delay":"10m0s","max_attempts":0,"max_age":"72h0m0s"},
		"created_at":"T","updated_at":"T"}`
	withState := func(view string) string { return "{" + state + view[1:] }
	c.want("PUT", at, `{"endpoint":"http://127.0.0.1:9000/hook"}`, 201, billing)
	c.want("GET", at, "", 200, withState(billing))

	// What was read can be sent back.
	status, read := c.do("GET", at, "")
	if status != 200 {
		t.Fatal(status)
	}
	c.want("PUT", at, read, 200, billing)

	// A PUT replaces: what it leaves out has its default again.
	full := `{"name":"billing","topic":"orders","kind":"sns","endpoint":"https://127.0.0.1/","envelope":"raw",
		"max_in_flight":8,"pipeline":16,"max_per_second":50,"ordered":true,"filter_tag":"red","filter_policy":"{\"a\":{\"b\":[1]}}","filter_policy_scope":"MessageBody",
		"retry":{"backoff":"list","jitter":"half","min_delay":"10ms","max_delay":"1m0s","delays":["1s","0s"],"immediate":1,"at_min_delay":1,
			"at_max_delay":1,"max_attempts":5,"max_age":"1h0m0s","timeout":"2s","ignore_retry_after":true},
		"answers":{"accept":["404"],"retry":["4xx"],"final":["410"]},"dead_letters":{"topic":"dead"},
		"created_at":"T","updated_at":"T"}`
	c.want("PUT", at, `{"kind":"sns","endpoint":"https://127.0.0.1/","envelope":"raw","max_in_flight":8,"pipeline":16,"max_per_second":50,"ordered":true,
		"filter_tag":"red","filter_policy":"{\"a\":{\"b\":[1]}}","filter_policy_scope":"MessageBody","retry":{"backoff":"list","jitter":"half","min_delay":"10ms","max_delay":"60s","delays":["1000ms","0s"],
			"immediate":1,"at_min_delay":1,"at_max_delay":1,"max_attempts":5,"max_age":"1h","timeout":"2s","ignore_retry_after":true},
		"answers":{"accept":["404"],"retry":["4xx"],"final":["410"]},"dead_letters":{"topic":"dead"}}`, 200, full)
	c.want("GET", at, "", 200, withState(full))
	_, read = c.do("GET", at, "")
	c.want("PUT", at, read, 200, full)
	c.want("PUT", at, `{"endpoint":"http://127.0.0.1:9000/hook"}`, 200, billing)
	c.want("PUT", at, `{"endpoint":"http://127.0.0.1:9000/hook","filter_policy":"{\"a\":1}"}`, 400,
		`{"error":"invalid","message":"filter_policy: FilterPolicy: \"a\" must be an object or an array."}`)

	c.want("DELETE", at, "", 204, "")
	c.want("DELETE", at, "", 404, `{"error":"subscription_not_found","message":"The subscription does not exist."}`)
	c.want("GET", "/v1/topics/orders/subscriptions", "", 200, `{"subscriptions":[]}`)
}

func TestSubscriptionsPaging(t *testing.T) {
	c := newClient(t)
	c.do("PUT", "/v1/topics/orders", "")
	for _, name := range []string{"b", "c", "a"} {
		c.do("PUT", "/v1/topics/orders/subscriptions/"+name, `{"endpoint":"http://127.0.0.1:9000/"}`)
	}
	f := func(query, want string) {
		t.Helper()
		_, body := c.do("GET", "/v1/topics/orders/subscriptions"+query, "")
		var list struct {
			Subscriptions []struct{ Name string }
			Next          string
		}
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, s := range list.Subscriptions {
			got += s.Name + " "
		}
		if got += list.Next; got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	f("", "a b c ")
	f("?limit=2", "a b b")
	f("?limit=2&after=b", "c ")
	f("?limit=3", "a b c ")
	c.want("GET", "/v1/topics/orders/subscriptions?prefix=a", "", 400, `{"error":"invalid_query","message":"unknown parameter \"prefix\"."}`)
	c.want("GET", "/v1/topics/nobody/subscriptions", "", 404, `{"error":"topic_not_found","message":"The topic does not exist."}`)
}

// TestPutKeepsPending checks that new settings do not confirm a subscription behind its endpoint's back.
func TestPutKeepsPending(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	c := &client{t, New(e, Options{})}
	topic, _, err := e.CreateTopic("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := e.PutSubscription(topic, engine.SubscriptionConfig{
		Name: "a", Kind: "sns", Endpoint: "http://127.0.0.1:9000/", Pending: true, Token: "abc", TokenUntil: 1 << 50,
		Labels: map[string]string{"sns.topic_arn": "arn"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.do("PUT", "/v1/topics/orders/subscriptions/a", `{"kind":"sns","endpoint":"http://127.0.0.1:9000/","pipeline":2}`)
	if got := s.Config(); !got.Pending || got.Token != "abc" || got.Pipeline != 2 || got.Labels["sns.topic_arn"] != "arn" {
		t.Errorf("got %+v", got)
	}
	c.do("PUT", "/v1/topics/orders/subscriptions/a", `{"kind":"webhook","endpoint":"http://127.0.0.1:9000/"}`)
	if got := s.Config(); got.Pending || got.Token != "" {
		t.Errorf("of another kind: got %+v", got)
	}
}

func TestTooLarge(t *testing.T) {
	c := newClient(t)
	c.do("PUT", "/v1/topics/orders", "")
	status, _ := c.do("POST", "/v1/topics/orders/messages", strings.Repeat("x", MessageBytesMax))
	if status != 201 {
		t.Errorf("a body of the limit: status %d", status)
	}
	c.want("POST", "/v1/topics/orders/messages", strings.Repeat("x", MessageBytesMax+1), 413,
		`{"error":"too_large","message":"The body is too large."}`)
	c.want("PUT", "/v1/topics/orders", strings.Repeat(" ", settingsBytesMax+1), 413,
		`{"error":"too_large","message":"The body is too large."}`)
}

func TestParsePath(t *testing.T) {
	f := func(in string, place place, topic, subscription string) {
		t.Helper()
		p := parsePath([]byte(in))
		if p.place != place || place != placeNone && (string(p.topic) != topic || string(p.subscription) != subscription) {
			t.Errorf("%s: got %d %q %q", in, p.place, p.topic, p.subscription)
		}
	}
	f("/v1/topics", placeTopics, "", "")
	f("/v1/topics/a", placeTopic, "a", "")
	f("/v1/topics/a/messages", placeMessages, "a", "")
	f("/v1/topics/a/subscriptions", placeSubscriptions, "a", "")
	f("/v1/topics/a/subscriptions/b", placeSubscription, "a", "b")
	f("/v1/topics/a/subscriptions/b/replay", placeReplay, "a", "b")
	f("/v1/topics/a/subscriptions/replay", placeSubscription, "a", "replay")
	f("/v1/topics/a/subscriptions/b/deadletters", placeDeadLetters, "a", "b")
	f("/v1/topics/a/subscriptions/b/deadletters/replay", placeDeadLettersReplay, "a", "b")
	f("/v1/topics/a/subscriptions/b/deadletters/17", placeDeadLetter, "a", "b")
	f("/v1/topics/messages/messages", placeMessages, "messages", "")
	for _, none := range []string{
		"", "/", "/v1", "/v1/", "/v1/topic", "/v1/topicsa", "/v1/topics/", "/v1/topics//", "/v1/topics//messages",
		"/v1/topics/a/", "/v1/topics/a/b", "/v1/topics/a/messages/", "/v1/topics/a/messages/b",
		"/v1/topics/a/subscriptions/", "/v1/topics/a/subscriptions/b/", "/v1/topics/a/subscriptions/b/c",
		"/v1/topics/a/subscriptions//replay", "/v1/topics/a/subscriptions/b/replay/", "/v1/topics/a/subscriptions/b/replay/1",
		"/v1/topics/a/subscriptions/b/deadletters/", "/v1/topics/a/subscriptions/b/deadletters/1/", "/v1/topics/a/subscriptions/b/deadletters/replay/1",
		"/v1/topics/a/subscriptions//deadletters",
	} {
		f(none, placeNone, "", "")
	}
}
