package crashtest

import (
	"bytes"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// conn is the client's side of a connection to an endpoint in memory. There is no goroutine on the other side: a
// write is parsed and answered at once, by the writer.
type conn struct {
	network *network
	host    int

	mu       sync.Mutex
	in       []byte    // guarded by mu: requests that are not whole yet
	out      []byte    // guarded by mu: answers that are not read yet
	heard    []int     // guarded by mu: arrivals whose acknowledgements are in out
	stuck    bool      // guarded by mu: nothing is answered any more
	cut      bool      // guarded by mu: the endpoint closed it
	closed   bool      // guarded by mu: the client closed it
	deadline time.Time // guarded by mu

	wake chan struct{}
}

func (c *conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Write hands bytes to the endpoint.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.signal()
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.cut:
		return 0, syscall.EPIPE
	}
	c.in = append(c.in, p...)
	for !c.cut && !c.stuck {
		r, size, ok := parseRequest(c.in)
		if !ok {
			break
		}
		c.network.serve(c, &r)
		c.in = c.in[size:]
	}
	return len(p), nil
}

// Read takes answers.
func (c *conn) Read(p []byte) (int, error) {
	for {
		c.mu.Lock()
		n := copy(p, c.out)
		c.out = c.out[n:]
		var heard []int
		if n > 0 && len(c.out) == 0 {
			heard, c.heard = c.heard, nil
		}
		closed, cut, deadline := c.closed, c.cut, c.deadline
		c.mu.Unlock()
		for _, i := range heard {
			c.network.history.heard(i)
		}
		switch {
		case n > 0:
			return n, nil
		case closed:
			return 0, net.ErrClosed
		case cut:
			return 0, io.EOF
		}
		if err := c.wait(deadline); err != nil {
			return 0, err
		}
	}
}

func (c *conn) wait(deadline time.Time) error {
	if deadline.IsZero() {
		<-c.wake
		return nil
	}
	left := time.Until(deadline)
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	late := time.NewTimer(left)
	defer late.Stop()
	select {
	case <-c.wake:
		return nil
	case <-late.C:
		return os.ErrDeadlineExceeded
	}
}

// Close ends the connection from the client's side.
func (c *conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.signal()
	c.network.forget(c)
	return nil
}

// sever ends the connection from the endpoint's side.
func (c *conn) sever() {
	c.mu.Lock()
	c.cut = true
	c.mu.Unlock()
	c.signal()
}

// SetDeadline is for reads: a write never blocks.
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	c.signal()
	return nil
}

// SetReadDeadline is SetDeadline.
func (c *conn) SetReadDeadline(t time.Time) error { return c.SetDeadline(t) }

// SetWriteDeadline does nothing.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// LocalAddr names nothing.
func (c *conn) LocalAddr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// RemoteAddr names nothing.
func (c *conn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// request is what an endpoint looks at.
type request struct {
	path     string
	id       string
	sequence uint64
	body     []byte // valid until serve returns
}

// parseRequest reads a request at the beginning of b, if it is whole.
func parseRequest(b []byte) (r request, size int, ok bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return r, 0, false
	}
	length := 0
	for i, line := range bytes.Split(b[:end], []byte("\r\n")) {
		if i == 0 {
			r.path = string(bytes.Split(line, []byte(" "))[1])
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Content-Length":
			length, _ = strconv.Atoi(string(value))
		case "Id":
			r.id = string(value)
		case "Sequence":
			r.sequence, _ = strconv.ParseUint(string(value), 10, 64)
		}
	}
	size = end + 4 + length
	if len(b) < size {
		return r, 0, false
	}
	r.body = b[end+4 : size]
	return r, size, true
}
