package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// pipelined is the ceiling of a pipelined push: connections on which so many fixed requests are written with one
// write, and as many answers, all of the length of the first, are read back.
type pipelined struct {
	loop    *pushLoop
	target  target
	depth   int
	once    []byte // one request
	batch   []byte // depth of them
	timeout time.Duration
}

func newPipelined(l *pushLoop, t target) *pipelined {
	body := Text(l.opts.SizeBytes)
	// What a push carries, so that the bytes are as many.
	once := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: fanfare\r\nFanfare-Topic: fanned\r\n"+
		"Fanfare-Subscription: s0\r\nFanfare-Message-Id: 7f1d0c2e-9b6a-4b7e-8f3e-5a4c3d2b1a09\r\nFanfare-Sequence: 123456\r\n"+
		"Fanfare-Attempt: 1\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", t.prefix+"/", t.host, len(body), body)
	return &pipelined{loop: l, target: t, depth: l.opts.Pipeline, once: once, batch: bytes.Repeat(once, l.opts.Pipeline), timeout: l.opts.Timeout}
}

// work is the loop of one connection.
func (p *pipelined) work(ctx context.Context) {
	for ctx.Err() == nil && time.Now().Before(p.loop.end) {
		err := p.exchanges(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			p.loop.errors.Add(1)
			rest(ctx)
		}
	}
}

// exchanges makes them on one connection until the time is over, or the count is reached.
func (p *pipelined) exchanges(ctx context.Context) error {
	nc, err := dialBound(ctx, p.target.addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	in := make([]byte, 64<<10)
	length, err := p.first(nc, in)
	if err != nil {
		return err
	}
	for time.Now().Before(p.loop.end) {
		n := int64(p.depth)
		if most := p.loop.opts.Count; most > 0 && p.loop.begun.Add(n) > most {
			return nil
		}
		if _, err := nc.Write(p.batch); err != nil {
			return err
		}
		for left := p.depth * length; left > 0; {
			k, err := nc.Read(in)
			if err != nil {
				return err
			}
			left -= k
		}
		p.loop.pushed.Add(n)
	}
	return nil
}

var errAnswer = errors.New("bench: the answer is no success with a known length")

// first makes one exchange and returns the length of its answer.
func (p *pipelined) first(nc net.Conn, in []byte) (length int, err error) {
	if err := nc.SetDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	if _, err := nc.Write(p.once); err != nil {
		return 0, err
	}
	for {
		n, err := nc.Read(in[length:])
		length += n
		if err != nil {
			return 0, err
		}
		head := bytes.Index(in[:length], headEnd)
		if head < 0 {
			continue
		}
		var h fasthttp.ResponseHeader
		if err := h.Read(bufio.NewReader(bytes.NewReader(in[:length]))); err != nil {
			return 0, err
		}
		if h.StatusCode() >= fasthttp.StatusMultipleChoices || h.ContentLength() < 0 {
			return 0, errAnswer
		}
		if want := head + len(headEnd) + h.ContentLength(); length >= want {
			return want, nc.SetDeadline(time.Time{})
		}
	}
}

var headEnd = []byte("\r\n\r\n")
