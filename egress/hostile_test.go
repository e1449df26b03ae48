package egress_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// readMax is what may be read from a socket for one answer: its bound, and what a read may bring in beyond.
const readMax = 64<<10 + 4<<10

// meter opens connections and counts what is read from each.
type meter struct {
	mu    sync.Mutex
	conns []*meteredConn
}

type meteredConn struct {
	*net.TCPConn
	read   atomic.Int64
	closed atomic.Bool
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

func (c *meteredConn) Close() error {
	c.closed.Store(true)
	return c.TCPConn.Close()
}

func (m *meter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &meteredConn{TCPConn: nc.(*net.TCPConn)}
	if err := c.SetWriteBuffer(16 << 10); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns = append(m.conns, c)
	return c, nil
}

// readings returns the number of connections, of those that are open, and the most that was read from one.
func (m *meter) readings() (conns, open int, most int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		if !c.closed.Load() {
			open++
		}
		most = max(most, c.read.Load())
	}
	return len(m.conns), open, most
}

// request reads one request.
func request(c net.Conn) (*http.Request, error) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	return r, err
}

// reply answers with a text and waits for the other end to hang up.
func reply(text string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := request(c); err == nil {
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c)
		}
	}
}

// replyAndClose answers with a text and hangs up.
func replyAndClose(text string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := request(c); err == nil {
			_, _ = io.WriteString(c, text)
		}
		_ = c.Close()
	}
}

// endlessly answers with a text, and then with another for as long as anybody takes it.
func endlessly(head, piece string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := request(c); err != nil {
			return
		}
		if _, err := io.WriteString(c, head); err != nil {
			return
		}
		piece := strings.Repeat(piece, 1+(16<<10)/len(piece))
		for {
			if _, err := io.WriteString(c, piece); err != nil {
				return
			}
		}
	}
}

// ordeal is what one delivery to a hostile endpoint is to end in.
type ordeal struct {
	meter
	house    *house
	sub      *engine.Subscription
	overhead int64 // of the bytes on the socket
}

// suffer publishes one message for a subscription.
func suffer(t *testing.T, opts egress.Options, config engine.SubscriptionConfig, body string) *ordeal {
	t.Helper()
	o := &ordeal{}
	if opts.Dial == nil && opts.Resolver == nil {
		opts.Dial = o.dial
	}
	opts.BreakerFailures = 1000
	config.Name = "s"
	config.Retry.MinDelay, config.Retry.MaxDelay = time.Millisecond, time.Millisecond
	if config.Retry.MaxAttempts == 0 {
		config.Retry.MaxAttempts = 2
	}
	o.house = newHouse(t, newMemory(), opts)
	topic := o.house.topic("orders")
	o.sub = o.house.subscribe(topic, config)
	o.house.publish(topic, body)
	return o
}

// buried waits for the dead letter and checks that the attempts failed for a reason, read no more than they may, and
// left no connection open.
func (o *ordeal) buried(t *testing.T, failure string) engine.DeadLetter {
	t.Helper()
	eventually(t, "the message is buried", func() bool { return o.house.Egress.Stats().Buried == 1 })
	if got := o.sub.Receiver().State().LastFailure; got != failure {
		t.Errorf("it failed with %q, want %q", got, failure)
	}
	var letter engine.DeadLetter
	eventually(t, "there is a dead letter", func() bool {
		found := false
		err := o.house.Engine.DeadLetters(o.sub, engine.DeadLetterFilter{}, func(d engine.DeadLetter, _ *engine.Message) bool {
			letter, found = d, true
			return true
		})
		return err == nil && found
	})
	if letter.Reason != "max_attempts" || letter.Attempts != 2 {
		t.Errorf("dead letter %+v, want max_attempts after 2", letter)
	}
	conns, open, most := o.readings()
	if open > 0 {
		t.Errorf("%d connections are still open", open)
	}
	if conns > 2 {
		t.Errorf("%d connections for two attempts", conns)
	}
	if most > readMax+o.overhead {
		t.Errorf("%d bytes were read of one answer", most)
	}
	if st := o.house.Egress.Stats(); st.Delivered != 0 || st.Failed != 2 {
		t.Errorf("%d delivered, %d failed, want 0 and 2", st.Delivered, st.Failed)
	}
	return letter
}

