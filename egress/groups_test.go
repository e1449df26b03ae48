package egress

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fanfare/engine"
)

// band is groups beside a plain model of them.
type band struct {
	*groups
	t       *testing.T
	rng     *rand.Rand
	waiting map[uint64][]int // numbers of the deliveries that wait, by group
	flying  map[uint64][]delivery
	ready   []uint64
	resting map[uint64]bool
	sizes   map[int]int
	message [2]*engine.Message // of different sizes
	made    int
}

// number hides in the field that a queue does not look at.
func (b *band) number(d delivery) int { return int(d.since) }

func (b *band) push(hash uint64) {
	b.made++
	d := delivery{m: b.message[b.rng.IntN(2)], since: int64(b.made)}
	b.sizes[b.made] = d.m.Size()
	idle := len(b.waiting[hash]) == 0 && len(b.flying[hash]) == 0
	if got := b.groups.push(hash, d); got != idle {
		b.t.Errorf("push readied group %d: %v, want %v", hash, got, idle)
	}
	b.waiting[hash] = append(b.waiting[hash], b.made)
	if idle {
		b.ready = append(b.ready, hash)
	}
}

// pop takes the next, and up to two more of the same group.
func (b *band) pop() {
	if b.goes() != (len(b.ready) > 0) {
		b.t.Fatalf("goes: %v, ready are %v", b.goes(), b.ready)
	}
	if !b.goes() {
		return
	}
	hash := b.ready[0]
	b.ready = b.ready[1:]
	var begun *group
	for range 1 + b.rng.IntN(3) {
		if len(b.waiting[hash]) == 0 {
			break
		}
		d := b.groups.pop(begun)
		if d.group.hash != hash || b.number(d) != b.waiting[hash][0] {
			b.t.Errorf("popped %d of group %d, want %d of %d", b.number(d), d.group.hash, b.waiting[hash][0], hash)
		}
		begun = d.group
		b.waiting[hash] = b.waiting[hash][1:]
		b.flying[hash] = append(b.flying[hash], d)
	}
}

// land lets the last that was taken of a group end, or puts it back, to be tried now or later.
func (b *band) land(now int64) {
	for hash, flying := range b.flying {
		d := flying[len(flying)-1]
		if b.flying[hash] = flying[:len(flying)-1]; len(b.flying[hash]) == 0 {
			delete(b.flying, hash)
		}
		var rests bool
		if b.rng.IntN(2) == 0 {
			rests = b.leave(d.group)
		} else {
			d.again = []int64{0, now - 1000, now + 1000*(1+b.rng.Int64N(100))}[b.rng.IntN(3)]
			b.waiting[hash] = append([]int{b.number(d)}, b.waiting[hash]...)
			rests = b.putBack(d)
		}
		last := len(b.flying[hash]) == 0
		if rests && !last {
			b.t.Errorf("group %d rests with some in flight", hash)
		}
		if last && len(b.waiting[hash]) > 0 {
			if rests {
				b.resting[hash] = true
			} else {
				b.ready = append(b.ready, hash)
			}
		}
		return
	}
}

// wake wakes those that are due by a time, and learns from the list of the ready ones in which order they came.
func (b *band) wake(now int64) {
	n := b.groups.wake(now)
	if next := b.next(); next != 0 && next <= now {
		b.t.Errorf("one is due at %d, and rests at %d", next, now)
	}
	b.learn(n)
}

func (b *band) learn(n int) {
	var all []uint64
	for g := b.groups.ready.first; g != nil; g = g.after {
		all = append(all, g.hash)
	}
	if len(all) != len(b.ready)+n || !slices.Equal(all[:len(b.ready)], b.ready) {
		b.t.Fatalf("ready were %v, and %d came to be: %v", b.ready, n, all)
	}
	for _, hash := range all[len(b.ready):] {
		if !b.resting[hash] {
			b.t.Errorf("group %d was woken and did not rest", hash)
		}
		delete(b.resting, hash)
	}
	b.ready = all
}

// purge empties all.
func (b *band) purge() {
	got := map[int]bool{}
	b.groups.purge(func(d delivery) { got[b.number(d)] = true })
	want := 0
	for hash, numbers := range b.waiting {
		want += len(numbers)
		for _, n := range numbers {
			if !got[n] {
				b.t.Errorf("the purge left out %d of group %d", n, hash)
			}
		}
	}
	if len(got) != want {
		b.t.Errorf("%d purged, want %d", len(got), want)
	}
	clear(b.waiting)
	clear(b.resting)
	b.ready = nil
}

// check compares what is counted.
func (b *band) check() {
	b.t.Helper()
	count, blocked, heavy := len(b.flying), 0, 0
	for hash, numbers := range b.waiting {
		if len(numbers) > 0 && len(b.flying[hash]) == 0 {
			count++
		}
		for _, n := range numbers {
			if b.resting[hash] {
				blocked++
				heavy += b.sizes[n]
			}
		}
	}
	n, size := b.blocks()
	if b.count != count || n != blocked || size != heavy || len(b.groups.resting) != len(b.resting) || b.groups.ready.len != len(b.ready) {
		b.t.Fatalf("%d groups, %d resting, %d ready, %d blocked of %d bytes; want %d, %d, %d, %d of %d",
			b.count, len(b.groups.resting), b.groups.ready.len, n, size, count, len(b.resting), len(b.ready), blocked, heavy)
	}
}

// The groups do what a plain model of them does. Hashes differ in their high bits only, too, so that buckets are shared.
func TestGroupsAgainstAModel(t *testing.T) {
	small, large := engine.NewMessage(), engine.NewMessage()
	defer small.Release()
	defer large.Release()
	large.Set(engine.FieldBody, make([]byte, 1000))
	for seed := range uint64(20) {
		b := &band{
			groups: &groups{memory: &groupMemory{}}, t: t, rng: rand.New(rand.NewPCG(seed, 3)), message: [2]*engine.Message{small, large},
			waiting: map[uint64][]int{}, flying: map[uint64][]delivery{}, resting: map[uint64]bool{}, sizes: map[int]int{},
		}
		groups := 1 + b.rng.Uint64N(60)
		now := time.Now().UnixMilli()
		for range 2000 {
			switch n := b.rng.IntN(100); {
			case n < 40:
				hash := b.rng.Uint64N(groups)
				b.push(hash%7 | hash/7<<40)
			case n < 65:
				b.pop()
			case n < 90:
				b.land(now)
			case n < 94:
				b.wake(now + 1000*b.rng.Int64N(120))
			case n < 98:
				before := len(b.groups.resting)
				b.hurry()
				b.learn(before - len(b.groups.resting))
			case n == 98 && b.rng.IntN(5) == 0:
				b.purge()
			}
			b.check()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}
