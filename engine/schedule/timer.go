package schedule

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Source is the part of the store that the timer reads.
type Source interface {
	// ReadTimers calls fn with the keys from first (included) to last (excluded), in order, until fn returns false.
	ReadTimers(first, last Key, fn func(Key) bool) error
}

// bounds are the numbers of entries that the timer keeps in memory or fires at a time; small ones in tests.
type bounds struct {
	near   int // near entries; beyond it the later ones leave memory again, until no more than load are left
	load   int // near entries as far as loading fills it
	room   int // loading begins when there is room for so many
	snooze int // snoozed entries
	read   int // entries of one read, and so overdue ones
	fire   int // near entries fired before the next look at the others
	other  int // snoozed and overdue ones fired before the next look at the near ones
}

// WaitingMax is how many entries wait in memory at most. Those that fired and are not settled come on top: the
// receiver bounds them by snoozing what it has no room for.
const WaitingMax = nearMax + snoozeMax + readMax

const (
	nearMax   = 32 << 10
	snoozeMax = 8 << 10
	readMax   = 4 << 10

	snoozeDelayMin = 10 * time.Millisecond // however short a snooze is, it makes no busy loop
	snoozeDelayMax = time.Minute           // nor does a wrong clock make it one without end
)

// Timer fires the entries of a Source when they are due. Use New.
//
// An entry of the store is either known, which means that it waits in one of three heaps or has fired and is
// not settled, or it lies in a part of the store that is still to be read: at or above the horizon, in behind,
// or in again. Everything here keeps that true.
type Timer struct {
	source Source
	bounds bounds           // immutable
	failed func(error)      // immutable; told about failed reads of the source
	now    func() time.Time // immutable; the wall clock, and in tests a wrong one
	born   time.Time        // immutable; where the steady clock begins
	lastID atomic.Uint64
	wake   chan struct{}

	found  []Key         // by the last read; only for Run
	readAt time.Duration // on the steady clock: nothing is read before, as a read failed; only for Run

	mu    sync.Mutex
	known map[Key]struct{} // guarded by mu

	near    heap // guarded by mu: entries below the horizon or below loading
	horizon Key  // guarded by mu
	loading Key  // guarded by mu: entries from the horizon to here are being read; zero when none are

	// What is older than the horizon and was not read: what became due while nothing ran, or what was put off
	// and found no place in memory. It gets a share of its own, so that it holds up nothing that becomes due now.
	behind  span // guarded by mu
	overdue heap // guarded by mu: read from behind

	snoozed heap          // guarded by mu: by the steady clock
	again   span          // guarded by mu: follows behind when that is read to its end, so that the rest is not held up
	againAt time.Duration // guarded by mu: on the steady clock: not before

	// Keys that were settled or put off while a read was under way, which may have seen them before.
	reading bool             // guarded by mu
	gone    map[Key]struct{} // guarded by mu
}

// New returns a timer over a source; failed is told about failed reads.
func New(source Source, failed func(error)) *Timer {
	t := &Timer{
		source:  source,
		bounds:  bounds{near: nearMax, load: nearMax / 2, room: nearMax / 8, snooze: snoozeMax, read: readMax, fire: 1024, other: 256},
		failed:  failed,
		now:     time.Now,
		born:    time.Now(),
		wake:    make(chan struct{}, 1),
		known:   map[Key]struct{}{},
		horizon: lowest,
		gone:    map[Key]struct{}{},
	}
	t.lastID.Store(rand.Uint64())
	return t
}

// steady is a clock that nobody sets. Whatever is a span of time is measured by it.
func (t *Timer) steady() time.Duration { return time.Since(t.born) }

// NewKey returns a key for an entry due at a time, in ms since 1970.
func (t *Timer) NewKey(due int64) Key { return Key{Due: due, ID: t.lastID.Add(1)} }

// Added tells that an entry is visible in the source.
func (t *Timer) Added(k Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// Further ahead it is found by the read that reaches it. A read that is under way may or may not have
	// seen it, so up to its end it is taken here; that it is known keeps it from being taken twice.
	if k.Less(t.horizon) || k.Less(t.loading) {
		t.nearLocked(k)
	}
}

func (t *Timer) nearLocked(k Key) {
	if _, ok := t.known[k]; ok {
		return
	}
	t.known[k] = struct{}{}
	t.near.push(entry{k.Due, k})
	if len(t.near) > t.bounds.near {
		t.near.sort()
		t.cutLocked(t.bounds.load)
		t.loading = Key{} // what is being read is of no use any more
	}
	t.signalLocked(t.near, k)
}

// trimLocked takes the near entries from a key on out of memory.
func (t *Timer) trimLocked(limit Key) {
	if n := t.near.cut(limit); n < len(t.near) {
		t.cutLocked(n)
	}
}

// cutLocked takes the near entries from number n on out of memory; they are sorted, and will be read again.
func (t *Timer) cutLocked(n int) {
	t.lowerLocked(t.near[n].key)
	for _, e := range t.near[n:] {
		delete(t.known, e.key)
	}
	t.near = t.near[:n]
}

// lowerLocked makes everything from a key on be read again.
func (t *Timer) lowerLocked(k Key) {
	if k.Less(t.horizon) {
		t.horizon = k
	}
}

// signalLocked wakes Run when the key is the first of the heap.
func (t *Timer) signalLocked(h heap, k Key) {
	if h[0].key == k {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// Settled tells that an entry is gone from the source. One that has not fired does not fire any more.
func (t *Timer) Settled(k Key) {
	t.mu.Lock()
	t.forgetLocked(k)
	t.mu.Unlock()
}

func (t *Timer) forgetLocked(k Key) {
	delete(t.known, k)
	if t.reading {
		t.gone[k] = struct{}{}
	}
}

// Snooze makes a fired entry, which stays in the source as it is, fire again at a time, in ms since 1970. It
// is taken as a time from now, of at most a minute, so that it comes about when the clock is set meanwhile.
// When there is no room in memory the entry fires again when the source is read anew, within seconds.
func (t *Timer) Snooze(k Key, at int64) {
	delay := min(max(at-t.now().UnixMilli(), snoozeDelayMin.Milliseconds()), snoozeDelayMax.Milliseconds())
	when := t.steady() + time.Duration(delay)*time.Millisecond
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.snoozed) < t.bounds.snooze {
		t.known[k] = struct{}{}
		t.snoozed.push(entry{int64(when), k})
		t.signalLocked(t.snoozed, k)
		return
	}
	t.forgetLocked(k)
	when = max(when, t.steady()+sleepMax)
	if t.again.empty() || when < t.againAt {
		t.againAt = when
	}
	t.again = t.again.cover(span{k, k.next()})
}

// Near is the number of entries in memory: those that wait, and those that fired and are not settled.
func (t *Timer) Near() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.known)
}
