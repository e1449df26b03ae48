package engine

import (
	"math/rand/v2"
	"testing"
)

// The progress behaves like a set of sequences, also across its stored form.
func TestProgressAgainstASet(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		start := Sequence(r.Uint64N(1000))
		p := Progress{Floor: start}
		settled := map[Sequence]bool{}
		spread := 1 + r.Uint64N(2000)
		for range 300 {
			s := p.Floor + 1 + Sequence(r.Uint64N(spread))
			p.Settle(s)
			settled[s] = true
			if r.Uint64N(50) == 0 {
				stored, ok := ParseProgress(p.AppendBytes(nil))
				if !ok {
					t.Fatalf("seed %d: the stored form is refused", seed)
				}
				p = stored
			}
		}
		for s := start + 1; s < p.Floor+Sequence(spread)+10; s++ {
			if p.Settled(s) != settled[s] {
				t.Fatalf("seed %d: sequence %d: settled %v, want %v", seed, s, p.Settled(s), settled[s])
			}
		}
		if p.Settled(p.Floor + 1) {
			t.Fatalf("seed %d: the floor %d is too low", seed, p.Floor)
		}
	}
}

func TestProgressInOrderNeedsNoWindow(t *testing.T) {
	var p Progress
	for s := Sequence(1); s <= 1000; s++ {
		p.Settle(s)
	}
	if p.Floor != 1000 || p.window != nil {
		t.Errorf("floor %d, window of %d words", p.Floor, len(p.window))
	}
}

func TestProgressReach(t *testing.T) {
	p := Progress{Floor: 10}
	p.Settle(10 + ProgressWindow)
	if !p.Settled(10+ProgressWindow) || p.Settled(11) || p.Room(11+ProgressWindow) {
		t.Error("the last sequence within reach is not told from the first beyond it")
	}
	defer func() {
		if recover() == nil {
			t.Error("settling a sequence out of reach did not panic")
		}
	}()
	p.Settle(11 + ProgressWindow)
}

func FuzzParseProgress(f *testing.F) {
	p := Progress{Floor: 3}
	for _, s := range []Sequence{5, 6, 9, 700} {
		p.Settle(s)
	}
	f.Add(p.AppendBytes(nil))
	f.Add([]byte{progressVersion, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{progressVersion, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := ParseProgress(b)
		if !ok {
			return
		}
		again, ok := ParseProgress(p.AppendBytes(nil))
		if !ok || again.Floor != p.Floor || again.marked != p.marked {
			t.Errorf("%x: floor %d, %d marked; written and read: %d, %d, %v", b, p.Floor, p.marked, again.Floor, again.marked, ok)
		}
	})
}
