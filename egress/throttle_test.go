package egress_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// times are when a host's pushes came, in order.
func (w *wire) times(host string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []time.Time
	for _, attempts := range w.seen[host] {
		for _, a := range attempts {
			all = append(all, a.at)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// mostIn is the largest number of times within any stretch of a length, its end excluded.
func mostIn(times []time.Time, length time.Duration) (most int) {
	first := 0
	for i, at := range times {
		for at.Sub(times[first]) >= length {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// TestPushesPerSecond counts the pushes in every second: never more than the limit, not behind a long rest either,
// and no fewer than the limit while there is something to push. A subscription without a limit gets all at once.
func TestPushesPerSecond(t *testing.T) {
	for _, limit := range []int{1, 3, 7, 100, 999} {
		inBubble(t, egress.Options{}, func(t *testing.T, b *bubble) {
			config := engine.SubscriptionConfig{Name: "slow", Endpoint: b.host("slow", always(answer{200, "", ""})), MaxPerSecond: limit, Pipeline: 16}
			b.put(config)
			b.put(engine.SubscriptionConfig{Name: "free", Endpoint: b.host("free", always(answer{200, "", ""}))})
			begin := time.Now()
			n := 2*limit + 2
			for i := range n {
				b.send(i)
			}
			b.pass(time.Minute) // nothing is saved up in a rest
			for i := range n {
				b.send(n + i)
			}
			b.pass(time.Minute)
			slow, free := b.times("slow"), b.times("free")
			if len(slow) != 2*n || len(free) != 2*n {
				t.Fatalf("limit %d: %d and %d pushes, want %d", limit, len(slow), len(free), 2*n)
			}
			if got := mostIn(slow, time.Second); got != limit {
				t.Errorf("limit %d: %d pushes in a second", limit, got)
			}
			for _, at := range []struct{ first, last int }{{0, n - 1}, {n, 2*n - 1}} {
				if took := slow[at.last].Sub(slow[at.first]); took > 2*time.Second+2*time.Second/time.Duration(limit) {
					t.Errorf("limit %d: %d pushes took %v", limit, n, took)
				}
			}
			if free[n-1] != begin {
				t.Errorf("limit %d: the other subscription waited until %v", limit, free[n-1].Sub(begin))
			}
		})
	}
}

// TestRetriesCountAsPushes holds the limit over retries, too.
func TestRetriesCountAsPushes(t *testing.T) {
	inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
		b.put(engine.SubscriptionConfig{
			Name: "s", Endpoint: b.host("h", always(answer{503, "", ""})), MaxPerSecond: 5,
			Retry: engine.RetryPolicy{Jitter: engine.JitterNone, MinDelay: time.Millisecond, MaxDelay: time.Millisecond, MaxAttempts: 10},
		})
		for i := range 20 {
			b.send(i)
		}
		b.pass(time.Hour)
		times := b.times("h")
		if got := mostIn(times, time.Second); len(times) != 200 || got != 5 {
			t.Errorf("%d attempts, %d in a second", len(times), got)
		}
	})
}

// TestThrottledLaneDrainsAtOnce, although its pusher waits for a slot; what was not pushed stays owed.
func TestThrottledLaneDrainsAtOnce(t *testing.T) {
	inBubble(t, egress.Options{}, func(t *testing.T, b *bubble) {
		s := b.put(engine.SubscriptionConfig{Name: "s", Endpoint: b.host("h", always(answer{200, "", ""})), MaxPerSecond: 1})
		for i := range 100 {
			b.send(i)
		}
		b.pass(10 * time.Millisecond)
		b.pass(5 * time.Second)
		begin := time.Now()
		b.close()
		if took := time.Since(begin); took != 0 {
			t.Errorf("the drain took %v", took)
		}
		if state := s.Receiver().State(); state.Floor != 6 || len(b.times("h")) != 6 {
			t.Errorf("%d pushes, %s", len(b.times("h")), fmt.Sprintf("%+v", state))
		}
	})
}
