package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// waits are all the waits of a policy with a number of attempts, in seconds.
func waits(p RetryPolicy) []float64 {
	var all []float64
	for n := 1; !p.Exhausted(n); n++ {
		all = append(all, p.Wait(n).Seconds())
	}
	return all
}

// closeTo compares with a table of tenths of seconds.
var closeTo = cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 0.051 })

func snsPolicy(f Backoff, retries, noDelay, atMin, atMax int, low, high time.Duration) RetryPolicy {
	return RetryPolicy{
		Backoff: f, Jitter: JitterNone, MinDelay: low, MaxDelay: high, MaxAttempts: retries + 1,
		Immediate: noDelay, AtMinDelay: atMin, AtMaxDelay: atMax,
	}
}

// TestSteps has the table of section 11 of the SNS reference: ten retries from 5 s to 260 s.
func TestSteps(t *testing.T) {
	f := func(backoff Backoff, want ...float64) {
		t.Helper()
		got := waits(snsPolicy(backoff, 10, 0, 0, 0, 5*time.Second, 260*time.Second))
		if diff := cmp.Diff(want, got, closeTo); diff != "" {
			t.Errorf("%s (-want +got):\n%s", backoff, diff)
		}
		if got[0] != 5 || got[9] != 260 {
			t.Errorf("%s begins with %v and ends with %v", backoff, got[0], got[9])
		}
	}
	f(BackoffLinear, 5, 33.3, 61.7, 90, 118.3, 146.7, 175, 203.3, 231.7, 260)
	f(BackoffArithmetic, 5, 10.7, 22, 39, 61.7, 90, 124, 163.7, 209, 260)
	f(BackoffGeometric, 5, 7.8, 12, 18.7, 28.9, 44.9, 69.7, 108.1, 167.6, 260)
	f(BackoffExponential, 5, 5.5, 6.5, 8.5, 12.5, 20.5, 36.4, 68.4, 132.3, 260)
	for _, backoff := range []Backoff{BackoffLinear, BackoffArithmetic, BackoffGeometric, BackoffExponential} {
		if got := waits(snsPolicy(backoff, 1, 0, 0, 0, 5*time.Second, 260*time.Second)); !slices.Equal(got, []float64{5}) {
			t.Errorf("%s: one retry waits %v", backoff, got)
		}
		if got := waits(snsPolicy(backoff, 2, 0, 0, 0, 5*time.Second, 260*time.Second)); !slices.Equal(got, []float64{5, 260}) {
			t.Errorf("%s: two retries wait %v", backoff, got)
		}
		if got := waits(snsPolicy(backoff, 0, 0, 0, 0, 5*time.Second, 260*time.Second)); len(got) != 0 {
			t.Errorf("%s: no retries wait %v", backoff, got)
		}
	}
}

// TestDocumentedPhases has the policies of the sources that are given as phases.
func TestDocumentedPhases(t *testing.T) {
	type phase struct {
		n    int
		wait float64 // negative: between 1 s and the negated value, never falling
	}
	f := func(name string, p RetryPolicy, phases ...phase) {
		t.Helper()
		got := waits(p)
		i := 0
		for _, want := range phases {
			last := 0.0
			for range want.n {
				if i == len(got) {
					t.Fatalf("%s: only %d retries", name, i)
				}
				if w := got[i]; want.wait >= 0 && w != want.wait || want.wait < 0 && (w < 1 || w > -want.wait || w < last) {
					t.Errorf("%s: retry %d waits %v, want %v", name, i+1, w, want.wait)
				}
				last = got[i]
				i++
			}
		}
		if i != len(got) {
			t.Errorf("%s: %d retries, want %d", name, len(got), i)
		}
	}
	f("the example of the SNS guide", snsPolicy(BackoffExponential, 50, 3, 2, 35, time.Second, 60*time.Second),
		phase{3, 0}, phase{2, 1}, phase{1, 1}, phase{8, -60}, phase{1, 60}, phase{35, 60})
	f("SQS, Lambda and Firehose", snsPolicy(BackoffExponential, 100_015, 3, 2, 100_000, time.Second, 20*time.Second),
		phase{3, 0}, phase{2, 1}, phase{1, 1}, phase{8, -20}, phase{1, 20}, phase{100_000, 20})
	f("SMTP, SMS and mobile push", snsPolicy(BackoffExponential, 50, 0, 2, 38, 10*time.Second, 600*time.Second),
		phase{2, 10}, phase{1, 10}, phase{8, -600}, phase{1, 600}, phase{38, 600})
	f("HTTP", snsPolicy(BackoffLinear, 3, 0, 0, 0, 20*time.Second, 20*time.Second), phase{3, 20})
}

