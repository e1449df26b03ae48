//go:build !race

package bench

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// A handler that only counts allocates nothing.
func TestSinkHandlerAllocs(t *testing.T) {
	s, err := NewSink(SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, handler := range map[string]fasthttp.RequestHandler{"sink": s.handle, "fixed reply": replyFixed} {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		if err := ctx.Request.Read(bufio.NewReader(bytes.NewReader(pushRequest))); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(1000, func() {
			ctx.Response.Reset()
			handler(&ctx)
		}); n != 0 {
			t.Errorf("%s: %v allocations per request", name, n)
		}
	}
}

var pushRequest = []byte("POST /hook HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nContent-Type: text/plain\r\n" +
	"Fanfare-Message-Id: 0123456789abcdef\r\nContent-Length: 1024\r\n\r\n" + Text(1024))

// A whole request, from the connection's bytes to the written answer, allocates nothing.
func TestSinkServerAllocs(t *testing.T) {
	s, err := NewSink(SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	serve := func(requests int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := s.server.ServeConn(&replay{left: requests}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	serve(100) // fill the pools
	const requests = 10_000
	few, many := serve(1), serve(1+requests)
	// A garbage collection may empty a pool on the way.
	if more := int64(many) - int64(few); more > requests/100 {
		t.Errorf("%d allocations in %d requests", more, requests)
	}
	if s.Requests() != 100+1+1+requests {
		t.Errorf("%d requests", s.Requests())
	}
}

// One exchange of the load generator allocates nothing.
func TestExchangeAllocs(t *testing.T) {
	reply := []byte("HTTP/1.1 201 Created\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\nbody")
	replies := bytes.NewReader(reply)
	c := &conn{net: &replay{}, reader: bufio.NewReader(replies), timeout: time.Minute}
	scores := newScoreboard(1)
	if n := testing.AllocsPerRun(1000, func() {
		replies.Reset(reply)
		if err := c.exchange(t.Context(), pushRequest); err != nil {
			t.Fatal(err)
		}
		scores.recorder(0).succeed(time.Millisecond, 1)
	}); n != 0 {
		t.Errorf("%v allocations per exchange", n)
	}
}

// replay is a connection on which a number of requests arrive and whose answers are dropped.
type replay struct {
	left int // requests
	rest []byte
}

func (r *replay) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		r.rest = pushRequest
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *replay) Write(p []byte) (int, error)      { return len(p), nil }
func (r *replay) Close() error                     { return nil }
func (r *replay) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (r *replay) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (r *replay) SetDeadline(time.Time) error      { return nil }
func (r *replay) SetReadDeadline(time.Time) error  { return nil }
func (r *replay) SetWriteDeadline(time.Time) error { return nil }
