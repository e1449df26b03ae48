package bench

import (
	"os"

	"golang.org/x/sys/unix"
)

// dataSync waits until what was written is on the disk.
func dataSync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
