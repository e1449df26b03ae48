package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// generator is one run of Publish.
type generator struct {
	opts     PublishOptions
	target   target
	template *template
	success  int
	caller   context.Context // tells an interrupted run from one out of time
	scores   *scoreboard

	end     time.Time      // no request is begun, or intended, from here on
	tickets chan time.Time // intended send times of an open loop; nil in a closed one
}

// dialAll opens all connections, side by side, so that a run begins with them.
func (g *generator) dialAll(ctx context.Context) ([]*conn, error) {
	conns := make([]*conn, g.opts.Conns)
	errs := make([]error, g.opts.Conns)
	const dialsAtOnce = 64
	for from := 0; from < len(conns); from += dialsAtOnce {
		var dials sync.WaitGroup
		for i := from; i < min(from+dialsAtOnce, len(conns)); i++ {
			dials.Go(func() { conns[i], errs[i] = dialTarget(ctx, g.target, g.opts.dial, g.opts.Timeout) })
		}
		dials.Wait()
		for _, err := range errs {
			if err != nil {
				closeAll(conns)
				return nil, err
			}
		}
	}
	return conns, nil
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		if c != nil {
			c.close()
		}
	}
}

func (g *generator) run(ctx context.Context, cancel context.CancelFunc, conns []*conn, progress io.Writer) *Result {
	begin := time.Now()
	g.end = begin.Add(g.opts.Duration)
	var pacing sync.WaitGroup
	defer pacing.Wait()
	if g.opts.Rate > 0 {
		// Deep enough for a burst after a stall; beyond it the pacer waits, and knows how late it is.
		g.tickets = make(chan time.Time, 1024)
		late := time.AfterFunc(g.opts.Duration+g.opts.Timeout, cancel)
		defer late.Stop()
		pacing.Go(func() { g.pace(ctx, begin) })
	}
	return g.drive(begin, conns, progress, func(i int, c *conn) {
		g.work(ctx, c, g.template.variant(i, len(conns)), g.scores.recorder(i))
	})
}

// drive runs the loops of all connections to their ends and returns what they counted.
func (g *generator) drive(begin time.Time, conns []*conn, progress io.Writer, work func(i int, c *conn)) *Result {
	var running sync.WaitGroup
	for i, c := range conns {
		running.Go(func() { work(i, c) })
	}
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	g.report(begin, done, progress)
	elapsed := time.Since(begin)
	g.scores.gather()
	return g.scores.total.result(elapsed)
}

// report writes progress until the run is done.
func (g *generator) report(begin time.Time, done <-chan struct{}, progress io.Writer) {
	if progress == nil {
		<-done
		return
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	last := begin
	for {
		select {
		case <-done:
			return
		case now := <-ticker.C:
			g.scores.progress(progress, now.Sub(begin), now.Sub(last))
			last = now
		}
	}
}

// pace hands out the intended send times of an open loop.
func (g *generator) pace(ctx context.Context, begin time.Time) {
	defer close(g.tickets)
	pause := g.opts.pause
	if pause == nil {
		pause = finePause()
	}
	interval := float64(time.Second) / g.opts.Rate * float64(g.opts.Batch)
	for n := int64(0); ; n++ {
		intended := begin.Add(time.Duration(float64(n) * interval))
		if !intended.Before(g.end) {
			return
		}
		for wait := time.Until(intended); wait > 0; wait = time.Until(intended) {
			if ctx.Err() != nil {
				return
			}
			pause(min(wait, 50*time.Millisecond))
		}
		select {
		case g.tickets <- intended:
		case <-ctx.Done():
			g.unsent(begin, n, interval)
			return
		}
	}
}

// unsent counts the requests from the n-th on that were never begun.
func (g *generator) unsent(begin time.Time, n int64, interval float64) {
	if g.caller.Err() != nil {
		return
	}
	r := g.scores.recorder(0)
	for ; begin.Add(time.Duration(float64(n) * interval)).Before(g.end); n++ {
		r.fail(kindUnsent, detailUnsent)
	}
}

const (
	kindUnsent   = "not sent in time"
	detailUnsent = "not sent in time: the server was slower than the rate for too long"
)

// work is the loop of one connection, which it takes ownership of.
func (g *generator) work(ctx context.Context, c *conn, requests *variant, r *recorder) {
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	for {
		intended, ok := g.next(ctx)
		if !ok {
			return
		}
		if ctx.Err() != nil { // an open loop out of time
			if g.caller.Err() == nil {
				r.fail(kindUnsent, detailUnsent)
			}
			continue
		}
		if c == nil {
			var err error
			if c, err = dialTarget(ctx, g.target, g.opts.dial, g.opts.Timeout); err != nil {
				c = nil
				g.failed(r, err)
				rest(ctx)
				continue
			}
		}
		err := c.exchange(ctx, requests.next(intended))
		if err != nil {
			g.failed(r, err)
		} else if status := c.reply.StatusCode(); status == g.success {
			g.accepted(r, c, time.Since(intended), g.opts.Batch)
		} else {
			refused(r, status, c.reply.Body())
		}
		if err != nil || c.reply.ConnectionClose() {
			c.close()
			c = nil
		}
	}
}

// refused counts a request that was answered with another status than success.
func refused(r *recorder, status int, reply []byte) {
	kind := fmt.Sprintf("status %d", status)
	r.fail(kind, kind+": "+excerpt(reply))
}

// accepted counts a request for so many messages that was answered with success: entries of a batch may have failed all
// the same.
func (g *generator) accepted(r *recorder, c *conn, latency time.Duration, messages int) {
	if g.opts.Batch > 1 && bytes.Contains(c.reply.Body(), entryFailed) {
		r.fail(kindEntries, kindEntries+": "+excerpt(c.reply.Body()))
		return
	}
	r.succeed(latency, messages)
}

// kindEntries is the error of a batch that was answered with success and failed in part.
const kindEntries = "entries of a batch failed"

// entryFailed stands in every reply to a batch that tells of a failed entry, and in no other.
var entryFailed = []byte("SenderFault")

// next waits for the time to send a request and returns when that was meant to be.
func (g *generator) next(ctx context.Context) (time.Time, bool) {
	if g.tickets != nil {
		intended, ok := <-g.tickets
		return intended, ok
	}
	now := time.Now()
	return now, now.Before(g.end) && ctx.Err() == nil
}

// failed counts a transport error, unless the caller's context is the reason.
func (g *generator) failed(r *recorder, err error) {
	if g.caller.Err() == nil {
		kind := transportKind(err)
		r.fail(kind, kind+": "+err.Error())
	}
}

// rest keeps a connection that cannot be made from being tried in a tight loop.
func rest(ctx context.Context) {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// transportKind names a transport error without addresses, so that equal ones are counted together.
func transportKind(err error) string {
	var errno syscall.Errno
	var netErr net.Error
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, fasthttp.ErrTimeout),
		errors.As(err, &netErr) && netErr.Timeout():
		return "timeout"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe):
		return "connection closed"
	default:
		return "transport"
	}
}

// excerpt is the beginning of a reply, in one line.
func excerpt(body []byte) string {
	const bytesMax = 200
	return string(appendPrintable(nil, body[:min(len(body), bytesMax)], false))
}
