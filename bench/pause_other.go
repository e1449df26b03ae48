//go:build !linux

package bench

import "time"

// finePause returns a function that waits, as exactly as the runtime's timers do.
func finePause() func(time.Duration) { return time.Sleep }
