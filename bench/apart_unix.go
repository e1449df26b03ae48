//go:build unix

package bench

import (
	"os/exec"
	"syscall"
)

// apart keeps the terminal's Ctrl-C from a process: the suite hears it, and ends its processes in order.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
