package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAnswerWalk lets a status count more than a class, wherever the two stand.
func TestAnswerWalk(t *testing.T) {
	rules := AnswerRules{Accept: []string{"404", "3xx"}, Retry: []string{"4XX", "301"}, Final: []string{"5xx", "429"}}
	got := map[int]string{}
	rules.Walk(func(list string, status int) { got[status] = list })
	want := map[int]string{}
	for i := range 100 {
		want[300+i], want[400+i], want[500+i] = "accept", "retry", "final"
	}
	want[301], want[404], want[429] = "retry", "accept", "final"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if rules.IsZero() || !new(AnswerRules).IsZero() {
		t.Error("IsZero")
	}
}

func TestAnswerCheck(t *testing.T) {
	f := func(want string, rules AnswerRules) {
		t.Helper()
		if got := rules.Check(); got != want {
			t.Errorf("%+v: %q, want %q", rules, got, want)
		}
	}
	f("", AnswerRules{})
	f("", AnswerRules{Accept: []string{"200", "599"}, Retry: []string{"2xx", "5XX"}})
	for _, p := range []string{"", "2", "20", "2000", "199", "600", "1xx", "6xx", "xxx", "4x1", "40x", "+40", "4 1", "-1x", "٤٠٤"} {
		f(fmt.Sprintf("%q is neither a status from 200 to 599 nor a class such as 4xx", p), AnswerRules{Final: []string{p}})
	}
	f(`"404" is there twice`, AnswerRules{Accept: []string{"404", "404"}})
	f(`"404" is there twice`, AnswerRules{Accept: []string{"404"}, Final: []string{"404"}})
	f(`"4XX" is there twice`, AnswerRules{Accept: []string{"4xx"}, Final: []string{"4XX"}})
	many := AnswerRules{}
	for i := range answerPatternsMax + 1 {
		many.Retry = append(many.Retry, fmt.Sprint(400+i))
	}
	f("retry has more than 32 patterns", many)
	// Whatever else is wrong, the lists are looked at in one order.
	many.Accept = []string{"x"}
	for range 20 {
		if got := many.Check(); !strings.HasPrefix(got, `"x"`) {
			t.Fatalf("got %q", got)
		}
	}
	config := SubscriptionConfig{Name: "s", Endpoint: "http://h", Answers: AnswerRules{Final: []string{"x"}}}
	config.SetDefaults()
	if faults := config.Validate(); len(faults) != 1 || faults[0].Field != "answers" {
		t.Errorf("got %v", faults)
	}
}
