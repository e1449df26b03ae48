package engine_test

import (
	"testing"

	"fanfare/engine"
)

// A window that is settled up to its very last sequence is stored and read like any other.
func TestProgressWithAFullWindowIsReadBack(t *testing.T) {
	const floor = 7
	p := engine.Progress{Floor: floor}
	for s := engine.Sequence(floor + 2); p.Room(s); s++ {
		p.Settle(s)
	}
	got, ok := engine.ParseProgress(p.AppendBytes(nil))
	if !ok {
		t.Fatal("the stored form is refused")
	}
	if last := engine.Sequence(floor + engine.ProgressWindow); got.Floor != floor || got.Settled(floor+1) || !got.Settled(last) {
		t.Errorf("floor %d, first settled %v, last settled %v", got.Floor, got.Settled(floor+1), got.Settled(last))
	}
}
