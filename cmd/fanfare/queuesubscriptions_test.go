package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const intoQueues = `
topics:
  - name: orders
    subscriptions:
      - name: jobs
        kind: sqs
        endpoint: queue:jobs
        envelope: raw
        dead_letters: {queue: "queue:dead"}
`

// TestQueueEndpointsOfTheFile are checked as those of requests are.
func TestQueueEndpointsOfTheFile(t *testing.T) {
	f := func(old, replacement, fault string) {
		t.Helper()
		text := strings.Replace(intoQueues, old, replacement, 1)
		if old != "" && text == intoQueues {
			t.Fatalf("%q is not in the file", old)
		}
		switch _, err := loadText(t, text); {
		case fault == "" && err != nil:
			t.Errorf("%s: %v", replacement, err)
		case fault != "" && (err == nil || !strings.Contains(err.Error(), "topics[0].subscriptions[0]."+fault)):
			t.Errorf("%s: %v, want %s", replacement, err, fault)
		}
	}
	f("", "", "")
	f("queue:jobs", "http://127.0.0.1:9324/000000000000/jobs", "")
	f("queue:jobs", "http://127.0.0.1:9324/jobs", "endpoint: must end in /ACCOUNT/NAME")
	f("queue:jobs", `"queue:"`, "endpoint: ")
	f("kind: sqs", "kind: webhook", "endpoint: a queue takes nothing of the kind webhook")
	f("envelope: raw", "envelope: json", "envelope: must be sns or raw for the kind sqs")
	f(`queue:dead"`, `queue:a b"`, "dead_letters.queue: ")
}

// TestQueueSubscriptionsOfAProgram come from the file and from requests, are listed, and go on behind a kill. None of their
// queues exists: what goes there, and to the queue for dead letters, ends on the list.
func TestQueueSubscriptionsOfAProgram(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "fanfare.yaml")
	if err := os.WriteFile(file, []byte(intoQueues), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *program { return startProgram(t, "--data", filepath.Join(dir, "data"), "--config", file) }
	p := start()
	p.call(http.MethodPut, subscriptionPath, `{"kind":"sqs","endpoint":"queue:later"}`, http.StatusCreated)
	if shown := p.call(http.MethodGet, subscriptionPath, "", http.StatusOK); !strings.Contains(shown, `"endpoint":"queue:later"`) || !strings.Contains(shown, `"envelope":"sns"`) {
		t.Errorf("the subscription is shown as %s", shown)
	}
	p.call(http.MethodPut, subscriptionPath+"2", `{"endpoint":"queue:later"}`, http.StatusBadRequest)
	p.call(http.MethodPost, messagesPath, "one", http.StatusCreated)
	p.eventually("the queue does not exist", "deadletters", "list", "orders", "jobs")
	p.kill()
	p = start()
	p.call(http.MethodPost, messagesPath, "two", http.StatusCreated)
	p.eventually("\n2  ", "deadletters", "list", "orders", "s")
	for _, name := range []string{"jobs", "s"} {
		if table := p.eventually("the queue does not exist", "subscriptions", "orders"); !strings.Contains(table, name+" ") || !strings.Contains(table, "sqs") {
			t.Errorf("%s is not listed:\n%s", name, table)
		}
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// TestQueuesElsewhere get what a subscription by ARN is for, when sns.queues names their server.
func TestQueuesElsewhere(t *testing.T) {
	got := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.URL.Path + " " + r.Header.Get("X-Amz-Target")
		fmt.Fprint(w, `{"MessageId":"x"}`)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "fanfare.yaml")
	if err := os.WriteFile(file, []byte("sns:\n  queues: eu-west-1/111111111111="+server.URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, "--data", t.TempDir(), "--config", file)
	p.call(http.MethodPut, topicPath, "", http.StatusCreated)
	p.call(http.MethodGet, "/?Action=Subscribe&Version=2010-03-31&Protocol=sqs&TopicArn=arn:aws:sns:us-east-1:000000000000:orders&Endpoint=arn:aws:sqs:eu-west-1:111111111111:jobs", "", http.StatusOK)
	p.call(http.MethodPost, messagesPath, "one", http.StatusCreated)
	select {
	case call := <-got:
		if call != "/ AmazonSQS.SendMessage" {
			t.Errorf("asked for %s", call)
		}
	case <-time.After(time.Minute):
		t.Error("nothing was sent")
	}
}
