package engine

import (
	"cmp"
	"math"
	"time"
)

// Backoff names how the waits between the attempts of a delivery grow.
type Backoff string

// The back-offs. Those that have a number of steps go from MinDelay to MaxDelay over the retries that are
// neither immediate nor at one of the two ends.
const (
	BackoffDoubling    Backoff = "doubling"    // MinDelay, twice that, and so on up to MaxDelay; the default
	BackoffLinear      Backoff = "linear"      // even steps
	BackoffArithmetic  Backoff = "arithmetic"  // steps that grow evenly
	BackoffGeometric   Backoff = "geometric"   // steps by a factor
	BackoffExponential Backoff = "exponential" // steps that double
	BackoffRandom      Backoff = "random"      // anywhere between MinDelay and MaxDelay
	BackoffList        Backoff = "list"        // as Delays says; the last again and again
)

// Jitter names how a wait is spread, so that what failed together does not come back together.
type Jitter string

// The jitters.
const (
	JitterFull Jitter = "full" // anywhere from 0 to the wait; the default with doubling
	JitterHalf Jitter = "half" // anywhere from half the wait to the whole
	JitterNone Jitter = "none" // the wait itself; the default with every other back-off
)

// Limits of a retry policy.
const (
	RetryDelayMax    = 24 * time.Hour
	RetryAgeMax      = 30 * 24 * time.Hour
	RetryAttemptsMax = 1_000_000
	RetryDelaysMax   = 64 // entries of Delays
	RetryTimeoutMax  = 10 * time.Minute
)

// RetryPolicy says when a failed push is tried again, and when no more. The attempts behind the first are, in
// this order: Immediate ones without a wait, AtMinDelay ones that wait MinDelay, those that the back-off spaces,
// and AtMaxDelay ones that wait MaxDelay.
type RetryPolicy struct {
	Backoff     Backoff         `json:"backoff,omitempty"`            // default doubling
	Jitter      Jitter          `json:"jitter,omitempty"`             // default full with doubling, else none
	MinDelay    time.Duration   `json:"min_delay"`                    // default 1 s; from 1 ms
	MaxDelay    time.Duration   `json:"max_delay"`                    // default 10 min; to 24 h
	Delays      []time.Duration `json:"delays,omitempty"`             // of the back-off "list"; up to 64
	Immediate   int             `json:"immediate,omitempty"`          // default 0
	AtMinDelay  int             `json:"at_min_delay,omitempty"`       // default 0
	AtMaxDelay  int             `json:"at_max_delay,omitempty"`       // default 0; only with MaxAttempts
	MaxAttempts int             `json:"max_attempts"`                 // the first included; default 0: no limit but MaxAge
	MaxAge      time.Duration   `json:"max_age"`                      // default 72 h since the publish; to 30 days
	Timeout     time.Duration   `json:"timeout"`                      // of one attempt's answer; default is the kind's
	Deaf        bool            `json:"ignore_retry_after,omitempty"` // the endpoint's Retry-After is not honoured
}

// SpacingGiven reports whether anything is said about when and how often to try again. Where nothing is, the
// kind's own policy holds.
func (p *RetryPolicy) SpacingGiven() bool {
	return p.Backoff != "" || p.Jitter != "" || p.MinDelay != 0 || p.MaxDelay != 0 || len(p.Delays) > 0 ||
		p.Immediate != 0 || p.AtMinDelay != 0 || p.AtMaxDelay != 0 || p.MaxAttempts != 0
}

// Complete takes the spacing over from a kind's policy where none is given, and age and timeout likewise.
func (p *RetryPolicy) Complete(kind RetryPolicy) {
	if !p.SpacingGiven() {
		age, timeout, deaf := p.MaxAge, p.Timeout, p.Deaf
		*p = kind
		p.MaxAge, p.Timeout, p.Deaf = cmp.Or(age, p.MaxAge), cmp.Or(timeout, p.Timeout), p.Deaf || deaf
	}
}

func (p *RetryPolicy) setDefaults() {
	p.Backoff = cmp.Or(p.Backoff, BackoffDoubling)
	if p.Jitter == "" {
		p.Jitter = JitterNone
		if p.Backoff == BackoffDoubling {
			p.Jitter = JitterFull
		}
	}
	p.MinDelay = cmp.Or(p.MinDelay, time.Second)
	p.MaxDelay = cmp.Or(p.MaxDelay, max(p.MinDelay, 10*time.Minute))
	p.MaxAge = cmp.Or(p.MaxAge, 72*time.Hour)
}

