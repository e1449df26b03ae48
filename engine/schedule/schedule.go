package schedule

import (
	"container/heap"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Key names an entry of the durable timer. The zero key names none.
type Key struct {
	Due int64  // ms since 1970
	ID  uint64 // tells entries of one millisecond apart
}

// Max sorts behind every other key.
var Max = Key{Due: math.MaxInt64, ID: math.MaxUint64}

// IsZero reports whether the key names no entry.
func (k Key) IsZero() bool { return k == Key{} }

// Less orders keys by due time, then by id.
func (k Key) Less(o Key) bool { return k.Due < o.Due || k.Due == o.Due && k.ID < o.ID }

// AppendBytes appends the key's 16 bytes; they sort as the keys do.
func (k Key) AppendBytes(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(k.Due)^(1<<63))
	return binary.BigEndian.AppendUint64(dst, k.ID)
}

// ParseKey reads what AppendBytes wrote.
func ParseKey(b []byte) (k Key, ok bool) {
	if len(b) != 16 {
		return Key{}, false
	}
	return Key{Due: int64(binary.BigEndian.Uint64(b) ^ (1 << 63)), ID: binary.BigEndian.Uint64(b[8:])}, true
}

// Source is the part of the store that the timer reads.
type Source interface {
	// ReadTimers calls fn with the keys from first (included) to last (excluded), in order, until fn returns false.
	ReadTimers(first, last Key, fn func(Key) bool) error
}

const (
	ahead      = 10 * time.Second       // how far before its time an entry is loaded
	loadMax    = 16 << 10               // entries that wait in memory, as far as loading fills it
	snoozeMax  = loadMax / 2            // of them, how many there may be when a snoozed one joins them
	fireMax    = 1 << 10                // entries fired before the next look at what is to be loaded
	sleepMax   = time.Second            // how long a jump of the wall clock stays unseen
	retryDelay = time.Second            // after a failed read of the store
	moreDelay  = 100 * time.Microsecond // between loads when one was not enough
)

// Timer fires the entries of a Source when they are due. Use New.
type Timer struct {
	source Source
	failed func(error) // immutable; told about failed reads of the source
	lastID atomic.Uint64

	mu      sync.Mutex
	near    entries          // guarded by mu
	known   map[Key]struct{} // guarded by mu: in the heap, or fired and not settled
	horizon Key              // guarded by mu: entries below were loaded
	loading Key              // guarded by mu: entries below are being loaded

	// Snoozed entries that found no place in memory are read again, from the first of them on. However many
	// there are, they keep nobody else's entries from being loaded.
	againFrom Key   // guarded by mu
	againAt   int64 // guarded by mu: ms since 1970, 0 for none
	whole     bool  // guarded by mu: the last load reached its end, so going back starves nobody

	wake chan struct{}
}

// entry is an entry in the heap: it fires at a time that is its due time unless it was snoozed.
type entry struct {
	at  int64
	key Key
}

// New returns a timer over a source; failed is told about failed reads.
func New(source Source, failed func(error)) *Timer {
	t := &Timer{source: source, failed: failed, known: map[Key]struct{}{}, wake: make(chan struct{}, 1)}
	t.lastID.Store(rand.Uint64())
	return t
}

// NewKey returns a key for an entry due at a time, in ms since 1970.
func (t *Timer) NewKey(due int64) Key { return Key{Due: due, ID: t.lastID.Add(1)} }

// Added tells that an entry is visible in the source.
func (t *Timer) Added(k Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// Further ahead it is found by the load that reaches it. A load that is under way may or may not have
	// seen it, so up to its end it is taken here; the set of known keys keeps it from being taken twice.
	if k.Less(t.horizon) || k.Less(t.loading) {
		t.pushLocked(k.Due, k)
	}
}

// Settled tells that a fired entry is gone from the source.
func (t *Timer) Settled(k Key) {
	t.mu.Lock()
	delete(t.known, k)
	t.mu.Unlock()
}

// Snooze makes a fired entry fire again at a time, in ms since 1970. It stays in the source as it is.
func (t *Timer) Snooze(k Key, at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, k)
	if len(t.near) < snoozeMax {
		t.pushLocked(at, k)
		return
	}
	at = max(at, time.Now().Add(sleepMax).UnixMilli())
	if t.againAt == 0 {
		t.againFrom, t.againAt = k, at
		return
	}
	t.againAt = min(t.againAt, at)
	if k.Less(t.againFrom) {
		t.againFrom = k
	}
}

func (t *Timer) pushLocked(at int64, k Key) {
	if _, ok := t.known[k]; ok {
		return
	}
	t.known[k] = struct{}{}
	heap.Push(&t.near, entry{at, k})
	if t.near[0].key == k {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// Near is the number of entries in memory.
func (t *Timer) Near() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.known)
}

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
		next := t.load()
		for n := 0; ctx.Err() == nil; n++ {
			if n == fireMax {
				next = 0
				break
			}
			k, wait, ok := t.pop(time.Now().UnixMilli())
			if !ok {
				next = min(next, wait)
				break
			}
			fire(k)
		}
		sleep.Reset(next)
	}
}

// pop takes the first entry if it is due; otherwise it says how long that will be.
func (t *Timer) pop(now int64) (k Key, wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.near) == 0 {
		return Key{}, sleepMax, false
	}
	if first := t.near[0]; first.at > now {
		return Key{}, min(time.Duration(first.at-now)*time.Millisecond, sleepMax), false
	}
	return heap.Pop(&t.near).(entry).key, 0, true
}

// load brings the entries of the next stretch into memory and says when to load again.
func (t *Timer) load() time.Duration {
	now := time.Now()
	target := Key{Due: now.Add(ahead).UnixMilli()}
	t.mu.Lock()
	if t.whole && t.againAt != 0 && t.againAt <= now.UnixMilli() {
		if t.againFrom.Less(t.horizon) {
			t.horizon = t.againFrom
		}
		t.againAt = 0
	}
	first := t.horizon
	room := loadMax - len(t.near)
	if !first.Less(target) || room <= 0 {
		t.mu.Unlock()
		return sleepMax
	}
	t.loading, t.whole = target, false
	t.mu.Unlock()

	var found []Key
	err := t.source.ReadTimers(first, target, func(k Key) bool {
		found = append(found, k)
		return len(found) < room
	})

	t.mu.Lock()
	defer t.mu.Unlock()
	t.loading = Key{}
	if err != nil {
		t.failed(err)
		return retryDelay
	}
	for _, k := range found {
		t.pushLocked(k.Due, k)
	}
	if len(found) == room {
		last := found[len(found)-1]
		t.horizon = Key{Due: last.Due, ID: last.ID + 1}
		return moreDelay
	}
	t.horizon, t.whole = target, true
	return sleepMax
}

// entries is the heap, first due first.
type entries []entry

func (e entries) Len() int { return len(e) }
func (e entries) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].key.Less(e[j].key)
}
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push is for container/heap.
func (e *entries) Push(x any) { *e = append(*e, x.(entry)) }

// Pop is for container/heap.
func (e *entries) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}
