package native

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	f := func(in string, want time.Duration, ok bool) {
		t.Helper()
		got, gotOK := parseSpan([]byte(in))
		if gotOK != ok || ok && got != want {
			t.Errorf("%q: got %v, %v", in, got, gotOK)
		}
	}
	f("0", 0, true)
	f("90", 90*time.Second, true)
	f("0090", 90*time.Second, true)
	f("1m30s", 90*time.Second, true)
	f("1500ms", 1500*time.Millisecond, true)
	f("1.5s", 1500*time.Millisecond, true)
	f("-1s", -time.Second, true) // the callers refuse it
	f("-1", 0, false)
	f("soon", 0, false)
	f("1 s", 0, false)
	f("99999999999999999999", 0, false)
	f("0000000000000000000000000000000000001", 0, false)
}
