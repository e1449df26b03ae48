//go:build !linux

package bench

import (
	"errors"
	"fmt"
	"time"
)

func cpuTime(int) (time.Duration, error) {
	return 0, fmt.Errorf("bench: the CPU time of another process is read on Linux only: %w", errors.ErrUnsupported)
}

func OwnCPU() time.Duration { return 0 }
