package bench

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the CPU time a process has used, user and system, all threads that ever were. It reads
// the process's CPU clock (clock_getcpuclockid), which the scheduler keeps in nanoseconds; utime and stime
// of /proc/PID/stat say the same in hundredths of a second.
func cpuTime(pid int) (time.Duration, error) {
	const cpuClockSched = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuClockSched), &ts); err != nil {
		return 0, fmt.Errorf("bench: CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// OwnCPU is the CPU time of this process.
func OwnCPU() time.Duration {
	d, err := cpuTime(os.Getpid())
	if err != nil {
		return 0
	}
	return d
}
