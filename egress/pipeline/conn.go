package pipeline

import (
	"net"
	"time"
)

const (
	readBufferSize = 4 << 10

	// writeBufferKept is the largest write buffer a connection keeps while it is idle.
	writeBufferKept = 64 << 10
)

// Conn is one connection to an endpoint.
type Conn struct {
	nc net.Conn

	// Out collects rendered requests until Flush.
	Out []byte

	in         []byte
	start, end int // the unread bytes of in
	read       bool

	// Reused says that the connection was idle before: its peer may have closed it meanwhile.
	Reused bool
	// IdleSince is when the connection was last given back.
	IdleSince time.Time
}

// NewConn wraps a connected socket.
func NewConn(nc net.Conn) *Conn {
	return &Conn{nc: nc, Out: make([]byte, 0, 2048), in: make([]byte, readBufferSize)}
}

// Flush writes what Out holds and empties it. The deadline is for the write and for the answers to it.
func (c *Conn) Flush(deadline time.Time) error {
	if err := c.nc.SetDeadline(deadline); err != nil {
		return err
	}
	c.read = false
	_, err := c.nc.Write(c.Out)
	c.Out = c.Out[:0]
	if cap(c.Out) > writeBufferKept {
		c.Out = make([]byte, 0, 2048)
	}
	return err
}

// Stale reports, after an error, whether nothing at all was read since the last Flush of a reused
// connection: then the peer most likely closed it while it was idle.
func (c *Conn) Stale() bool { return c.Reused && !c.read }

// Quiet reports whether every byte that was received has been read.
func (c *Conn) Quiet() bool { return c.start == c.end }

// Close closes the connection.
func (c *Conn) Close() { _ = c.nc.Close() }

// fill reads more bytes behind those that are there.
func (c *Conn) fill() error {
	if c.start == c.end {
		c.start, c.end = 0, 0
	} else if c.end == len(c.in) {
		if c.start == 0 {
			return ErrHeadTooLarge
		}
		c.end = copy(c.in, c.in[c.start:c.end])
		c.start = 0
	}
	n, err := c.nc.Read(c.in[c.end:])
	if n > 0 {
		c.read = true
		c.end += n
		return nil
	}
	return err
}