// delivered waits until the message is settled as delivered, at the first attempt.
func (o *ordeal) delivered(t *testing.T) {
	t.Helper()
	eventually(t, "the message is delivered", func() bool { return o.house.Egress.Stats().Delivered == 1 })
	if st := o.house.Egress.Stats(); st.Failed != 0 {
		t.Errorf("%d attempts failed", st.Failed)
	}
	if _, _, most := o.readings(); most > readMax {
		t.Errorf("%d bytes were read of one answer", most)
	}
}

const (
	ok200      = "HTTP/1.1 200 OK\r\n"
	chunked200 = ok200 + "Transfer-Encoding: chunked\r\n\r\n"
)

// Endpoints that answer nonsense, too much, or not at all. Their attempts fail at once, long before time runs out.
func TestHostileAnswersFailAtOnce(t *testing.T) {
	const (
		closed    = "connection closed before the end of the answer"
		tooLarge  = "answer too large"
		lineLarge = "answer too large: a line of its head"
		malformed = "answer malformed"
	)
	f := func(name string, serve func(net.Conn), failure string) {
		t.Run(name, func(t *testing.T) {
			config := engine.SubscriptionConfig{Endpoint: kindtest.Listen(t, serve), Retry: engine.RetryPolicy{Timeout: time.Minute}}
			suffer(t, egress.Options{}, config, "hello").buried(t, failure)
		})
	}
	f("closes unread", func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); _ = c.Close() }, "connection reset")
	f("closes unanswered", replyAndClose(""), closed)
	f("resets", func(c net.Conn) {
		_, _ = request(c)
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}, "connection reset")
	f("closes in the status line", replyAndClose("HTTP/1.1 20"), closed)
	f("closes behind the headers", replyAndClose(ok200+"Content-Length: 5\r\n\r\n"), closed)
	f("closes in the body", replyAndClose(ok200+"Content-Length: 5\r\n\r\nhell"), closed)
	f("closes in a chunk", replyAndClose(chunked200+"5\r\nhell"), closed)
	f("closes behind a 100", replyAndClose("HTTP/1.1 100 Continue\r\n\r\n"), closed)

	f("endless header lines", endlessly(ok200, "X-More: and more\r\n"), tooLarge)
	f("a million header lines", endlessly(ok200, "A:\r\n"), tooLarge)
	f("endless header line", endlessly(ok200, "X"), lineLarge)
	f("endless status line", endlessly("", "HTTP/1.1 200 "), lineLarge)
	f("endless body", endlessly(ok200+"\r\n", "x"), tooLarge)
	f("ten gibibytes announced", endlessly(ok200+"Content-Length: 10737418240\r\n\r\n", "x"), tooLarge)
	f("ten gibibytes announced and none sent", reply(ok200+"Content-Length: 10737418240\r\n\r\n"), tooLarge)
	f("a length beyond numbers", reply(ok200+"Content-Length: 99999999999999999999999\r\n\r\n"), malformed)
	f("endless chunks", endlessly(chunked200, "10\r\n0123456789abcdef\r\n"), tooLarge)
	f("endless chunks of a byte", endlessly(chunked200, "1\r\nx\r\n"), tooLarge)
	f("one chunk of 256 MiB", endlessly(chunked200+"fffffff\r\n", "x"), tooLarge)
	f("a chunk beyond numbers", endlessly(chunked200+"ffffffffffffffff\r\n", "x"), malformed)
	f("a negative chunk", reply(chunked200+"-5\r\nhello\r\n0\r\n\r\n"), malformed)
	f("endless chunk extension", endlessly(chunked200+"5;", "x=y;"), lineLarge)
	f("long chunk extension", reply(chunked200+"5;"+strings.Repeat("x", 300)+"\r\nhello\r\n0\r\n\r\n"), malformed)
	f("endless trailers", endlessly(chunked200+"0\r\n", "X: y\r\n"), tooLarge)
	f("chunks of garbage", reply(chunked200+"hello\r\n"), malformed)
	f("endless gzip", endlessly(ok200+"Content-Encoding: gzip\r\n\r\n", gzipBomb()), tooLarge)
	f("endless 100", endlessly("", "HTTP/1.1 100 Continue\r\n\r\n"), "answer malformed: too many 1xx")
	f("endless 103 with headers", endlessly("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), "answer malformed: too many 1xx")
	f("100 with endless headers", endlessly("HTTP/1.1 100 Continue\r\n", "X: y\r\n"), tooLarge)
	f("101", reply("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"), malformed)
	f("HTTP/0.9", replyAndClose("<html>hello</html>\n"), malformed)
	f("HTTP/2", reply("\x00\x00\x12\x04\x00\x00\x00\x00\x00\n"), malformed)
	f("SSH", reply("SSH-2.0-OpenSSH_9.2p1\r\n"), malformed)
	f("endless zeros", endlessly("", "\x00"), lineLarge)
	f("two lengths", reply(ok200+"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello"), malformed)
	f("length and chunks", reply(ok200+"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), malformed)
	f("chunks in HTTP/1.0", reply("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), malformed)
	f("413 before the request is read", func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}, "HTTP 413")
}

// Endpoints that make one wait are waited for as long as the attempt's timeout, and no longer.
func TestHostileSilenceTimesOut(t *testing.T) {
	f := func(name string, serve func(net.Conn), body, failure string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := engine.SubscriptionConfig{
				Endpoint: kindtest.Listen(t, serve), Retry: engine.RetryPolicy{Timeout: 200 * time.Millisecond},
			}
			suffer(t, egress.Options{WriteTimeout: 150 * time.Millisecond}, config, body).buried(t, failure)
		})
	}
	small, large := "hello", strings.Repeat("x", 8<<20)
	f("never reads a small request", func(net.Conn) {}, small, "no answer in time")
	f("never reads a large request", func(net.Conn) {}, large, "write timed out")
	f("reads a byte at a time", func(c net.Conn) {
		drip(c, func() error { _, err := c.Read(make([]byte, 1)); return err })
	}, large, "write timed out")
	f("never answers", reply(""), small, "no answer in time")
	f("stops in the status line", reply("HTTP/1.1 2"), small, "no answer in time")
	f("stops in the headers", reply(ok200+"Content-Length: 0\r\n"), small, "no answer in time")
	f("stops in the body", reply(ok200+"Content-Length: 9\r\n\r\nhello"), small, "no answer in time")
	f("stops behind a 100", reply("HTTP/1.1 100 Continue\r\n\r\n"), small, "no answer in time")
	f("never ends the chunks", reply(chunked200+"5\r\nhello\r\n"), small, "no answer in time")
	f("never ends a body without a length", reply(ok200+"\r\nhello"), small, "no answer in time")
	f("drips its answer", func(c net.Conn) {
		if _, err := request(c); err != nil {
			return
		}
		drip(c, func() error { _, err := io.WriteString(c, "H"); return err })
	}, small, "no answer in time")
	f("drips its body", func(c net.Conn) {
		if _, err := request(c); err != nil {
			return
		}
		_, _ = io.WriteString(c, ok200+"Content-Length: 1000\r\n\r\n")
		drip(c, func() error { _, err := io.WriteString(c, "x"); return err })
	}, small, "no answer in time")
	f("answers early and does not read", func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
	}, large, "HTTP 413")
	f("takes what it has not read", func(c net.Conn) {
		_, _ = io.WriteString(c, ok200+"Content-Length: 0\r\n\r\n")
	}, large, "answered before the request was written")
}

// drip does something every twentieth of a second until it fails.
func drip(c net.Conn, act func() error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	defer c.Close()
	for range tick.C {
		if act() != nil {
			return
		}
	}
}
