package egress_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// never is a breaker that does not open: what is tested is the arithmetic of each policy alone.
const never = 1 << 30

func long() bool { return os.Getenv("FANFARE_LONG") == "1" }

// timingCase is a policy, and how often and for how long it makes attempts when nobody acknowledges.
type timingCase struct {
	name   string
	config engine.SubscriptionConfig
	total  int
}

func snsTiming(name string, backoff engine.Backoff, retries, noDelay, atMin, atMax int, low, high time.Duration) timingCase {
	return timingCase{name, engine.SubscriptionConfig{Kind: "sns", Retry: engine.RetryPolicy{
		Backoff: backoff, Jitter: engine.JitterNone, MinDelay: low, MaxDelay: high, MaxAttempts: retries + 1,
		Immediate: noDelay, AtMinDelay: atMin, AtMaxDelay: atMax, Deaf: true, MaxAge: engine.RetryAgeMax,
	}}, retries + 1}
}

func timingCases() []timingCase {
	sqsTail := 300
	if long() {
		sqsTail = 100_000
	}
	decay := engine.RetryPolicy{Jitter: engine.JitterNone, MinDelay: time.Second, MaxDelay: 512 * time.Second, MaxAttempts: 177, Deaf: true}
	spread := func(j engine.Jitter, n int) engine.SubscriptionConfig {
		return engine.SubscriptionConfig{Retry: engine.RetryPolicy{Jitter: j, MinDelay: time.Second, MaxDelay: time.Minute, MaxAttempts: n}}
	}
	return []timingCase{
		{"sns-default", engine.SubscriptionConfig{Kind: "sns"}, 4},
		{"smq-default", engine.SubscriptionConfig{Kind: "smq"}, 4},
		{"smn-default", engine.SubscriptionConfig{Kind: "smn"}, 7},
		{"smq-decay", engine.SubscriptionConfig{Kind: "smq", Retry: decay}, 177},
		snsTiming("sns-example", engine.BackoffExponential, 50, 3, 2, 35, time.Second, time.Minute),
		snsTiming("sns-linear", engine.BackoffLinear, 100, 0, 1, 2, 5*time.Second, 260*time.Second),
		snsTiming("sns-arithmetic", engine.BackoffArithmetic, 100, 1, 0, 2, 5*time.Second, 260*time.Second),
		snsTiming("sns-geometric", engine.BackoffGeometric, 100, 1, 2, 0, 5*time.Second, 260*time.Second),
		snsTiming("sns-exponential", engine.BackoffExponential, 100, 2, 2, 2, 5*time.Second, 260*time.Second),
		snsTiming("sqs-fixed", engine.BackoffExponential, 15+sqsTail, 3, 2, sqsTail, time.Second, 20*time.Second),
		{"webhook-full", spread(engine.JitterFull, 60), 60},
		{"webhook-half", spread(engine.JitterHalf, 60), 60},
		{"webhook-none", spread(engine.JitterNone, 60), 60},
	}
}

// granularity is what the durable timer counts in: a time is cut to it.
const granularity = time.Millisecond

// bounds are between what the wait behind a number of attempts has to be, with its jitter.
func bounds(p *engine.RetryPolicy, attempts int) (least, most time.Duration) {
	least, most = p.Range(attempts)
	switch p.Jitter {
	case engine.JitterFull:
		least = 0
	case engine.JitterHalf:
		least = most / 2
	case engine.JitterNone:
	}
	return least - granularity, most
}

// TestAttemptsHappenWhenThePolicySays drives lanes of every cloud's policies in a bubble of time, against endpoints
// that never acknowledge: each attempt comes at the time the arithmetic says, none is missing and none too many,
// and a dead letter tells what happened.
func TestAttemptsHappenWhenThePolicySays(t *testing.T) {
	const messages = 10
	inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
		cases := timingCases()
		subs := make([]*engine.Subscription, len(cases))
		for i, c := range cases {
			c.config.Name, c.config.Endpoint = c.name, b.host(c.name, always(answer{503, "Retry-After: 0\r\n", "busy"}))
			subs[i] = b.put(c.config)
		}
		published := map[string]time.Time{}
		for i := range messages {
			published[b.send(i)] = time.Now()
			b.pass(777 * time.Millisecond)
		}
		b.pass(26 * 24 * time.Hour)
		attempts := 0
		for i, c := range cases {
			policy := &subs[i].Config().Retry
			letters := b.letters(subs[i])
			if len(letters) != messages {
				t.Errorf("%s: %d dead letters", c.name, len(letters))
			}
			for message, at := range published {
				all := b.attempts(c.name, message)
				if err := checkTiming(policy, at, all, c.total); err != nil {
					t.Errorf("%s, %s: %v", c.name, message, err)
				}
				attempts += len(all)
				d := letters[message]
				if d.Reason != engine.ReasonAttempts || d.Attempts != c.total || d.Status != 503 || d.Failure != "HTTP 503" || string(d.Answer) != "busy" {
					t.Errorf("%s, %s: dead letter %+v", c.name, message, d)
				}
				if ended := time.UnixMilli(d.At); len(all) > 0 && !ended.Equal(all[len(all)-1].at.Truncate(granularity)) {
					t.Errorf("%s, %s: buried at %v, the last attempt was at %v", c.name, message, ended, all[len(all)-1].at)
				}
			}
		}
		if want := map[bool]int{false: 10_000, true: 1_000_000}[long()]; attempts < want {
			t.Errorf("%d attempts are too few for a statement", attempts)
		}
		t.Logf("%d attempts", attempts)
	})
}

