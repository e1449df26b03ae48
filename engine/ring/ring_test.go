package ring_test

import (
	"runtime"
	"sync"
	"testing"

	"fanfare/engine/ring"
)

func TestFullRingRefuses(t *testing.T) {
	r := ring.New[int](4)
	for i := range 4 {
		if !r.Push(i) {
			t.Fatalf("Push(%d) was refused by a ring with room", i)
		}
	}
	if r.Push(4) {
		t.Fatal("Push was accepted by a full ring")
	}
	if v, ok := r.Peek(0); !ok || v != 0 {
		t.Fatalf("Peek(0) = %d, %v", v, ok)
	}
	if r.Push(4) {
		t.Fatal("Peek freed a slot")
	}
	r.Free(0)
	if !r.Push(4) {
		t.Fatal("Push was refused after Free")
	}
}

func TestSizeIsAPowerOfTwo(t *testing.T) {
	f := func(slots, want int) {
		t.Helper()
		if got := ring.New[int](slots).Size(); got != want {
			t.Errorf("New(%d).Size() = %d, want %d", slots, got, want)
		}
	}
	f(0, 2)
	f(2, 2)
	f(3, 4)
	f(4096, 4096)
	f(4097, 8192)
}

func TestWaitStops(t *testing.T) {
	r := ring.New[int](4)
	stop := make(chan struct{})
	close(stop)
	if r.Wait(0, stop) {
		t.Fatal("Wait found a value in an empty ring")
	}
	r.Push(7)
	if !r.Wait(0, stop) {
		t.Fatal("Wait did not find the value pushed before the stop")
	}
}

// Many producers, both stages: every value arrives once, those of one producer in their order, and the
// second stage never passes the first.
func TestStagesSeeEveryValueOnce(t *testing.T) {
	const producers, each = 8, 20_000
	r := ring.New[[2]int](64)
	passed := make(chan uint64, 4)

	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				for !r.Push([2]int{p, i}) {
					runtime.Gosched() // the ring is full; let the stages run
				}
			}
		})
	}
	wg.Go(func() { // first stage
		defer close(passed)
		for pos := uint64(0); pos < producers*each; {
			r.Wait(pos, nil)
			for n := 0; n < 16; n++ {
				if _, ok := r.Peek(pos); !ok {
					break
				}
				pos++
			}
			passed <- pos
		}
	})
	var next [producers]int
	var pos uint64
	for to := range passed {
		for ; pos < to; pos++ {
			v, ok := r.Peek(pos)
			if !ok {
				t.Errorf("position %d is not readable behind the barrier", pos)
				break
			}
			if v[1] != next[v[0]] {
				t.Errorf("producer %d: got value %d, want %d", v[0], v[1], next[v[0]])
			}
			next[v[0]] = v[1] + 1
			r.Free(pos)
		}
	}
	wg.Wait()
	for p, n := range next {
		if n != each {
			t.Errorf("producer %d: %d values arrived, want %d", p, n, each)
		}
	}
}

func BenchmarkPushFree(b *testing.B) {
	r := ring.New[*int](1024)
	v := new(int)
	pos := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		r.Push(v)
		r.Peek(pos)
		r.Free(pos)
		pos++
	}
}

// Values that are pushed together lie side by side, and are seen together.
func TestPushAll(t *testing.T) {
	r := ring.New[int](8)
	if !r.PushAll([]int{0, 1, 2, 3, 4}) || r.PushAll([]int{5, 6, 7, 8}) {
		t.Fatal("5 of 8 slots were not given, or 4 more were")
	}
	if !r.PushAll([]int{5, 6, 7}) || r.Push(8) {
		t.Fatal("the last 3 slots were not given, or another one was")
	}
	for i := range 8 {
		if v, ok := r.Peek(uint64(i)); !ok || v != i {
			t.Fatalf("Peek(%d) = %d, %v", i, v, ok)
		}
		r.Free(uint64(i))
	}
	const producers, rounds, size = 4, 2000, 7
	r = ring.New[int](64)
	var running sync.WaitGroup
	for p := range producers {
		running.Go(func() {
			group := make([]int, size)
			for n := range rounds {
				for i := range group {
					group[i] = (p*rounds+n)*size + i
				}
				for !r.PushAll(group) {
					runtime.Gosched()
				}
			}
		})
	}
	stop := make(chan struct{})
	for pos := uint64(0); pos < producers*rounds*size; pos += size {
		r.Wait(pos, stop)
		first, _ := r.Peek(pos)
		for i := range uint64(size) {
			if v, ok := r.Peek(pos + i); !ok || v != first+int(i) || first%size != 0 {
				t.Fatalf("position %d: %d, %v, want %d", pos+i, v, ok, first+int(i))
			}
			r.Free(pos + i)
		}
	}
	running.Wait()
}