// TestDecay has the strategy EXPONENTIAL_DECAY_RETRY of SMQ.
func TestDecay(t *testing.T) {
	p := RetryPolicy{Backoff: BackoffDoubling, Jitter: JitterNone, MinDelay: time.Second, MaxDelay: 512 * time.Second, MaxAttempts: 177}
	got := waits(p)
	if len(got) != 176 {
		t.Fatalf("%d retries, want 176", len(got))
	}
	total := 0.0
	for i, w := range got {
		if want := math.Min(math.Exp2(float64(i)), 512); w != want {
			t.Errorf("gap %d is %v s, want %v", i+1, w, want)
		}
		total += w
	}
	if total != 86_015 {
		t.Errorf("in all %v s, want 86015", total)
	}
}

func TestListAndRandom(t *testing.T) {
	list := RetryPolicy{Backoff: BackoffList, Delays: []time.Duration{time.Second, 0, 3 * time.Second}, MaxAttempts: 6}
	if diff := cmp.Diff([]float64{1, 0, 3, 3, 3}, waits(list)); diff != "" {
		t.Errorf("a list (-want +got):\n%s", diff)
	}
	random := RetryPolicy{Backoff: BackoffRandom, MinDelay: time.Second, MaxDelay: 9 * time.Second, MaxAttempts: 6, Immediate: 1, AtMinDelay: 1, AtMaxDelay: 1}
	for i, want := range [][2]float64{{0, 0}, {1, 1}, {1, 9}, {1, 9}, {9, 9}} {
		least, most := random.Range(i + 1)
		if least.Seconds() != want[0] || most.Seconds() != want[1] {
			t.Errorf("random, attempt %d: between %v and %v, want %v", i+1, least, most, want)
		}
	}
}

// TestDoubling never comes over the longest wait, however many attempts there were, and whatever the two waits are.
func TestDoubling(t *testing.T) {
	p := RetryPolicy{}
	p.setDefaults()
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 10: 512 * time.Second, 11: 10 * time.Minute, 12: 10 * time.Minute, 1 << 30: 10 * time.Minute} {
		if got := p.Wait(n); got != want {
			t.Errorf("attempt %d: %v, want %v", n, got, want)
		}
		if p.Exhausted(n) {
			t.Errorf("attempt %d is the last of a policy without a limit", n)
		}
	}
	p.MinDelay, p.MaxDelay = 3*time.Second, 10*time.Second
	for n, want := range []float64{3, 6, 10, 10} {
		if got := p.Wait(n + 1); got.Seconds() != want {
			t.Errorf("attempt %d: %v, want %v s", n+1, got, want)
		}
	}
}

func randomPolicy(r *rand.Rand) RetryPolicy {
	backoffs := []Backoff{BackoffDoubling, BackoffLinear, BackoffArithmetic, BackoffGeometric, BackoffExponential, BackoffRandom, BackoffList}
	p := RetryPolicy{
		Backoff: backoffs[r.IntN(len(backoffs))], Immediate: r.IntN(4), AtMinDelay: r.IntN(4), AtMaxDelay: r.IntN(4),
		MinDelay: time.Millisecond + time.Duration(r.Int64N(int64(time.Minute))),
	}
	p.MaxDelay = p.MinDelay + time.Duration(r.Int64N(int64(RetryDelayMax-p.MinDelay)))
	p.MaxAttempts = 1 + p.Immediate + p.AtMinDelay + p.AtMaxDelay + r.IntN(200)
	if p.Backoff == BackoffList {
		for range 1 + r.IntN(5) {
			p.Delays = append(p.Delays, time.Duration(r.Int64N(int64(time.Hour))))
		}
	}
	p.setDefaults()
	return p
}

// TestEveryPolicy checks what holds for all: waits within bounds, phases in order, growing steps, exact totals.
func TestEveryPolicy(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		p := randomPolicy(r)
		p.validate(func(field, reason string, args ...any) {
			t.Fatalf("seed %d: %+v: %s %s", seed, p, field, fmt.Sprintf(reason, args...))
		})
		retries, last := p.MaxAttempts-1, time.Duration(0)
		for n := 1; n <= retries; n++ {
			if p.Exhausted(n) {
				t.Fatalf("seed %d: %+v ends at %d attempts", seed, p, n)
			}
			least, most := p.Range(n)
			low, high := p.MinDelay, p.MaxDelay
			switch {
			case n <= p.Immediate:
				low, high = 0, 0
			case n <= p.Immediate+p.AtMinDelay:
				high = low
			case n > retries-p.AtMaxDelay:
				low = high
			case p.Backoff == BackoffList:
				low, high = slices.Min(p.Delays), slices.Max(p.Delays)
			case p.Backoff != BackoffRandom && (least != most || most < last):
				t.Fatalf("seed %d: %+v: attempt %d waits %v to %v behind %v", seed, p, n, least, most, last)
			default:
				last = most
			}
			if least < low || most > high || least > most || p.Wait(n) != most {
				t.Fatalf("seed %d: %+v: attempt %d waits %v to %v, bounds %v and %v", seed, p, n, least, most, low, high)
			}
		}
		if !p.Exhausted(p.MaxAttempts) {
			t.Fatalf("seed %d: %+v goes on behind its last attempt", seed, p)
		}
	}
}

