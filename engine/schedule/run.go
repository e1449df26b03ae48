package schedule

import (
	"context"
	"time"
)

const (
	sleepMax = time.Second            // how long a jump of the wall clock stays unseen
	slowMax  = 100 * time.Millisecond // between looks at an entry that a slow clock keeps from being due
)

// Run loads and fires until the context ends. A fired key is the receiver's until Settled or Snooze.
func (t *Timer) Run(ctx context.Context, fire func(Key)) {
	sleep := time.NewTimer(0)
	defer sleep.Stop()
	// A wall clock that is slow or stands still would have us look at a near entry again and again.
	var near bool             // the sleep was until a near entry is due
	var atLeast time.Duration // the next such sleep
	for {
		slept := false
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-sleep.C:
			slept = true
		}
		loaded := t.load()
		fired, more := t.fire(ctx, fire)
		if slept && near && fired == 0 {
			atLeast = min(2*atLeast+time.Millisecond, slowMax)
		} else {
			atLeast = 0
		}
		wait, until := t.idle(atLeast)
		if loaded || more {
			wait, until = 0, false
		}
		near = until
		sleep.Reset(wait)
	}
}

// fire fires what is due, of each sort so much, and reports whether there may be more of it.
func (t *Timer) fire(ctx context.Context, fire func(Key)) (n int, more bool) {
	now, steady := t.now().UnixMilli(), int64(t.steady())
	near := t.drain(ctx, &t.near, now, t.bounds.fire, fire)
	snoozed := t.drain(ctx, &t.snoozed, steady, t.bounds.other, fire)
	overdue := t.drain(ctx, &t.overdue, now, t.bounds.other, fire)
	return near + snoozed + overdue, near == t.bounds.fire || snoozed == t.bounds.other || overdue == t.bounds.other
}

// drain fires up to most entries of a heap that are due.
func (t *Timer) drain(ctx context.Context, h *heap, now int64, most int, fire func(Key)) (n int) {
	for n < most && ctx.Err() == nil {
		k, ok := t.pop(h, now)
		if !ok {
			break
		}
		fire(k)
		n++
	}
	return n
}

// pop takes the first entry if it is due.
func (t *Timer) pop(h *heap, now int64) (k Key, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(*h) > 0 && (*h)[0].at <= now {
		k := h.pop().key
		if _, ok := t.known[k]; ok {
			return k, true
		} // else it was settled while it waited
	}
	return Key{}, false
}

// idle is how long there is nothing to do, with at least so long a wait for near entries; near says that it
// ends with one.
func (t *Timer) idle(atLeast time.Duration) (wait time.Duration, near bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait = sleepMax
	if len(t.near) > 0 {
		if first := time.UnixMilli(t.near[0].at).Sub(t.now()); first < wait {
			wait, near = max(first, atLeast), true
		}
	}
	other := sleepMax
	steady := t.steady()
	if len(t.snoozed) > 0 {
		other = min(other, time.Duration(t.snoozed[0].at)-steady)
	}
	switch {
	case len(t.overdue) > 0:
		other = 0
	case !t.behind.empty():
		other = min(other, t.readAt-steady)
	case !t.again.empty():
		other = min(other, max(t.againAt, t.readAt)-steady)
	}
	if other < wait {
		wait, near = other, false
	}
	return max(wait, 0), near
}
