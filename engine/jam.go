package engine

import (
	"slices"
	"time"
)

// jam is what was moved to a FIFO queue and found no room in its shard, in the order of the moves: what was moved later
// waits until all of it went. The timer's goroutine only.
type jam struct {
	keys   []TimerKey // sorted
	seenAt time.Time  // when the first of them was seen last
}

const (
	jamMax      = 100_000          // keys; with more of them the order is given up
	jamPatience = 30 * time.Second // for the first to come back, longer than a snooze: one that does not was settled, or is damaged
)

// lets reports whether a message may go now. Behind it, it went, was dropped, or is kept.
func (j *jam) lets(k TimerKey) bool {
	switch now := time.Now(); {
	case len(j.keys) == 0:
		return true
	case !j.keys[0].Less(k):
		j.seenAt = now
		return true
	case len(j.keys) >= jamMax || now.Sub(j.seenAt) > jamPatience:
		*j = jam{}
		return true
	}
	return false
}

// keep has a message wait for its turn.
func (j *jam) keep(k TimerKey) {
	if len(j.keys) == 0 {
		j.seenAt = time.Now()
	}
	if at, found := slices.BinarySearchFunc(j.keys, k, compareTimerKeys); !found {
		j.keys = slices.Insert(j.keys, at, k)
	}
}

// leave tells that a message does not wait any more.
func (j *jam) leave(k TimerKey) {
	at, found := slices.BinarySearchFunc(j.keys, k, compareTimerKeys)
	if !found {
		return
	}
	j.keys = slices.Delete(j.keys, at, at+1)
	j.seenAt = time.Now()
	if len(j.keys) == 0 {
		j.keys = nil
	}
}

func compareTimerKeys(a, b TimerKey) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}