// validate reports every fault under the key of the configuration file.
func (p *RetryPolicy) validate(fault func(field, reason string, args ...any)) {
	between := func(field string, v, low, high time.Duration) {
		if v < low || v > high {
			fault(field, "must be between %v and %v", low, high)
		}
	}
	switch p.Backoff {
	case BackoffDoubling, BackoffLinear, BackoffArithmetic, BackoffGeometric, BackoffExponential, BackoffRandom, BackoffList:
	default:
		fault("retry.backoff", "must be doubling, linear, arithmetic, geometric, exponential, random or list")
	}
	switch p.Jitter {
	case JitterFull, JitterHalf, JitterNone:
	default:
		fault("retry.jitter", "must be full, half or none")
	}
	between("retry.min_delay", p.MinDelay, time.Millisecond, RetryDelayMax)
	between("retry.max_delay", p.MaxDelay, p.MinDelay, RetryDelayMax)
	between("retry.max_age", p.MaxAge, time.Millisecond, RetryAgeMax)
	if p.Timeout != 0 {
		between("retry.timeout", p.Timeout, time.Millisecond, RetryTimeoutMax)
	}
	for _, n := range []struct {
		field string
		value int
	}{
		{"retry.max_attempts", p.MaxAttempts},
		{"retry.immediate", p.Immediate},
		{"retry.at_min_delay", p.AtMinDelay},
		{"retry.at_max_delay", p.AtMaxDelay},
	} {
		if n.value < 0 || n.value > RetryAttemptsMax {
			fault(n.field, "must be between 0 and %d", RetryAttemptsMax)
		}
	}
	if (len(p.Delays) > 0) != (p.Backoff == BackoffList) || len(p.Delays) > RetryDelaysMax {
		fault("retry.delays", "must have 1 to %d waits with the backoff list, and none with another", RetryDelaysMax)
	}
	for _, d := range p.Delays {
		between("retry.delays", d, 0, RetryDelayMax)
	}
	stepped := p.Backoff == BackoffLinear || p.Backoff == BackoffArithmetic || p.Backoff == BackoffGeometric || p.Backoff == BackoffExponential
	if (stepped || p.AtMaxDelay > 0) && p.MaxAttempts == 0 {
		fault("retry.max_attempts", "must be given with the backoff %s, or with at_max_delay", p.Backoff)
	}
	if p.MaxAttempts > 0 && p.Immediate+p.AtMinDelay+p.AtMaxDelay > p.MaxAttempts-1 {
		fault("retry.max_attempts", "must be more than immediate, at_min_delay and at_max_delay together")
	}
}

// Exhausted reports whether a delivery that was tried so often is not to be tried again.
func (p *RetryPolicy) Exhausted(attempts int) bool {
	return p.MaxAttempts > 0 && attempts >= p.MaxAttempts
}

// Wait is the wait behind a number of attempts, at least 1, before jitter. For the back-off "random" it is the
// longest.
func (p *RetryPolicy) Wait(attempts int) time.Duration {
	_, most := p.Range(attempts)
	return most
}

// Range is what the wait behind a number of attempts, at least 1, lies between, before jitter. But for the back-off
// "random", whose steps are not the same twice, it is one time.
func (p *RetryPolicy) Range(attempts int) (least, most time.Duration) {
	retry := attempts - 1 // from 0
	if retry < p.Immediate {
		return 0, 0
	}
	if retry -= p.Immediate; retry < p.AtMinDelay {
		return p.MinDelay, p.MinDelay
	}
	step := retry - p.AtMinDelay
	steps := p.MaxAttempts - 1 - p.Immediate - p.AtMinDelay - p.AtMaxDelay
	if p.MaxAttempts > 0 && step >= steps {
		return p.MaxDelay, p.MaxDelay
	}
	if p.Backoff == BackoffRandom {
		return p.MinDelay, p.MaxDelay
	}
	wait := p.spaced(step, steps)
	return wait, wait
}

// spaced is step i of n of a back-off that is not random, n being senseless for one without a number of attempts.
func (p *RetryPolicy) spaced(i, n int) time.Duration {
	switch p.Backoff {
	case BackoffList:
		if len(p.Delays) > 0 {
			return p.Delays[min(i, len(p.Delays)-1)]
		}
	case BackoffLinear, BackoffArithmetic, BackoffGeometric, BackoffExponential:
		return p.stepped(i, n)
	case BackoffDoubling, BackoffRandom:
	}
	return p.doubled(i)
}

func (p *RetryPolicy) doubled(step int) time.Duration {
	d := p.MinDelay
	for range min(step, 62) {
		if d >= p.MaxDelay/2 {
			return p.MaxDelay
		}
		d *= 2
	}
	return min(d, p.MaxDelay)
}

// stepped is step i of n from MinDelay to MaxDelay, both included; with one step it is MinDelay.
func (p *RetryPolicy) stepped(i, n int) time.Duration {
	if n <= 1 {
		return p.MinDelay
	}
	low, high := float64(p.MinDelay), float64(p.MaxDelay)
	at, last := float64(i), float64(n-1)
	var share float64 // of the way from low to high
	switch p.Backoff {
	case BackoffArithmetic:
		share = at * (at + 1) / (last * (last + 1))
	case BackoffGeometric:
		return time.Duration(math.Round(low * math.Pow(high/low, at/last)))
	case BackoffExponential:
		// (2^i - 1) / (2^last - 1), in a form that does not overflow.
		share = (math.Exp2(at-last) - math.Exp2(-last)) / (1 - math.Exp2(-last))
	default:
		share = at / last
	}
	return time.Duration(math.Round(low + (high-low)*share))
}
