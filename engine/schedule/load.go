package schedule

import "time"

const (
	ahead      = 10 * time.Second // how far before its time an entry is loaded, at most
	loadBelow  = 5 * time.Second  // loading begins when less than this is loaded
	loadUrgent = 2 * sleepMax     // room is made when less than this is loaded

	retryDelay = time.Second // after a failed read of the store
)

// load brings entries of the source into memory and reports whether there are more to be loaded at once.
func (t *Timer) load() (more bool) {
	now := t.now().UnixMilli()
	t.follow(now)
	if t.steady() < t.readAt {
		return false
	}
	if s, limit, ok := t.startAhead(now); ok {
		full, err := t.read(s, limit)
		more = t.takeAhead(s, full) && err == nil
	}
	if s, ok := t.startBehind(); ok {
		full, _ := t.read(s, t.bounds.read)
		t.takeBehind(full)
	}
	return more
}

// read reads keys of a part of the source into found; full says that it was not read to its end.
func (t *Timer) read(s span, limit int) (full bool, err error) {
	t.found = t.found[:0]
	err = t.source.ReadTimers(s.from, s.to, func(k Key) bool {
		t.found = append(t.found, k)
		return len(t.found) < limit
	})
	if err != nil {
		t.readAt = t.steady() + retryDelay
		t.failed(err)
	}
	return err != nil || len(t.found) == limit, err
}

// follow brings the horizon to where the wall clock is.
func (t *Timer) follow(now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.behind.empty() && len(t.overdue) == 0 && !t.again.empty() && t.againAt <= t.steady() {
		t.behind, t.again = t.again, span{}
	}
	t.returnLocked(now)
	here := Key{Due: now}
	switch {
	case t.horizon.Due < now-ahead.Milliseconds():
		// Nothing ran, or the clock went ahead, or reads failed, or it is the start. What lies between must not
		// hold up what becomes due from here on.
		t.behind = t.behind.cover(span{t.horizon, here})
		t.horizon = here
	case t.horizon.Due > now+2*ahead.Milliseconds():
		// The clock went back. Memory is for what is near now.
		target := Key{Due: now + ahead.Milliseconds()}
		t.trimLocked(target)
		t.lowerLocked(target)
	}
}

// returnLocked gives back to the part above the horizon what was overdue until the clock went back.
func (t *Timer) returnLocked(now int64) {
	end := Key{Due: now + 1}
	if !t.behind.empty() && end.Less(t.behind.to) {
		first := end
		if end.Less(t.behind.from) {
			first = t.behind.from
		}
		t.lowerLocked(first)
		t.behind.to = end
	}
	n := t.overdue.cut(end)
	for _, e := range t.overdue[n:] {
		t.lowerLocked(e.key)
		delete(t.known, e.key)
	}
	t.overdue = t.overdue[:n]
}

// startAhead begins to load the next stretch, if it is time to.
func (t *Timer) startAhead(now int64) (s span, limit int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.horizon.Due >= now+loadBelow.Milliseconds() {
		return span{}, 0, false
	}
	if t.bounds.load-len(t.near) < t.bounds.room && t.horizon.Due < now+loadUrgent.Milliseconds() {
		t.trimLocked(t.horizon) // what was added during reads must not keep what is due before it out of memory
	}
	room := t.bounds.load - len(t.near)
	if room < t.bounds.room {
		return span{}, 0, false
	}
	t.loading = Key{Due: now + ahead.Milliseconds()}
	t.reading = true
	return span{t.horizon, t.loading}, min(room, t.bounds.read), true
}

// takeAhead takes what was read into memory and moves the horizon; it reports whether there is more.
func (t *Timer) takeAhead(s span, full bool) (more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.readLocked()
	if t.loading != s.to {
		return true // so many were added meanwhile that the horizon went back
	}
	t.loading = Key{}
	switch {
	case !full:
		t.horizon = s.to
	case len(t.found) > 0:
		t.horizon = t.found[len(t.found)-1].next()
	}
	for _, k := range t.found {
		if _, gone := t.gone[k]; !gone {
			t.nearLocked(k)
		}
	}
	return full
}

// readLocked ends a read.
func (t *Timer) readLocked() {
	t.reading = false
	clear(t.gone)
}

// startBehind begins to load the next of what is older than the horizon, if all that was loaded before has fired.
func (t *Timer) startBehind() (s span, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.overdue) > 0 || t.behind.empty() || t.steady() < t.readAt {
		return span{}, false
	}
	t.reading = true
	return t.behind, true
}

// takeBehind takes what was read into memory.
func (t *Timer) takeBehind(full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.readLocked()
	switch {
	case !full:
		t.behind = span{}
	case len(t.found) > 0:
		t.behind.from = t.found[len(t.found)-1].next()
	}
	for _, k := range t.found {
		_, known := t.known[k]
		if _, gone := t.gone[k]; !gone && !known {
			t.known[k] = struct{}{}
			t.overdue.push(entry{k.Due, k})
		}
	}
}
