package pipeline

import (
	"testing"
	"time"
)

// Source: RFC 9110, sections 5.6.7 (dates) and 10.2.3 (Retry-After).
func TestRetryAfter(t *testing.T) {
	now := time.Date(1994, 11, 6, 8, 49, 0, 0, time.UTC)
	f := func(value string, want int) {
		t.Helper()
		if got := retryAfter([]byte(value), now); got != want {
			t.Errorf("%q: %d s, want %d", value, got, want)
		}
	}
	f("", 0)
	f("0", 0)
	f("120", 120)
	f("999999999999", retryAfterMax)
	f("-1", 0)
	f("soon", 0)
	f("Sun, 06 Nov 1994 08:49:37 GMT", 37)
	f("Sunday, 06-Nov-94 08:49:37 GMT", 37)
	f("Sun Nov  6 08:49:37 1994", 37)
	f("Sun, 06 Nov 1994 08:48:00 GMT", 0)
	f("Fri, 01 Jan 2100 00:00:00 GMT", retryAfterMax)
	f("Sun, 06 Nov 1994 08:49:37 GMT and more", 0)
}
