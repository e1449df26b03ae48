package egress

import (
	"math"
	"testing"
	"time"

	"fanfare/engine"
)

// TestBackoff draws many waits of every jitter: all are within the bounds, and they reach both ends.
func TestBackoff(t *testing.T) {
	const draws = 20_000
	f := func(p engine.RetryPolicy, attempts int, retryAfter, low, high time.Duration) {
		t.Helper()
		least, most := time.Duration(math.MaxInt64), time.Duration(math.MinInt64)
		for range draws {
			w := backoff(&p, attempts, retryAfter)
			least, most = min(least, w), max(most, w)
		}
		if least < low || most > high {
			t.Errorf("%+v: attempt %d waits %v to %v, want %v to %v", p, attempts, least, most, low, high)
		}
		if slack := (high - low) / 100; least > low+slack || most < high-slack {
			t.Errorf("%+v: attempt %d never comes near %v and %v, only %v to %v", p, attempts, low, high, least, most)
		}
	}
	const s = time.Second
	full := engine.RetryPolicy{Jitter: engine.JitterFull, MinDelay: s, MaxDelay: time.Minute}
	f(full, 1, 0, time.Millisecond, s)
	f(full, 5, 0, time.Millisecond, 16*s)
	f(full, 1000, 0, time.Millisecond, time.Minute)
	half := engine.RetryPolicy{Jitter: engine.JitterHalf, MinDelay: s, MaxDelay: time.Minute}
	f(half, 1, 0, s/2, s)
	f(half, 1000, 0, time.Minute/2, time.Minute)
	none := engine.RetryPolicy{Jitter: engine.JitterNone, MinDelay: s, MaxDelay: time.Minute}
	f(none, 4, 0, 8*s, 8*s)
	random := engine.RetryPolicy{Backoff: engine.BackoffRandom, Jitter: engine.JitterNone, MinDelay: 10 * s, MaxDelay: 20 * s, MaxAttempts: 6, Immediate: 1, AtMinDelay: 1, AtMaxDelay: 1}
	f(random, 1, 0, 0, 0)
	f(random, 2, 0, 10*s, 10*s)
	f(random, 3, 0, 10*s, 20*s)
	f(random, 4, 0, 10*s, 20*s)
	f(random, 5, 0, 20*s, 20*s)
	// An immediate try has nothing to spread.
	f(engine.RetryPolicy{Jitter: engine.JitterFull, Immediate: 1, MinDelay: s, MaxDelay: s}, 1, 0, 0, 0)
	f(engine.RetryPolicy{Jitter: engine.JitterFull, MinDelay: 1, MaxDelay: 1}, 1, 0, 1, 1)
	f(engine.RetryPolicy{Jitter: engine.JitterHalf, MinDelay: 1, MaxDelay: 1}, 1, 0, 1, 1)
	// What the endpoint asks for counts when it is longer, up to the policy's longest wait.
	f(none, 1, 30*s, 30*s, 30*s)
	f(none, 6, 30*s, 32*s, 32*s)
	f(none, 1, -30*s, s, s)
	f(none, 1, math.MaxInt64, time.Minute, time.Minute)
	f(full, 6, 30*s, 30*s, 32*s)
	none.Deaf = true
	f(none, 1, 30*s, s, s)
	f(none, 1, math.MaxInt64, s, s)
}

func TestRetryScale(t *testing.T) {
	for scale, want := range map[float64]time.Duration{1: 20 * time.Second, 0.001: 20 * time.Millisecond, 2: 40 * time.Second} {
		e := &Egress{opts: Options{RetryScale: scale}}
		if got := e.scaled(20 * time.Second); got != want {
			t.Errorf("scale %v: %v, want %v", scale, got, want)
		}
	}
}
