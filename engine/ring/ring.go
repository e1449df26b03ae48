package ring

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

const cacheLine = 64

// slot holds one value. Its sequence says what it waits for: pos, a producer at pos; pos+1, the readers
// at pos; after Free, pos+size, the producer one lap later.
type slot[T any] struct {
	sequence atomic.Uint64
	value    T
}

// Ring is the queue. Use New.
type Ring[T any] struct {
	slots []slot[T] // immutable
	mask  uint64    // immutable
	wake  chan struct{}
	_     [cacheLine - (unsafe.Sizeof([]int{})+8+8)%cacheLine]byte

	tail atomic.Uint64 // next position to reserve; written by producers
	_    [cacheLine - 8]byte

	wakeAt atomic.Uint64 // the first stage sleeps in Wait, or is about to, until so many were pushed; 0: it is awake
	_      [cacheLine - 8]byte
}

// New returns a ring with at least the given number of slots, rounded up to a power of two.
func New[T any](slots int) *Ring[T] {
	size := uint64(1) << bits.Len64(uint64(max(slots, 2)-1))
	r := &Ring[T]{slots: make([]slot[T], size), mask: size - 1, wake: make(chan struct{}, 1)}
	for i := range r.slots {
		r.slots[i].sequence.Store(uint64(i))
	}
	return r
}

// Size is the number of slots.
func (r *Ring[T]) Size() int { return len(r.slots) }

// Push appends a value and reports whether there was room.
func (r *Ring[T]) Push(v T) bool {
	pos, ok := r.reserve(1)
	if !ok {
		return false
	}
	s := &r.slots[pos&r.mask]
	s.value = v
	s.sequence.Store(pos + 1)
	r.signal(pos + 1)
	return true
}

// PushAll appends values side by side and reports whether there was room for all; else it appends none. Whoever sees the
// first of them sees all. There must not be more than Size.
func (r *Ring[T]) PushAll(values []T) bool {
	first, ok := r.reserve(uint64(len(values)))
	if !ok {
		return false
	}
	for i := len(values) - 1; i >= 0; i-- {
		pos := first + uint64(i)
		s := &r.slots[pos&r.mask]
		s.value = values[i]
		s.sequence.Store(pos + 1)
	}
	r.signal(first + uint64(len(values)))
	return true
}

// reserve takes the next n positions for a producer.
func (r *Ring[T]) reserve(n uint64) (first uint64, ok bool) {
	first = r.tail.Load()
	for {
		// Slots are freed in their order: where the last one is free, all are.
		last := first + n - 1
		switch seq := r.slots[last&r.mask].sequence.Load(); {
		case seq == last:
			if r.tail.CompareAndSwap(first, first+n) {
				return first, true
			}
		case seq < last: // the slot still holds the value of a lap ago
			return 0, false
		}
		first = r.tail.Load() // another producer was faster
	}
}

// signal wakes the first stage if it sleeps until so many were pushed.
func (r *Ring[T]) signal(pushed uint64) {
	if at := r.wakeAt.Load(); at != 0 && pushed >= at && r.wakeAt.CompareAndSwap(at, 0) {
		r.wake <- struct{}{}
	}
}

// Peek returns the value at a position, and whether it was pushed yet. The position must not be freed.
func (r *Ring[T]) Peek(pos uint64) (v T, ok bool) {
	s := &r.slots[pos&r.mask]
	if s.sequence.Load() != pos+1 {
		return v, false
	}
	return s.value, true
}

// Wait blocks until the position was pushed or something comes from stop, which may be closed, and reports the
// former. The position may lie behind others that were not pushed yet: what comes in between wakes nobody. Only the
// first stage may call it.
func (r *Ring[T]) Wait(pos uint64, stop <-chan struct{}) bool {
	s := &r.slots[pos&r.mask]
	for s.sequence.Load() != pos+1 {
		r.wakeAt.Store(pos + 1)
		if s.sequence.Load() == pos+1 {
			r.awake(pos + 1)
			return true
		}
		select {
		case <-r.wake: // for this position, or for one behind it that another producer was faster with
		case <-stop:
			r.awake(pos + 1)
			return s.sequence.Load() == pos+1
		}
	}
	return true
}

// awake ends a sleep that no signal ended.
func (r *Ring[T]) awake(at uint64) {
	if !r.wakeAt.CompareAndSwap(at, 0) {
		<-r.wake // a producer saw us asleep; its signal is on the way
	}
}

// Free gives the slot of a position back to the producers. Only the last stage may call it.
func (r *Ring[T]) Free(pos uint64) {
	s := &r.slots[pos&r.mask]
	var zero T
	s.value = zero
	s.sequence.Store(pos + uint64(len(r.slots)))
}
