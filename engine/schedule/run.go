package schedule

import (
	"context"
	"time"
)

const sleepMax = time.Second // how long a jump of the wall clock stays unseen

// Run loads and fires until the context ends. A fired key is the receiver's until Settled or Snooze.
func (t *Timer) Run(ctx context.Context, fire func(Key)) {
	sleep := time.NewTimer(0)
	defer sleep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-sleep.C:
		}
		loaded := t.load()
		fired := t.fire(ctx, fire)
		if loaded || fired {
			sleep.Reset(0)
		} else {
			sleep.Reset(t.idle())
		}
	}
}

// fire fires what is due, of each sort so much, and reports whether there may be more of it.
func (t *Timer) fire(ctx context.Context, fire func(Key)) (more bool) {
	now, steady := t.now().UnixMilli(), int64(t.steady())
	near := t.drain(ctx, &t.near, now, t.bounds.fire, fire)
	snoozed := t.drain(ctx, &t.snoozed, steady, t.bounds.other, fire)
	overdue := t.drain(ctx, &t.overdue, now, t.bounds.other, fire)
	return near || snoozed || overdue
}

// drain fires up to n entries of a heap that are due, and reports whether there may be more.
func (t *Timer) drain(ctx context.Context, h *heap, now int64, n int, fire func(Key)) (more bool) {
	for ; n > 0 && ctx.Err() == nil; n-- {
		k, ok := t.pop(h, now)
		if !ok {
			return false
		}
		fire(k)
	}
	return true
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

// idle is how long there is nothing to do.
func (t *Timer) idle() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := sleepMax
	if len(t.near) > 0 {
		wait = min(wait, time.UnixMilli(t.near[0].at).Sub(t.now()))
	}
	steady := t.steady()
	if len(t.snoozed) > 0 {
		wait = min(wait, time.Duration(t.snoozed[0].at)-steady)
	}
	switch {
	case len(t.overdue) > 0:
		wait = 0
	case !t.behind.empty():
		wait = min(wait, t.readAt-steady)
	case !t.again.empty():
		wait = min(wait, max(t.againAt, t.readAt)-steady)
	}
	return max(wait, 0)
}
