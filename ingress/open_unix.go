//go:build unix

package ingress

import (
	"errors"
	"syscall"
)

// lookAt reports whether a socket is open: it has a byte to read, which is left where it is, or nothing to say yet.
func lookAt(fd int) bool {
	var b [1]byte
	for {
		n, _, err := syscall.Recvfrom(fd, b[:], syscall.MSG_PEEK)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		return n > 0 || errors.Is(err, syscall.EAGAIN)
	}
}
