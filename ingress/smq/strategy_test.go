package smq

import (
	"testing"
	"time"

	"fanfare/engine"
)

// TestStrategies has the two strategies of the reference: how many retries, and what the gaps lie between.
func TestStrategies(t *testing.T) {
	f := func(strategy string, count int, least, most time.Duration, gap func(n int) (low, high time.Duration)) {
		t.Helper()
		config := engine.SubscriptionConfig{Name: "s", Endpoint: "http://h", Retry: retries(strategy)}
		config.SetDefaults()
		for _, fault := range config.Validate() {
			t.Errorf("%s: %v", strategy, fault)
		}
		p := &config.Retry
		var shortest, longest time.Duration
		n := 1
		for ; !p.Exhausted(n); n++ {
			low, high := p.Range(n)
			wantLow, wantHigh := gap(n)
			if low != wantLow || high != wantHigh {
				t.Errorf("%s: gap %d is %v to %v, want %v to %v", strategy, n, low, high, wantLow, wantHigh)
			}
			shortest += low
			longest += high
		}
		if n-1 != count || shortest != least || longest != most || p.Jitter != engine.JitterNone || !p.Deaf || p.MaxAge < longest {
			t.Errorf("%s: %d retries within %v to %v: %+v", strategy, n-1, shortest, longest, p)
		}
	}
	f(strategyBackoff, 3, 30*time.Second, time.Minute, func(int) (low, high time.Duration) { return 10 * time.Second, 20 * time.Second })
	f(strategyExponential, 176, 86_015*time.Second, 86_015*time.Second, func(n int) (low, high time.Duration) {
		gap := min(time.Second<<min(n-1, 20), 512*time.Second)
		return gap, gap
	})
}
