package schedule_test

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"fanfare/engine/schedule"
)

var errBroken = errors.New("broken")

// shelf is a source for many entries: sorted drawers of keys, one for each second.
type shelf struct {
	mu      sync.Mutex
	drawers map[int64][]schedule.Key
	seconds []int64 // of the drawers, sorted
	reads   int

	// When not nil, called by every read, outside the lock, with the number of keys that are still to be handed
	// over; an error ends the read.
	during func(left int) error
}

func newShelf() *shelf { return &shelf{drawers: map[int64][]schedule.Key{}} }

func drawer(k schedule.Key) int64 {
	s := k.Due / 1000
	if k.Due%1000 < 0 {
		s--
	}
	return s
}

func (s *shelf) put(k schedule.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := drawer(k)
	keys, ok := s.drawers[n]
	if !ok {
		at, _ := slices.BinarySearch(s.seconds, n)
		s.seconds = slices.Insert(s.seconds, at, n)
	}
	at, _ := slices.BinarySearchFunc(keys, k, less)
	s.drawers[n] = slices.Insert(keys, at, k)
}

func (s *shelf) delete(k schedule.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := drawer(k)
	keys := s.drawers[n]
	at, found := slices.BinarySearchFunc(keys, k, less)
	switch {
	case !found:
	case at == 0: // the usual case is cheap
		s.drawers[n] = keys[1:]
	default:
		s.drawers[n] = slices.Delete(keys, at, at+1)
	}
}

func (s *shelf) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for keys := range maps.Values(s.drawers) {
		n += len(keys)
	}
	return n
}

// copyFrom returns what is in the drawer of the first key or the next one that has keys from there to last.
func (s *shelf) copyFrom(first, last schedule.Key) []schedule.Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _ := slices.BinarySearch(s.seconds, drawer(first))
	for ; at < len(s.seconds) && s.seconds[at] <= drawer(last); at++ {
		keys := s.drawers[s.seconds[at]]
		from, _ := slices.BinarySearchFunc(keys, first, less)
		to, _ := slices.BinarySearchFunc(keys, last, less)
		if from < to {
			return slices.Clone(keys[from:to])
		}
	}
	return nil
}

func (s *shelf) ReadTimers(first, last schedule.Key, fn func(schedule.Key) bool) error {
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	for {
		keys := s.copyFrom(first, last)
		for i, k := range keys {
			if s.during != nil {
				if err := s.during(len(keys) - i); err != nil {
					return err
				}
			}
			if !fn(k) {
				return nil
			}
		}
		if len(keys) == 0 {
			if s.during != nil {
				return s.during(0)
			}
			return nil
		}
		k := keys[len(keys)-1]
		first = schedule.Key{Due: k.Due, ID: k.ID + 1}
	}
}
