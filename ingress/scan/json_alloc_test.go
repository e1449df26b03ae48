//go:build !race

package scan

import (
	"testing"

	"fanfare/engine/jsontext"
)

func TestJSONDoesNotAllocate(t *testing.T) {
	body := []byte(`{"sub\u006aect":"gr\"eeting","message":["é\ud83d\ude00",{"a":1.5}],"x":null}`)
	buf := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		var s JSON
		var key [32]byte
		buf = buf[:0]
		for s.Reset(body); ; {
			kind := s.Next()
			if kind == JSONKey {
				buf = append(buf, s.Key(key[:])...)
			}
			if kind == JSONString {
				buf = jsontext.AppendEscaped(jsontext.AppendUnescaped(buf, s.Text()), body)
			}
			if kind == JSONEnd {
				return
			}
			if kind == JSONInvalid {
				t.Fatal(s.Err())
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
