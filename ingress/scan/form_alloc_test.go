//go:build !race

package scan

import "testing"

func TestFormAllocs(t *testing.T) {
	in := []byte("Action=Publish&Message=h%C3%A9llo+w&b=AgME")
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(1000, func() {
		s := NewFormScanner(in)
		for s.Next() {
			if _, err := AppendFormValue(buf, s.Value); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := AppendBase64(buf, s.Value); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
