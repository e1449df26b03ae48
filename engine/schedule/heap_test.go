package schedule

import (
	stdheap "container/heap"
	"math/rand/v2"
	"slices"
	"testing"
)

// boxed is the same heap, on container/heap.
type boxed []entry

func (b boxed) Len() int           { return len(b) }
func (b boxed) Less(i, j int) bool { return b[i].compare(b[j]) < 0 }
func (b boxed) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *boxed) Push(x any)        { *b = append(*b, x.(entry)) }
func (b *boxed) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}

func TestHeapAgreesWithContainerHeap(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var ours heap
		var theirs boxed
		for range 500 {
			switch op := r.IntN(100); {
			case op < 55 || len(ours) == 0:
				e := entry{at: r.Int64N(50), key: Key{Due: r.Int64N(3), ID: r.Uint64()}}
				ours.push(e)
				stdheap.Push(&theirs, e)
			case op < 97:
				if got, want := ours.pop(), stdheap.Pop(&theirs).(entry); got != want {
					t.Fatalf("seed %d: popped %v, want %v", seed, got, want)
				}
			default:
				ours.sort()
			}
		}
	}
}

func TestHeapIsCutAtAKey(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var h heap
		for range r.IntN(40) {
			k := Key{Due: r.Int64N(20), ID: r.Uint64N(3)}
			h.push(entry{k.Due, k})
		}
		limit := Key{Due: r.Int64N(22) - 1, ID: r.Uint64N(3)}
		less := 0
		for _, e := range h {
			if e.key.Less(limit) {
				less++
			}
		}
		n := h.cut(limit)
		if n != less || slices.ContainsFunc(h[:n], func(e entry) bool { return !e.key.Less(limit) }) {
			t.Fatalf("%v cut at %v: %d, want %d", h, limit, n, less)
		}
	}
}

func TestNextKeyIsTheLeastGreaterOne(t *testing.T) {
	f := func(k, want Key) {
		t.Helper()
		if got := k.next(); got != want {
			t.Errorf("%v is followed by %v, want %v", k, got, want)
		}
	}
	f(Key{1, 2}, Key{1, 3})
	f(Key{1, Max.ID}, Key{2, 0})
	f(Key{-1, Max.ID}, Key{0, 0})
	f(Max, Max)
}

func TestSpansCoverBoth(t *testing.T) {
	k := func(due int64) Key { return Key{Due: due} }
	f := func(a, b, want span) {
		t.Helper()
		if got := a.cover(b); got != want {
			t.Errorf("%v and %v: %v, want %v", a, b, got, want)
		}
	}
	f(span{}, span{k(1), k(2)}, span{k(1), k(2)})
	f(span{k(1), k(2)}, span{k(5), k(5)}, span{k(1), k(2)})
	f(span{k(1), k(2)}, span{k(5), k(6)}, span{k(1), k(6)})
	f(span{k(5), k(6)}, span{k(1), k(9)}, span{k(1), k(9)})
}
