package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// replyBytesMax is the largest reply body a load generator reads.
const replyBytesMax = 1 << 20

// dialFunc opens a connection; nil means TCP. Tests inject their own.
type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// conn is one keep-alive connection: prepared request bytes out, one reply in. It belongs to one
// goroutine and ends with the context it was dialled under.
type conn struct {
	net     net.Conn
	reader  *bufio.Reader
	reply   fasthttp.Response // of the last exchange; valid until the next one
	timeout time.Duration
	renewed time.Time // when the deadline was last moved
	forget  func() bool
}

// dialTarget connects to the target. The timeout is that of one exchange, and of the dial.
func dialTarget(ctx context.Context, t target, dial dialFunc, timeout time.Duration) (*conn, error) {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nc, err := dial(dialCtx, "tcp", t.addr)
	if err != nil {
		return nil, err
	}
	if t.tls {
		host, _, _ := net.SplitHostPort(t.addr) // parseTarget joined it
		secured := tls.Client(nc, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
		if err := secured.HandshakeContext(dialCtx); err != nil {
			_ = nc.Close()
			return nil, err
		}
		nc = secured
	}
	c := &conn{net: nc, reader: bufio.NewReaderSize(nc, 4096), timeout: timeout}
	c.forget = context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	return c, nil
}

func (c *conn) close() {
	c.forget()
	_ = c.net.Close()
}

// exchange sends a request and reads its reply into c.reply. After an error the connection is of no use.
func (c *conn) exchange(ctx context.Context, request []byte) error {
	// Moving a deadline costs a timer operation, so it is moved seldom: an exchange has its timeout and up
	// to an eighth more.
	if now := time.Now(); now.Sub(c.renewed) > c.timeout/8 {
		c.renewed = now
		if err := c.net.SetDeadline(now.Add(c.timeout + c.timeout/8)); err != nil {
			return err
		}
		// A context that ended just before has had its deadline overwritten.
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if _, err := c.net.Write(request); err != nil {
		return err
	}
	return c.reply.ReadLimitBody(c.reader, replyBytesMax)
}

// call makes one request on a connection of its own and returns the status and the body of the reply.
func call(ctx context.Context, addr, method, path, body string) (int, string, error) {
	c, err := dialTarget(ctx, target{addr: addr}, nil, 10*time.Second)
	if err != nil {
		return 0, "", err
	}
	defer c.close()
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, path, addr, len(body), body)
	if err := c.exchange(ctx, []byte(request)); err != nil {
		return 0, "", fmt.Errorf("%s %s: %w", method, path, err)
	}
	return c.reply.StatusCode(), string(c.reply.Body()), nil
}
