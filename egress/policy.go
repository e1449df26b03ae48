package egress

import (
	"math/rand/v2"
	"time"

	"fanfare/engine"
)

// backoff is the wait before the next try of a delivery after a number of attempts: what the policy says, spread
// by its jitter, and no shorter than what the endpoint asked for, within the policy's longest wait.
func backoff(p *engine.RetryPolicy, attempts int, retryAfter time.Duration) time.Duration {
	least, wait := p.Range(attempts)
	switch {
	case least < wait:
		wait = least + rand.N(wait-least+1)
	case p.Jitter == engine.JitterFull && wait > 0:
		wait = min(wait, rand.N(wait)+time.Millisecond)
	case p.Jitter == engine.JitterHalf && wait > 1:
		wait -= rand.N(wait/2 + 1)
	}
	if p.Deaf {
		return wait
	}
	return max(wait, min(retryAfter, p.MaxDelay))
}

// scaled applies RetryScale.
func (e *Egress) scaled(wait time.Duration) time.Duration {
	if e.opts.RetryScale == 1 {
		return wait
	}
	return time.Duration(float64(wait) * e.opts.RetryScale)
}
