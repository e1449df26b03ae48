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

// lingering is a listener whose connections can be closed so that the last answer is read. A client that
// sends all of a refused body before it looks at the answer would find the connection reset instead: the
// system throws the answer away when there is unread input at the close.
type lingering struct{ net.Listener }

// Accept returns the next connection.
func (l lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingerConn{Conn: c}, nil
}

type lingerConn struct {
	net.Conn
	linger bool // the connection's goroutine only
}

// Close closes the connection. If it is to linger, the sending half is closed first, and what the client still
// sends is read, up to a bound.
func (c *lingerConn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger {
		c.linger = false
		if half.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			_, _ = io.CopyN(io.Discard, c.Conn, lingerBytesMax)
		}
	}
	return c.Conn.Close()
}

// lingerOnClose makes the close of a connection wait for its client.
func lingerOnClose(c net.Conn) {
	if l, ok := c.(*lingerConn); ok {
		l.linger = true
	}
}
