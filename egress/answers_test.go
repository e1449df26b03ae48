package egress_test

import (
	"fmt"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/smn"
	"fanfare/egress/smq"
	"fanfare/egress/sns"
	"fanfare/egress/webhook"
	"fanfare/engine"
)

// stretch is a range of statuses that mean the same.
type stretch struct {
	first, last int
	means       egress.Outcome
}

// TestWhatEveryStatusMeans has the tables of the sources, from 200 to 599, for each kind as it is and with the rules
// that follow another reading of them.
func TestWhatEveryStatusMeans(t *testing.T) {
	f := func(name string, kind egress.Kind, stretches ...stretch) {
		t.Helper()
		next := 200
		for _, s := range stretches {
			if s.first != next {
				t.Fatalf("%s: the table has a gap or an overlap at %d", name, s.first)
			}
			for next = s.first; next <= s.last; next++ {
				if got := kind.Judge(next); got != s.means {
					t.Errorf("%s: %d is %v, want %v", name, next, got, s.means)
				}
			}
		}
		if next != 600 {
			t.Fatalf("%s: the table ends at %d", name, next)
		}
		for _, status := range []int{-1, 0, 100, 199, 600, 999, 1 << 30} {
			if got := kind.Judge(status); got != egress.Retry {
				t.Errorf("%s: %d is %v", name, status, got)
			}
		}
	}
	const ok, again, final = egress.Delivered, egress.Retry, egress.Dead
	f("sns", sns.New(sns.Options{}),
		stretch{200, 299, ok}, stretch{300, 428, final}, stretch{429, 429, again}, stretch{430, 499, final}, stretch{500, 599, again})
	f("sns, the older page", sns.New(sns.Options{Answers: engine.AnswerRules{Accept: []string{"3xx", "4xx"}}}),
		stretch{200, 499, ok}, stretch{500, 599, again})
	f("sns, patient", sns.New(sns.Options{Answers: engine.AnswerRules{Retry: []string{"3xx", "4xx"}, Final: []string{"410"}}}),
		stretch{200, 299, ok}, stretch{300, 409, again}, stretch{410, 410, final}, stretch{411, 599, again})
	f("smn", smn.New(smn.Options{}),
		stretch{200, 299, ok}, stretch{300, 399, again}, stretch{400, 407, final}, stretch{408, 408, again},
		stretch{409, 428, final}, stretch{429, 429, again}, stretch{430, 499, final}, stretch{500, 599, again})
	f("smn, to the letter", smn.New(smn.Options{Answers: engine.AnswerRules{Final: []string{"3xx", "4xx"}}}),
		stretch{200, 299, ok}, stretch{300, 407, final}, stretch{408, 408, final}, stretch{409, 499, final}, stretch{500, 599, again})
	f("smq", smq.New(smq.Options{}), stretch{200, 299, ok}, stretch{300, 599, again})
	f("smq, impatient", smq.New(smq.Options{Answers: engine.AnswerRules{Final: []string{"404"}}}),
		stretch{200, 299, ok}, stretch{300, 403, again}, stretch{404, 404, final}, stretch{405, 599, again})
	f("webhook", webhook.New(webhook.Options{}),
		stretch{200, 299, ok}, stretch{300, 409, again}, stretch{410, 410, final}, stretch{411, 599, again})
}

func TestAnswerRulesOfOptions(t *testing.T) {
	bad := engine.AnswerRules{Final: []string{"6xx"}}
	for name, err := range map[string]error{
		"sns": (&sns.Options{Answers: bad}).Validate(), "smn": (&smn.Options{Answers: bad}).Validate(), "smq": (&smq.Options{Answers: bad}).Validate(),
	} {
		if want := name + `: Answers: "6xx" is neither a status from 200 to 599 nor a class such as 4xx`; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestAnswerRulesOfSubscriptions stand above those of the kind, and follow a change of the settings.
func TestAnswerRulesOfSubscriptions(t *testing.T) {
	inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
		status := 0
		config := engine.SubscriptionConfig{
			Name: "s", Kind: "sns", Endpoint: b.host("h", func(string, int) answer { return answer{status, "", ""} }),
			Answers: engine.AnswerRules{Accept: []string{"409"}, Retry: []string{"4xx"}, Final: []string{"503"}},
		}
		s := b.put(config)
		next := 0
		f := func(code, attempts int, reason string) {
			t.Helper()
			status = code
			next++
			message := b.send(next)
			b.pass(time.Hour)
			d := b.letters(s)[message]
			if got := len(b.attempts("h", message)); got != attempts || d.Reason != reason || reason != "" && (d.Status != code || d.Failure != fmt.Sprint("HTTP ", code)) {
				t.Errorf("%d: %d attempts, dead letter %+v", code, got, d)
			}
		}
		f(200, 1, "")
		f(409, 1, "")
		f(404, 4, engine.ReasonAttempts)
		f(429, 4, engine.ReasonAttempts)
		f(503, 1, engine.ReasonRefused)
		f(301, 1, engine.ReasonRefused) // the kind's own
		f(500, 4, engine.ReasonAttempts)
		config.Answers = engine.AnswerRules{}
		b.put(config)
		f(409, 1, engine.ReasonRefused)
		f(503, 4, engine.ReasonAttempts)
	})
}
