//go:build !linux

package bench

import "runtime"

func thisMachine(string) Machine {
	return Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: "unknown", Kernel: runtime.GOOS, FileSystem: "unknown"}
}
