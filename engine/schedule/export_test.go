package schedule

import "time"

// SetNow makes the timer take the time of day from a function. Only before Run.
func (t *Timer) SetNow(now func() time.Time) { t.now = now }

// Tighten makes the bounds so small that a few entries reach them. Only before Run.
func (t *Timer) Tighten() {
	t.bounds = bounds{near: 8, load: 4, room: 2, snooze: 3, read: 3, fire: 2, other: 2}
}

// TightMax is WaitingMax behind Tighten.
const TightMax = 8 + 3 + 3

// Waiting is the number of entries that wait in memory, those included that were settled meanwhile.
func (t *Timer) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.near) + len(t.snoozed) + len(t.overdue)
}
