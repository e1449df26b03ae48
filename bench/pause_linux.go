package bench

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// finePause returns a function that waits for a short time exactly, for the calling goroutine alone. The
// runtime's own timers may be a millisecond late when the process is idle, which would count as latency.
func finePause() func(time.Duration) {
	// The thread keeps its timer slack, so it is never given back: it ends with the goroutine.
	runtime.LockOSThread()
	// Without it sleeps are some 50 µs longer, which harms nothing but the figures.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	return func(d time.Duration) {
		ts := unix.NsecToTimespec(int64(d))
		_ = unix.Nanosleep(&ts, nil) // woken early, the caller looks at the clock and waits on
	}
}
