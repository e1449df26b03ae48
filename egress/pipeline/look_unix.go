//go:build unix

package pipeline

import (
	"errors"
	"syscall"
)

// lookAt reads one byte without waiting. Only a socket that is open and has nothing to say answers EAGAIN; any
// other is not used again, so that the byte is no loss.
func (c *Conn) lookAt(fd uintptr) {
	var b [1]byte
	_, err := syscall.Read(int(fd), b[:])
	c.surprise = !errors.Is(err, syscall.EAGAIN)
}
