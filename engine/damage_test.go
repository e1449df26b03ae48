package engine

import (
	"bytes"
	"testing"
)

// Every bit of the heads of timer entries and dead letters is under a checksum, as those of the records are.
func TestEveryFlippedBitOfAHeadIsFound(t *testing.T) {
	m := sample()
	defer m.Release()
	f := func(name string, value []byte, parse func([]byte) (*Message, error)) {
		t.Helper()
		if whole, err := parse(value); err != nil {
			t.Fatalf("%s: %v", name, err)
		} else {
			whole.Release()
		}
		head := len(value) - m.Size()
		for bit := range head * 8 {
			flipped := bytes.Clone(value)
			flipped[bit/8] ^= 1 << (bit % 8)
			if m, err := parse(flipped); err == nil {
				m.Release()
				t.Errorf("%s: bit %d of byte %d was flipped and nobody noticed", name, bit%8, bit/8)
			}
		}
		for cut := range head {
			if m, err := parse(value[:cut]); err == nil {
				m.Release()
				t.Errorf("%s: cut at byte %d and nobody noticed", name, cut)
			}
		}
	}
	for _, p := range []Parked{{}, {Attempts: 7, Since: -1}, {Attempts: 1 << 20, Since: 1_700_000_000_000, Dead: true}} {
		f("timer entry", append(AppendDeliveryHead(nil, 42, p), m.Record()...), func(b []byte) (*Message, error) {
			_, _, _, m, err := ParseTimerEntry(b)
			return m, err
		})
	}
	for _, d := range []DeadLetter{{}, {At: 1, Attempts: 3, Status: 503, Reason: ReasonAttempts, Failure: "HTTP 503", Answer: []byte("busy")}} {
		f("dead letter", append(AppendDeadLetterHead(nil, &d), m.Record()...), func(b []byte) (*Message, error) {
			_, m, err := ParseDeadLetter(1, b)
			return m, err
		})
	}
}
