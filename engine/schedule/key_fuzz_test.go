package schedule

import (
	"bytes"
	"testing"
)

// FuzzParseKey checks that keys are read as they were written, and that their bytes sort as they do.
func FuzzParseKey(f *testing.F) {
	f.Add(Key{Due: 1, ID: 2}.AppendBytes(nil), Key{Due: -1, ID: 2}.AppendBytes(nil))
	f.Add(Max.AppendBytes(nil), Key{}.AppendBytes(nil))
	f.Add([]byte{}, make([]byte, 17))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		ka, okA := ParseKey(a)
		kb, okB := ParseKey(b)
		if okA != (len(a) == 16) || okB != (len(b) == 16) {
			t.Fatalf("%x: %v; %x: %v", a, okA, b, okB)
		}
		if !okA || !okB {
			return
		}
		if again := ka.AppendBytes(nil); !bytes.Equal(again, a) {
			t.Errorf("%x came back as %x", a, again)
		}
		if order := bytes.Compare(a, b); ka.Less(kb) != (order < 0) || kb.Less(ka) != (order > 0) {
			t.Errorf("%x and %x: %+v and %+v sort another way", a, b, ka, kb)
		}
	})
}
