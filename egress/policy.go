package egress

import (
	"math/rand/v2"
	"time"

	"fanfare/engine"
)

// backoff is the wait before the next try of a delivery after a number of attempts: exponential with full
// jitter, and no shorter than what the endpoint asked for, within the policy's longest wait.
func backoff(p *engine.RetryPolicy, attempts int, retryAfter time.Duration) time.Duration {
	wait := rand.N(ceiling(p, attempts)) + time.Millisecond
	return min(max(wait, retryAfter), p.MaxDelay)
}

// ceiling is the longest wait after a number of attempts.
func ceiling(p *engine.RetryPolicy, attempts int) time.Duration {
	d := p.MinDelay
	for range min(attempts-1, 62) {
		if d >= p.MaxDelay/2 {
			return p.MaxDelay
		}
		d *= 2
	}
	return min(d, p.MaxDelay)
}
