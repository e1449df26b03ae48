package pipeline

import (
	"crypto/tls"
	"net"
	"syscall"
	"time"
)

const (
	readBufferSize = 4 << 10

	// earlyPatience is how long an answer is waited for that may lie behind a write that failed.
	earlyPatience = 50 * time.Millisecond
)

// Patience is how long an endpoint may take; zero is for ever.
type Patience struct {
	Write  time.Duration // for a write to move on
	Answer time.Duration // for the whole of a write, and then for each answer, from the end of what was before it
}

// Conn is one connection to an endpoint.
type Conn struct {
	nc  net.Conn
	raw net.Conn // below TLS
	tls bool

	// Out collects rendered requests until Flush. Its memory is the caller's.
	Out []byte
	// Written is how many bytes the last Flush has written.
	Written int

	refs     []ref       // bodies that are written from where they lie
	referred int         // their bytes
	parts    net.Buffers // of Out and refs, in their order; what the write under way has left of them
	memory   net.Buffers // of parts

	in         []byte
	start, end int // the unread bytes of in
	read       bool

	patience time.Duration // for an answer
	timed    bool          // the deadline of the answer being read is set
	used     time.Time     // as of the last deadline

	rest     syscall.RawConn // nil when the socket cannot be looked at
	look     func(fd uintptr)
	surprise bool // what look found

	// Reused says that the connection was idle before: its peer may have closed it meanwhile.
	Reused bool
	// IdleSince is when the connection was last given back.
	IdleSince time.Time
	// Flushed is when the last Flush began.
	Flushed time.Time
	// Born is when the connection was made.
	Born time.Time
}

// NewConn wraps a connected socket.
func NewConn(nc net.Conn) *Conn {
	c := &Conn{nc: nc, raw: nc, in: make([]byte, readBufferSize), Born: time.Now()}
	if t, ok := nc.(*tls.Conn); ok {
		c.raw, c.tls = t.NetConn(), true
	}
	if s, ok := c.raw.(syscall.Conn); ok {
		c.rest, _ = s.SyscallConn()
		c.look = c.lookAt
	}
	return c
}

// setDeadline sets the deadline to a time behind used; zero is none.
func (c *Conn) setDeadline(d time.Duration) error {
	if c.patience == 0 {
		return c.nc.SetDeadline(time.Time{})
	}
	return c.nc.SetDeadline(c.used.Add(d))
}

// Stale reports, after an error, whether nothing at all was read since the last Flush of a reused connection and
// the error came at once: then the peer most likely closed it while it was idle.
func (c *Conn) Stale(atOnce time.Duration) bool {
	return c.Reused && !c.read && time.Since(c.Flushed) < atOnce
}

// Quiet reports whether every byte that was received has been read.
func (c *Conn) Quiet() bool { return c.start == c.end }

// Resting reports whether the connection can carry a request as far as its socket tells: it is open, and nothing
// arrived that nobody asked for. Without a socket the answer is yes.
func (c *Conn) Resting() bool {
	if !c.Quiet() {
		return false
	}
	if c.rest == nil {
		return true
	}
	c.surprise = false
	err := c.rest.Control(c.look)
	return err == nil && !c.surprise
}

// Age is how old the connection was when it was last used.
func (c *Conn) Age() time.Duration { return c.used.Sub(c.Born) }

// Close closes the connection, without the farewell of TLS: for that a hostile peer could make one wait.
func (c *Conn) Close() { _ = c.raw.Close() }

// Abort closes the connection and drops what the peer has not taken yet, instead of leaving it with the kernel.
func (c *Conn) Abort() {
	if t, ok := c.raw.(interface{ SetLinger(sec int) error }); ok {
		_ = t.SetLinger(0)
	}
	c.Close()
}

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
	if !c.timed { // the first bytes of this answer that are missing; one deadline is for all of it
		c.timed = true
		c.used = time.Now()
		if err := c.setDeadline(c.patience); err != nil {
			return err
		}
	}
	n, err := c.nc.Read(c.in[c.end:])
	if n > 0 {
		c.read = true
		c.end += n
		return nil
	}
	return err
}
