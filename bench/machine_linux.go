package bench

import (
	"io"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// thisMachine describes the machine and the file system of a directory.
func thisMachine(dir string) Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: "unknown", Kernel: "unknown", FileSystem: "unknown"}
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		m.Kernel = unix.ByteSliceToString(uts.Sysname[:]) + " " + unix.ByteSliceToString(uts.Release[:])
	}
	withFile("/proc/cpuinfo", func(r io.Reader) { m.CPU = cpuModel(r) })
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		withFile("/proc/self/mountinfo", func(r io.Reader) { m.FileSystem = fileSystem(r, real) })
	}
	return m
}

// withFile calls fn with a file that can be read, and not at all without one.
func withFile(name string, fn func(io.Reader)) {
	f, err := os.Open(name)
	if err != nil {
		return
	}
	fn(f)
	_ = f.Close()
}