func TestRetryValidation(t *testing.T) {
	f := func(p RetryPolicy, want ...string) {
		t.Helper()
		p.setDefaults()
		var got []string
		p.validate(func(field, _ string, _ ...any) { got = append(got, strings.TrimPrefix(field, "retry.")) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", p, diff)
		}
	}
	f(RetryPolicy{})
	f(RetryPolicy{Backoff: BackoffList, Delays: make([]time.Duration, RetryDelaysMax)})
	f(RetryPolicy{MaxAttempts: RetryAttemptsMax, MinDelay: time.Millisecond, MaxDelay: RetryDelayMax, MaxAge: RetryAgeMax, Timeout: RetryTimeoutMax})
	f(RetryPolicy{MaxAttempts: 4, Immediate: 1, AtMinDelay: 1, AtMaxDelay: 1})
	f(RetryPolicy{Backoff: "fibonacci"}, "backoff")
	f(RetryPolicy{Jitter: "some"}, "jitter")
	f(RetryPolicy{MinDelay: time.Microsecond}, "min_delay")
	f(RetryPolicy{MinDelay: -1}, "min_delay")
	f(RetryPolicy{MinDelay: time.Minute, MaxDelay: time.Second}, "max_delay")
	f(RetryPolicy{MaxDelay: RetryDelayMax + 1}, "max_delay")
	f(RetryPolicy{MaxAge: -1}, "max_age")
	f(RetryPolicy{MaxAge: RetryAgeMax + 1}, "max_age")
	f(RetryPolicy{Timeout: -1}, "timeout")
	f(RetryPolicy{Timeout: RetryTimeoutMax + 1}, "timeout")
	f(RetryPolicy{MaxAttempts: -1}, "max_attempts")
	f(RetryPolicy{MaxAttempts: RetryAttemptsMax + 1}, "max_attempts")
	f(RetryPolicy{Immediate: -1}, "immediate")
	f(RetryPolicy{AtMinDelay: -1}, "at_min_delay")
	f(RetryPolicy{AtMaxDelay: -1, MaxAttempts: 2}, "at_max_delay")
	f(RetryPolicy{Backoff: BackoffList}, "delays")
	f(RetryPolicy{Delays: []time.Duration{1}}, "delays")
	f(RetryPolicy{Backoff: BackoffList, Delays: make([]time.Duration, RetryDelaysMax+1)}, "delays")
	f(RetryPolicy{Backoff: BackoffList, Delays: []time.Duration{-1}}, "delays")
	f(RetryPolicy{Backoff: BackoffList, Delays: []time.Duration{RetryDelayMax + 1}}, "delays")
	for _, backoff := range []Backoff{BackoffLinear, BackoffArithmetic, BackoffGeometric, BackoffExponential} {
		f(RetryPolicy{Backoff: backoff}, "max_attempts")
	}
	f(RetryPolicy{AtMaxDelay: 1}, "max_attempts")
	f(RetryPolicy{MaxAttempts: 3, Immediate: 1, AtMinDelay: 1, AtMaxDelay: 1}, "max_attempts")
	f(RetryPolicy{Backoff: "x", Jitter: "y", MinDelay: -1, MaxDelay: -2, MaxAge: -1, Timeout: -1, MaxAttempts: -1, Immediate: -1, AtMinDelay: -1, AtMaxDelay: -1, Delays: []time.Duration{-1}},
		"backoff", "jitter", "min_delay", "max_delay", "max_age", "timeout", "max_attempts", "immediate", "at_min_delay", "at_max_delay", "delays", "delays")
}

// TestComplete takes a kind's policy over where a subscription has none, and nothing of it where it has one.
func TestComplete(t *testing.T) {
	kind := RetryPolicy{Backoff: BackoffLinear, Jitter: JitterNone, MinDelay: 20 * time.Second, MaxDelay: 20 * time.Second, MaxAttempts: 4, Deaf: true}
	f := func(given, want RetryPolicy) {
		t.Helper()
		given.Complete(kind)
		if diff := cmp.Diff(want, given); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f(RetryPolicy{}, kind)
	aged := kind
	aged.MaxAge, aged.Timeout = time.Hour, time.Second
	f(RetryPolicy{MaxAge: time.Hour, Timeout: time.Second}, aged)
	for _, own := range []RetryPolicy{
		{Backoff: BackoffDoubling},
		{Jitter: JitterHalf},
		{MinDelay: 1},
		{MaxDelay: 1},
		{Delays: []time.Duration{1}},
		{Immediate: 1},
		{AtMinDelay: 1},
		{AtMaxDelay: 1},
		{MaxAttempts: 1},
	} {
		f(own, own)
	}
}
