package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// PushLoopOptions say what PushLoop posts. Target is needed, all else has a default.
type PushLoopOptions struct {
	Target    string        // URL to post to, with its path
	SizeBytes int           // of the body; default 1024, at most 16 MiB
	Conns     int           // connections; default 32, at most 65,536
	Pipeline  int           // requests written at once on each; default 1, at most 1024
	Duration  time.Duration // in which requests are begun; default 5 s
	Count     int64         // requests after which the loop ends before its time; default 0: no such number
	Timeout   time.Duration // for the last requests, after the duration; default 10 s
}

// Validate reports everything that is wrong with the options. Zero values stand for their defaults.
func (o *PushLoopOptions) Validate() error {
	as := PublishOptions{
		Target: o.Target, Topic: "none", SizeBytes: o.SizeBytes, Conns: o.Conns,
		Duration: o.Duration, Timeout: o.Timeout,
	}
	err := as.Validate()
	if o.Count < 0 {
		err = errors.Join(err, fmt.Errorf("count: %d is negative", o.Count))
	}
	if o.Pipeline < 0 || o.Pipeline > 1024 {
		err = errors.Join(err, fmt.Errorf("pipeline: %d is not between 1 and 1024", o.Pipeline))
	}
	return err
}

func (o *PushLoopOptions) setDefaults() {
	o.SizeBytes = cmp.Or(o.SizeBytes, 1024)
	o.Conns = cmp.Or(o.Conns, 32)
	o.Pipeline = cmp.Or(o.Pipeline, 1)
	o.Duration = cmp.Or(o.Duration, 5*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
}

// PushLoopResult is what PushLoop did and what that cost.
type PushLoopResult struct {
	Pushed    int64   `json:"pushed"` // answered with a status below 300
	Errors    int64   `json:"errors"`
	PerSecond float64 `json:"per_second"`
	CPU       int64   `json:"cpu_us"` // CPU time of the whole process meanwhile; 0 where the system cannot tell
}

// String is the result for people, in one line.
func (r *PushLoopResult) String() string {
	perPush := 0.0
	if r.Pushed > 0 {
		perPush = float64(r.CPU) / float64(r.Pushed)
	}
	return fmt.Sprintf("pushed %s, %s per second, %.2f µs of CPU each, errors %s\n",
		grouped(r.Pushed), grouped(int64(r.PerSecond)), perPush, grouped(r.Errors))
}

// PushLoop is the ceiling of a push: a bare loop on fasthttp's HostClient that posts one fixed body until
// the duration, the count or the context is over. With a pipeline it is one on bare sockets, without TLS.
func PushLoop(ctx context.Context, opts PushLoopOptions) (*PushLoopResult, error) {
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("bench: push loop: %w", err)
	}
	opts.setDefaults()
	t, err := parseTarget(opts.Target)
	if err != nil {
		return nil, fmt.Errorf("bench: push loop: %w", err)
	}
	// A bare loop sets no deadline for a request. What hangs ends with the connection, which ends with the context.
	ctx, cancel := context.WithTimeout(ctx, opts.Duration+opts.Timeout)
	defer cancel()
	client := &fasthttp.HostClient{
		Addr:                      t.addr,
		IsTLS:                     t.tls,
		Dial:                      func(addr string) (net.Conn, error) { return dialBound(ctx, addr) },
		MaxConns:                  opts.Conns,
		MaxResponseBodySize:       64 << 10,
		MaxIdemponentCallAttempts: 1, // no attempt is made that is not counted
		// The client's own cleaner looks at the pool this often, and ends when the pool is empty.
		MaxIdleConnDuration: 100 * time.Millisecond,
	}
	defer client.CloseIdleConnections()
	l := &pushLoop{opts: opts, client: client}
	work := l.work
	if opts.Pipeline > 1 {
		work = newPipelined(l, t).work
	}
	cpu := OwnCPU()
	begin := time.Now()
	l.end = begin.Add(opts.Duration)
	var running sync.WaitGroup
	for range opts.Conns {
		running.Go(func() { work(ctx) })
	}
	running.Wait()
	return &PushLoopResult{
		Pushed:    l.pushed.Load(),
		Errors:    l.errors.Load(),
		PerSecond: perSecond(l.pushed.Load(), time.Since(begin)),
		CPU:       (OwnCPU() - cpu).Microseconds(),
	}, nil
}

// dialBound opens a connection that is closed when the context ends.
func dialBound(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", addr)
	if err == nil {
		context.AfterFunc(ctx, func() { _ = nc.Close() })
	}
	return nc, err
}

type pushLoop struct {
	opts   PushLoopOptions
	client *fasthttp.HostClient
	end    time.Time

	begun, pushed, errors atomic.Int64
}

func (l *pushLoop) work(ctx context.Context) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.SetRequestURI(l.opts.Target)
	req.Header.SetContentType("text/plain;charset=utf-8")
	req.SetBodyString(Text(l.opts.SizeBytes))
	for ctx.Err() == nil && time.Now().Before(l.end) {
		if l.opts.Count > 0 && l.begun.Add(1) > l.opts.Count {
			return
		}
		switch err := l.client.Do(req, resp); {
		case err != nil:
			l.errors.Add(1)
			rest(ctx)
		case resp.StatusCode() >= fasthttp.StatusMultipleChoices:
			l.errors.Add(1)
		default:
			l.pushed.Add(1)
		}
	}
}
