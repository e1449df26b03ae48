package bench

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"
)

// publisher is one connection over which messages are published, one at a time. It belongs to one goroutine.
type publisher interface {
	// publish returns when the message was answered. After an error the connection is of no use.
	publish(ctx context.Context) error
	close()
}

const peerTimeout = 10 * time.Second // of one publish

// publishAll publishes from all connections in a closed loop, and returns when each has its last answer.
func publishAll(ctx context.Context, length time.Duration, dial func(context.Context) (publisher, error)) *Result {
	scores := newScoreboard(peerConns)
	begin := time.Now()
	end := begin.Add(length)
	var running sync.WaitGroup
	for i := range peerConns {
		running.Go(func() { publishUntil(ctx, end, dial, scores.recorder(i)) })
	}
	running.Wait()
	elapsed := time.Since(begin)
	scores.gather()
	return scores.total.result(elapsed)
}

// publishUntil is the loop of one connection, and of those that follow it when it breaks.
func publishUntil(ctx context.Context, end time.Time, dial func(context.Context) (publisher, error), r *recorder) {
	var p publisher
	defer func() {
		if p != nil {
			p.close()
		}
	}()
	for time.Now().Before(end) && ctx.Err() == nil {
		var err error
		if p == nil {
			if p, err = dial(ctx); err != nil {
				p = nil
				r.fail(transportKind(err), err.Error())
				rest(ctx)
				continue
			}
		}
		intended := time.Now()
		if err = p.publish(ctx); err == nil {
			r.succeed(time.Since(intended), 1)
			continue
		}
		r.fail(transportKind(err), err.Error())
		p.close()
		p = nil
	}
}

// httpPublisher sends the same request again and again.
type httpPublisher struct {
	conn    *conn
	request []byte
	success int
}

// dialHTTP returns how a form is published to a server.
func dialHTTP(addr string, f form) func(context.Context) (publisher, error) {
	request := f.request(addr)
	return func(ctx context.Context) (publisher, error) {
		c, err := dialTarget(ctx, target{addr: addr}, nil, peerTimeout)
		if err != nil {
			return nil, err
		}
		return &httpPublisher{conn: c, request: request, success: f.success}, nil
	}
}

// request is the bytes of the form.
func (f form) request(host string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\n", f.path, host)
	for i := 0; i+1 < len(f.headers); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", f.headers[i], f.headers[i+1])
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(f.body), f.body)
	return b.Bytes()
}

func (p *httpPublisher) publish(ctx context.Context) error {
	if err := p.conn.exchange(ctx, p.request); err != nil {
		return err
	}
	if status := p.conn.reply.StatusCode(); status != p.success {
		return fmt.Errorf("status %d: %s", status, excerpt(p.conn.reply.Body()))
	}
	return nil
}

func (p *httpPublisher) close() { p.conn.close() }
