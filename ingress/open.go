package ingress

import (
	"syscall"

	"github.com/valyala/fasthttp"
)

// IsOpen reports whether the client of a request still has its connection open, as far as that can be seen without
// reading from it. Any goroutine may ask while the request is being answered.
func IsOpen(ctx *fasthttp.RequestCtx) bool {
	c, ok := ctx.Conn().(*conn)
	if !ok {
		return true
	}
	s, ok := c.Conn.(syscall.Conn)
	if !ok {
		return true // there is nothing to look at, such as below TLS
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	open := true
	if raw.Control(func(fd uintptr) { open = lookAt(int(fd)) }) != nil {
		return false
	}
	return open
}
