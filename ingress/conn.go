package ingress

import (
	"io"
	"net"
	"time"
)

// Limits of a lingering close.
const (
	lingerBytesMax = 16 << 20
	lingerTime     = 2 * time.Second
)

// listener is a listener whose connections are ours.
type listener struct{ net.Listener }

// Accept returns the next connection.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// conn is a client's connection. All but Close belongs to the connection's goroutine.
//
// It can be closed so that the last answer is read. A client that sends all of a refused body before it looks at the
// answer would find the connection reset instead: the system throws the answer away when there is unread input at
// the close.
//
// Its deadlines are set late: the server moves them several times per request, and hardly any is ever needed, since a
// request is there as a whole once its first byte is. What counts is the last one before a read or a write that really
// happens, and there a deadline that is a little late does.
type conn struct {
	net.Conn
	linger      bool
	read, write deadline
}

// deadlineSlack is how much later than asked for a deadline may come.
const deadlineSlack = 250 * time.Millisecond

// deadline is one that is wanted, and the one that is set.
type deadline struct{ want, set time.Time }

// move returns the deadline to set before the next system call, and false when the one that is set does.
func (d *deadline) move() (time.Time, bool) {
	if d.want.IsZero() {
		if d.set.IsZero() {
			return time.Time{}, false
		}
		d.set = time.Time{}
		return d.set, true
	}
	if late := d.set.Sub(d.want); late >= 0 && late <= deadlineSlack {
		return time.Time{}, false
	}
	d.set = d.want.Add(deadlineSlack)
	return d.set, true
}

// SetReadDeadline says until when the reads from the next one on may take.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.read.want = t
	return nil
}

// SetWriteDeadline says until when the writes from the next one on may take.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.write.want = t
	return nil
}

// SetDeadline is both.
func (c *conn) SetDeadline(t time.Time) error {
	c.read.want, c.write.want = t, t
	return nil
}

// Read reads from the connection.
func (c *conn) Read(p []byte) (int, error) {
	if t, ok := c.read.move(); ok {
		if err := c.Conn.SetReadDeadline(t); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

// Write writes to the connection.
func (c *conn) Write(p []byte) (int, error) {
	if t, ok := c.write.move(); ok {
		if err := c.Conn.SetWriteDeadline(t); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// Close closes the connection. If it is to linger, the sending half is closed first, and what the client still
// sends is read, up to a bound.
func (c *conn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger {
		c.linger = false
		if half.CloseWrite() == nil && c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			_, _ = io.CopyN(io.Discard, c.Conn, lingerBytesMax)
		}
	}
	return c.Conn.Close()
}

// lingerOnClose makes the close of a connection wait for its client.
func lingerOnClose(c net.Conn) {
	if l, ok := c.(*conn); ok {
		l.linger = true
	}
}