func checkTiming(p *engine.RetryPolicy, published time.Time, all []attempt, total int) error {
	if len(all) != total {
		return fmt.Errorf("%d attempts, want %d", len(all), total)
	}
	if !all[0].at.Equal(published) {
		return fmt.Errorf("the first attempt came %v behind the publish", all[0].at.Sub(published))
	}
	for i := 1; i < len(all); i++ {
		gap := all[i].at.Sub(all[i-1].at)
		if least, most := bounds(p, i); gap < least || gap > most {
			return fmt.Errorf("attempt %d came %v behind the one before, want %v to %v", i+1, gap, least, most)
		}
		if all[i].body != all[0].body {
			return errors.New("an attempt has another body")
		}
	}
	return nil
}

// TestAttemptsOfSilentEndpoints counts the time an attempt takes: an SNS endpoint that does not answer for 15 s gets
// its attempts 35 s apart, and one that is not there 20 s.
func TestAttemptsOfSilentEndpoints(t *testing.T) {
	inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
		silent := b.put(engine.SubscriptionConfig{Name: "silent", Kind: "sns", Endpoint: b.host("silent", always(answer{}))})
		absent := b.put(engine.SubscriptionConfig{Name: "absent", Kind: "sns", Endpoint: "http://absent/hook"})
		message := b.send(1)
		begin := time.Now()
		b.pass(time.Hour)
		all := b.attempts("silent", message)
		if len(all) != 4 {
			t.Fatalf("%d attempts, want 4", len(all))
		}
		for i, a := range all {
			if got := a.at.Sub(begin); got != time.Duration(i)*35*time.Second {
				t.Errorf("attempt %d came at %v", i+1, got)
			}
		}
		f := func(s *engine.Subscription, failure string, after time.Duration) {
			t.Helper()
			d := b.letters(s)[message]
			if d.Reason != engine.ReasonAttempts || d.Attempts != 4 || d.Status != 0 || d.Failure != failure || len(d.Answer) != 0 {
				t.Errorf("dead letter %+v", d)
			}
			if got := time.UnixMilli(d.At).Sub(begin); got != after {
				t.Errorf("%s ended after %v, want %v", s.Name(), got, after)
			}
		}
		f(silent, "no answer in time", 3*35*time.Second+15*time.Second)
		f(absent, "no endpoint absent", time.Minute)
	})
}

// TestRetryAfter lets an endpoint ask for a longer wait, up to the policy's longest, and not for a shorter one; a
// deaf policy does not listen.
func TestRetryAfter(t *testing.T) {
	f := func(header string, deaf bool, want time.Duration) {
		t.Helper()
		inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
			b.put(engine.SubscriptionConfig{
				Name: "s", Endpoint: b.host("h", always(answer{503, header, ""})),
				Retry: engine.RetryPolicy{Jitter: engine.JitterNone, MinDelay: 10 * time.Second, MaxDelay: 5 * time.Minute, MaxAttempts: 2, Deaf: deaf},
			})
			message := b.send(1)
			b.pass(time.Hour)
			all := b.attempts("h", message)
			if len(all) != 2 || all[1].at.Sub(all[0].at) != want {
				t.Errorf("%q, deaf %v: %d attempts, want a wait of %v: %v", header, deaf, len(all), want, all)
			}
		})
	}
	f("", false, 10*time.Second)
	f("Retry-After: 9\r\n", false, 10*time.Second)
	f("Retry-After: 120\r\n", false, 2*time.Minute)
	f("retry-after: 120\r\n", true, 10*time.Second)
	f("Retry-After: -120\r\n", false, 10*time.Second)
	f("Retry-After: 86400\r\n", false, 5*time.Minute)
	f("Retry-After: 999999999999999999\r\n", false, 5*time.Minute)
	f("Retry-After: soon\r\n", false, 10*time.Second)
}

// TestAgeEndsADelivery goes on until the longest age is over, with no end to the attempts, and no attempt behind it.
func TestAgeEndsADelivery(t *testing.T) {
	inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
		for _, age := range []time.Duration{0, time.Hour} { // 0 is the default, three days
			s := b.put(engine.SubscriptionConfig{Name: fmt.Sprint("s", int(age.Hours())), Endpoint: b.host(age.String(), always(answer{500, "", ""})), Retry: engine.RetryPolicy{MaxAge: age}})
			message, begin := b.send(int(age.Hours())), time.Now()
			b.pass(80 * time.Hour)
			d, all := b.letters(s)[message], b.attempts(age.String(), message)
			longest := s.Config().Retry.MaxAge
			if d.Reason != engine.ReasonAge || d.Attempts != len(all) || d.Failure != "HTTP 500" || len(all) < 10 {
				t.Errorf("dead letter %+v behind %d attempts", d, len(all))
			}
			if last := all[len(all)-1].at.Sub(begin); last > longest || last < longest-10*time.Minute {
				t.Errorf("the last attempt came at an age of %v, the longest is %v", last, longest)
			}
			if end := time.UnixMilli(d.At).Sub(begin); end > longest || end < longest-10*time.Minute {
				t.Errorf("it ended at an age of %v, the longest is %v", end, longest)
			}
		}
	})
}
