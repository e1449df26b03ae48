package memstore_test

import (
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, false, func(*testing.T) engine.Store { return memstore.New(memstore.Options{}) })
}

func TestFullUntilTrimmed(t *testing.T) {
	s := memstore.New(memstore.Options{BytesMax: 1000})
	b := s.NewBatch()
	b.AppendMessage(1, 1, make([]byte, 600))
	b.AppendMessage(1, 2, make([]byte, 600))
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	if s.Full() == nil {
		t.Fatal("1200 bytes did not fill a store of 1000")
	}
	b.Reset()
	b.TrimTopic(1, 0, 1)
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	if s.Full() != nil {
		t.Fatal("the store is full with 600 of 1000 bytes")
	}
}

func TestChunksAreUsedAgain(t *testing.T) {
	s := memstore.New(memstore.Options{})
	b := s.NewBatch()
	record := make([]byte, 1024)
	seq := engine.Sequence(0)
	cycle := func() {
		b.Reset()
		for range 100 {
			seq++
			b.AppendMessage(1, seq, record)
		}
		_ = b.Apply(false)
		b.Reset()
		b.TrimTopic(1, 0, seq)
		_ = b.Apply(false)
	}
	for range 100 {
		cycle()
	}
	if n := testing.AllocsPerRun(1000, cycle); n > 0 {
		t.Errorf("%v allocations per 100 messages, want 0", n)
	}
}
