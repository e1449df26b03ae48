package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func loadText(t *testing.T, text string) (*config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fanfare.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := loadConfig(file, func(*config) {})
	if err != nil {
		return nil, &fault{text: strings.ReplaceAll(err.Error(), file, "FILE")}
	}
	return c, nil
}

// wantFaults wants a file to be refused for what stands in the lines, or to be taken without any.
func wantFaults(t *testing.T, text string, want ...string) {
	t.Helper()
	_, err := loadText(t, text)
	got := ""
	if err != nil {
		got = err.Error()
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), got); diff != "" {
		t.Errorf("%s\n(-want +got):\n%s", text, diff)
	}
}

// wantLoadsAgain wants what is printed as the effective configuration to be a file that leads to it.
func wantLoadsAgain(t *testing.T, c *config) {
	t.Helper()
	text, err := c.dump()
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadText(t, string(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(c, again, cmpopts.IgnoreUnexported(config{})); diff != "" {
		t.Errorf("loaded again (-want +got):\n%s", diff)
	}
}

const documented = `
listen: 127.0.0.1:8080
admin: 127.0.0.1:8081
data: ./fanfare-data
durability: sync
topics:
  - name: orders
    subscriptions:
      - name: billing
        kind: webhook          # webhook | sns | smq | smn
        endpoint: http://127.0.0.1:9000/hook
        envelope: raw          # webhook: raw | cloudevents; sns: json | raw; smq: xml | json | simplified; smn: json
        max_in_flight: 64
        pipeline: 1            # requests in flight per connection
`

func TestDocumentedFileLoads(t *testing.T) {
	c, err := loadText(t, documented)
	if err != nil {
		t.Fatal(err)
	}
	want := topicConfig{Name: "orders", Subscriptions: []subscriptionConfig{{
		Name: "billing", Kind: "webhook", Endpoint: "http://127.0.0.1:9000/hook", Envelope: "raw", MaxInFlight: 64, Pipeline: 1,
	}}}
	if diff := cmp.Diff(want, c.Topics[0]); diff != "" {
		t.Errorf("topic (-want +got):\n%s", diff)
	}
	if _, err := loadText(t, ""); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

// What is printed as the effective configuration is a file that leads to it.
func TestDumpLoadsAgain(t *testing.T) {
	c, err := loadText(t, documented+"        ordered: true\n        retry: {min_delay: 2s, max_age: 1h}\n        filter_policy: '{\"a\": {\"b\": [1]}}'\n        filter_policy_scope: MessageBody\n")
	if err != nil {
		t.Fatal(err)
	}
	if !c.Topics[0].Subscriptions[0].engine().Ordered {
		t.Error("the subscription is not ordered")
	}
	wantLoadsAgain(t, c)
}

func TestEveryFaultIsNamedWithItsLine(t *testing.T) {
	f := func(text string, want ...string) { t.Helper(); wantFaults(t, text, want...) }
	f("listen: 8080", `FILE:1: listen: is "8080", must be host:port`)
	f("listen: 0.0.0.0:80", `FILE:1: listen: "0.0.0.0:80" is reachable from other machines, and no credentials are asked for; listen on 127.0.0.1, or set insecure to true`)
	f("listen: 0.0.0.0:80\ninsecure: true")
	f("listen: 127.0.0.1:8081", `FILE: admin: must differ from listen`)
	f("durability: yes\nlog_level: loud\ngrace: fast",
		`FILE:1: durability: is "yes", must be one of sync, async, memory`,
		`FILE:2: log_level: is "loud", must be trace, debug, info, warn or error`,
		`FILE:3: grace: must be a duration such as "30s"`)
	f("durabilty: sync\ninsecure: perhaps",
		`FILE:1: durabilty: is not a known key; known here: admin, credentials, data, durability, faces, grace, insecure, limits, listen, log_level, memory, profiling, public_url, queues, retry_scale, smn, smq, sns, sqs, topics`,
		`FILE:2: insecure: must be true or false`)
	f("profiling: {mutex_fraction: -1, block_rate_ns: 1000000001}",
		`FILE:1: profiling.mutex_fraction: must be between 0 and 1000000000`,
		`FILE:1: profiling.block_rate_ns: must be between 0 and 1000000000`)
	f("data: a\ndata: b", `FILE:2: data: is given twice`)
	f("data:", `FILE:1: data: has no value`)
	f("topics: orders", `FILE:1: topics: must be a list`)
	f("- a", `FILE:1: must be a mapping of keys to values`)
	f("sqs: {account: x, region: EU}", `FILE:1: sqs: sqs: Region "EU" must be 1 to 32 lower-case letters, digits and '-'
sqs: Account "x" must be 12 digits`)
	f("smq: {missing_namespace: maybe}", `FILE:1: smq.missing_namespace: is "maybe", must be one of sdk, error, accept`)
	f("sns:\n  gateways:\n    sms: ftp://h/\n    email: {server: h, username: u}",
		`FILE:2: sns: sns: Gateways.SMS "ftp://h/" must be the http or https URL of a gateway`,
		`FILE:4: sns.gateways.email: username and password_file belong together`,
		"FILE:4: sns.gateways.email: mail: Server must be host:port\nmail: From must be a mail address")
	f("sns: {gateways: {sms: \"http://127.0.0.1:9/sms\", application: \"https://h/push?k=1\", email: {server: \"h:25\", from: a@example.com, require_tls: true}}}")
	f(strings.NewReplacer("http://127", "ftp://127", "64", "many", "pipeline: 1", "pipeline: 0", "webhook  ", "webhok  ").Replace(documented),
		`FILE:10: topics[0].subscriptions[0].kind: "webhok" is not a kind of subscriber: webhook, sns, sqs, smq, smn or gateway`,
		`FILE:11: topics[0].subscriptions[0].endpoint: must begin with http:// or https://`,
		`FILE:13: topics[0].subscriptions[0].max_in_flight: must be a whole number`,
		`FILE:14: topics[0].subscriptions[0].pipeline: must be at least 1`)
	f(strings.Replace(documented, "raw  ", "soap  ", 1), `FILE:12: topics[0].subscriptions[0].envelope: must be raw or cloudevents for the kind webhook`)
	f(documented+"        filter_policy: '{\"a\":1}'", `FILE:15: topics[0].subscriptions[0].filter_policy: FilterPolicy: "a" must be an object or an array`)
	f(documented+"        filter_policy_scope: Body", `FILE:15: topics[0].subscriptions[0].filter_policy_scope: must be MessageAttributes or MessageBody`)
	f("topics:\n  - name: a\n  - name: a\n  - name: \"b c\"",
		`FILE:3: topics[1].name: "a" is declared twice`,
		`FILE:4: topics[2].name: must be 1 to 256 letters, digits, '-', '_', '.', '%' or '|'`)
	f("topics:\n  - subscriptions: []", `FILE: topics[0].name: must be 1 to 256 letters, digits, '-', '_', '.', '%' or '|'`)
}

func FuzzConfig(f *testing.F) {
	f.Add(documented)
	f.Add("topics: [{name: a, subscriptions: [{}]}]")
	f.Add("a: &x [*x]")
	f.Fuzz(func(_ *testing.T, text string) {
		c := defaultConfig()
		d := &decoder{file: "f"}
		d.decode([]byte(text), c)
		c.validate(func(key, format string, _ ...any) { _, _ = key, format })
		_ = d.err()
	})
}
