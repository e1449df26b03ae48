package schedule

import (
	"cmp"
	"slices"
)

// entry is an entry in memory and when it fires: ms since 1970 or, for a snoozed one, ns of the steady clock.
type entry struct {
	at  int64
	key Key
}

func (e entry) compare(o entry) int {
	if c := cmp.Compare(e.at, o.at); c != 0 {
		return c
	}
	return e.key.compare(o.key)
}

// heap is a binary heap, first due first. It differs from container/heap in that nothing is boxed.
type heap []entry

func (h *heap) push(e entry) {
	s := append(*h, e)
	at := len(s) - 1
	for at > 0 {
		parent := (at - 1) / 2
		if s[parent].compare(e) <= 0 {
			break
		}
		s[at] = s[parent]
		at = parent
	}
	s[at] = e
	*h = s
}

// pop takes the first entry off a heap that is not empty.
func (h *heap) pop() entry {
	s := *h
	first, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return first
	}
	at := 0
	for {
		child := 2*at + 1
		if child >= len(s) {
			break
		}
		if right := child + 1; right < len(s) && s[right].compare(s[child]) < 0 {
			child = right
		}
		if last.compare(s[child]) <= 0 {
			break
		}
		s[at] = s[child]
		at = child
	}
	s[at] = last
	return first
}

// sort puts the entries into their order, which leaves them a heap.
func (h heap) sort() { slices.SortFunc(h, entry.compare) }

// cut says from which entry on the keys of a heap by due time are not less than the limit; if there are any, the
// heap is sorted then.
func (h heap) cut(limit Key) int {
	first := entry{limit.Due, limit}
	if !slices.ContainsFunc(h, func(e entry) bool { return e.compare(first) >= 0 }) {
		return len(h)
	}
	h.sort()
	n, _ := slices.BinarySearchFunc(h, first, entry.compare)
	return n
}
