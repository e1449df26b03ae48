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
	pos := r.tail.Load()
	for {
		s := &r.slots[pos&r.mask]
		switch seq := s.sequence.Load(); {
		case seq == pos:
			if !r.tail.CompareAndSwap(pos, pos+1) {
				pos = r.tail.Load()
				continue
			}
			s.value = v
			s.sequence.Store(pos + 1)
			if at := r.wakeAt.Load(); at != 0 && pos+1 >= at && r.wakeAt.CompareAndSwap(at, 0) {
				r.wake <- struct{}{}
			}
			return true
		case seq < pos: // the slot still holds the value of a lap ago
			return false
		default: // another producer was faster
			pos = r.tail.Load()
		}
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
