package sqs

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

func TestKind(t *testing.T) {
	k := New(Options{})
	var _ egress.QueueKind = k
	var _ egress.AnswerReader = k
	if k.Name() != "sqs" || k.Timeout() != 10*time.Second {
		t.Errorf("%s, %v", k.Name(), k.Timeout())
	}
	if err := k.Check(&engine.SubscriptionConfig{}); err == nil {
		t.Error("a subscription of the kind is accepted")
	}
}

// TestDefaultRetry is the fixed policy of the service. It has to be whole: nobody fills in what it leaves out.
func TestDefaultRetry(t *testing.T) {
	p := New(Options{}).DefaultRetry()
	var total time.Duration
	n := 1
	for ; !p.Exhausted(n); n++ {
		total += p.Wait(n)
	}
	if n-1 != 100_015 || total < 23*24*time.Hour || total > p.MaxAge {
		t.Errorf("%d retries over %v, the longest age is %v", n-1, total, p.MaxAge)
	}
	config := engine.SubscriptionConfig{Name: "s", Endpoint: "http://h", Retry: p}
	config.SetDefaults()
	for _, fault := range config.Validate() {
		t.Error(fault)
	}
	if got := config.Retry; got.Backoff != p.Backoff || got.Jitter != p.Jitter || got.MinDelay != p.MinDelay || got.MaxDelay != p.MaxDelay || got.MaxAge != p.MaxAge {
		t.Errorf("defaults were filled in: %+v", got)
	}
}

func TestQueueURL(t *testing.T) {
	f := func(queue, target, fault string) {
		t.Helper()
		k := New(Options{})
		if got := k.CheckQueue(queue); !strings.HasPrefix(got, fault) || (got == "") != (fault == "") {
			t.Errorf("%s: %q, want %q", queue, got, fault)
		}
		u, err := url.Parse(queue)
		if err != nil {
			return
		}
		if got := k.Target(u); got != target {
			t.Errorf("%s is posted to %s, want %s", queue, got, target)
		}
	}
	f("http://127.0.0.1:9324/000000000000/dead", "/", "")
	f("http://127.0.0.1:9324/000000000000/dead.fifo", "/", "")
	f("https://h/sqs/v1/000000000000/de-ad_1", "/sqs/v1", "")
	f("http://h/queue/eu-west-1/1/"+strings.Repeat("q", 80), "/queue/eu-west-1", "")
	f("http://h/queue/eu-west-1/1/"+strings.Repeat("q", 81), "/queue/eu-west-1", "must end in the name")
	f("http://h", "/", "must end in /ACCOUNT/NAME")
	f("http://h/", "/", "must end in /ACCOUNT/NAME")
	f("http://h/dead", "/", "must end in /ACCOUNT/NAME")
	f("http://h//dead", "/", "must end in /ACCOUNT/NAME")
	f("http://h//1/dead", "/", "")
	f("http://h/1/dead/", "/1", "must end in the name")
	f("http://h/1/.fifo", "/", "must end in the name")
	f("http://h/1/d%65ad", "/", "must end in the name")
	f("http://h/1/dead.letter", "/", "must end in the name")
	f("http://h/1/dead?x=1", "/", "must have neither")
	f("http://h/1/dead?", "/", "must have neither")
	f("http://h/1/dead#x", "/", "must have neither")
	f("http://h/1/dead\x00", "", "is not a URL")
}

func TestJudge(t *testing.T) {
	f := func(status int, body string, want egress.Outcome) {
		t.Helper()
		if got := New(Options{}).JudgeAnswer(status, []byte(body)); got != want {
			t.Errorf("%d %s: %v, want %v", status, body, got, want)
		}
	}
	for status := range 700 {
		want := egress.Dead
		switch {
		case status >= 200 && status <= 299:
			want = egress.Delivered
		case status < 200 || status == 408 || status == 429 || status >= 500:
			want = egress.Retry
		}
		f(status, "", want)
		if got := New(Options{}).Judge(status); got != want {
			t.Errorf("%d: %v, want %v", status, got, want)
		}
	}
	coded := func(code string) string { return `{"__type":"` + code + `","message":"Throttling"}` }
	f(400, coded("com.amazonaws.sqs#QueueDoesNotExist"), egress.Dead)
	f(400, coded("AWS.SimpleQueueService.NonExistentQueue"), egress.Dead)
	f(400, coded("com.amazonaws.sqs#InvalidMessageContents"), egress.Dead)
	f(403, coded("AccessDenied"), egress.Dead)
	f(400, coded("AccessDeniedException"), egress.Dead)
	f(400, coded("com.amazonaws.sqs#RequestThrottled"), egress.Retry)
	f(400, coded("com.amazonaws.sqs#KmsThrottled"), egress.Retry)
	f(400, coded("ThrottlingException"), egress.Retry)
	f(400, coded("InternalFailure"), egress.Retry)
	f(403, coded("ServiceUnavailable"), egress.Retry)
	f(400, `{ "__type" : "com.amazonaws.sqs#RequestThrottled`, egress.Retry) // cut off
	f(400, `{"__type":`, egress.Dead)
	f(400, "<ErrorResponse><Error><Code>RequestThrottled</Code></Error></ErrorResponse>", egress.Retry)
	f(400, "<ErrorResponse><Error><Code>AWS.SimpleQueueService.NonExistentQueue</Code></Error></ErrorResponse>", egress.Dead)
	f(200, coded("ThrottlingException"), egress.Delivered)
	f(500, coded("AccessDenied"), egress.Retry)
}
