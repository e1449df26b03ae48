package main

import (
	"strings"
	"testing"

	"fanfare/egress"

	"github.com/rs/zerolog"
)

const policies = `
sns:
  queues: http://127.0.0.1:9324
  answers:
    accept: ["3xx", "4xx"]
smq:
  answers:
    final: ["410"]
smn:
  answers:
    final: ["3xx"]
    retry: ["404"]
topics:
  - name: orders
    subscriptions:
      - name: billing
        endpoint: http://127.0.0.1:9000/hook
        dead_letters:
          queue: http://127.0.0.1:9324/000000000000/dead
`

// TestPoliciesOfTheFile reach the kinds and the face.
func TestPoliciesOfTheFile(t *testing.T) {
	c, err := loadText(t, policies)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.snsOptions(zerolog.Nop()).Queues; got != "http://127.0.0.1:9324" {
		t.Errorf("queues: %q", got)
	}
	if c.egressOptions(nil, zerolog.Nop()).Queue == nil {
		t.Error("there is no kind for queues")
	}
	want := map[string]map[int]egress.Outcome{
		"sns":     {200: egress.Delivered, 301: egress.Delivered, 404: egress.Delivered, 500: egress.Retry},
		"smq":     {200: egress.Delivered, 404: egress.Retry, 410: egress.Dead},
		"smn":     {301: egress.Dead, 404: egress.Retry, 403: egress.Dead},
		"webhook": {301: egress.Retry, 410: egress.Dead},
	}
	for _, k := range kinds(nil, c) {
		for status, outcome := range want[k.Name()] {
			if got := k.Judge(status); got != outcome {
				t.Errorf("%s: %d is %v, want %v", k.Name(), status, got, outcome)
			}
		}
	}
	text, err := c.dump()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loadText(t, string(text)); err != nil {
		t.Errorf("the printed form does not load: %v", err)
	}
}

func TestPoliciesOfTheFileAreChecked(t *testing.T) {
	f := func(text, fault string) {
		t.Helper()
		if _, err := loadText(t, text); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want %s", text, err, fault)
		}
	}
	for _, cloud := range []string{"sns", "smq", "smn"} {
		f(cloud+":\n  answers:\n    final: [\"6xx\"]\n", cloud+`.answers: "6xx" is neither a status`)
	}
	f("sns:\n  queues: 127.0.0.1:9324\n", `sns: Queues "127.0.0.1:9324" must be http://HOST`)
	f(strings.Replace(policies, "000000000000/dead", "dead", 1), "topics[0].subscriptions[0].dead_letters.queue: must end in /ACCOUNT/NAME")
}
