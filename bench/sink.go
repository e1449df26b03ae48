package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	printedBytesMax = 4 << 10 // of a body
	recordedMax     = 4 << 20 // ids kept
)

// SinkOptions say what a Sink does with what arrives. The zero value counts and answers 200.
type SinkOptions struct {
	Status   int           // of every answer; default 200
	Delay    time.Duration // before every answer; default 0
	Print    io.Writer     // gets every request as text; default nil: none
	Progress io.Writer     // gets a line of counts a second unless Print is set; default nil: none
	Record   bool          // keep the ids of what arrived, for Seen
}

// Validate reports everything that is wrong with the options.
func (o *SinkOptions) Validate() error {
	var wrong []error
	if o.Status != 0 && (o.Status < 200 || o.Status > 599) {
		wrong = append(wrong, fmt.Errorf("status: %d is not between 200 and 599", o.Status))
	}
	if o.Delay < 0 {
		wrong = append(wrong, fmt.Errorf("delay: %v is negative", o.Delay))
	}
	return errors.Join(wrong...)
}

// Sink is a subscriber's HTTP server for trying and measuring: it takes every request, whatever the
// method and the path, and counts it. Of bodies that begin with a stamp, as Publish makes them, it takes the
// latency on arrival. GET /count is its own and answers {"requests":n,"bytes":n}, and so is GET /latency, which
// answers the latencies since DELETE /latency was last asked for.
type Sink struct {
	opts     SinkOptions
	server   *fasthttp.Server
	stop     chan struct{} // closed by Shutdown: ends delays
	stopOnce sync.Once

	requests atomic.Int64
	bytes    atomic.Int64 // of bodies
	arrivals *arrivals

	waitFor atomic.Int64 // the number of requests somebody waits for; MaxInt64 when nobody does
	mu      sync.Mutex
	waiters []waiter       // guarded by mu
	seen    map[string]int // guarded by mu; nil unless recording
	printed int            // guarded by mu
	text    []byte         // guarded by mu; scratch of printing
}

type waiter struct {
	requests int64
	reached  chan struct{}
}

// NewSink returns a sink; Serve makes it work.
func NewSink(opts SinkOptions) (*Sink, error) {
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("bench: sink: %w", err)
	}
	opts.Status = cmp.Or(opts.Status, fasthttp.StatusOK)
	s := &Sink{opts: opts, stop: make(chan struct{}), arrivals: newArrivals()}
	s.waitFor.Store(math.MaxInt64)
	if opts.Record {
		s.seen = map[string]int{}
	}
	s.server = bareServer(s.handle)
	return s, nil
}

// Serve answers requests until Shutdown, and closes the listener.
func (s *Sink) Serve(ln net.Listener) error {
	var lines sync.WaitGroup
	served := make(chan struct{})
	if s.opts.Progress != nil && s.opts.Print == nil {
		lines.Go(func() { s.report(served) })
	}
	err := s.server.Serve(ln)
	close(served)
	lines.Wait()
	return err
}

// Shutdown ends delays, stops listening, answers what has arrived, closes the connections and returns.
func (s *Sink) Shutdown(ctx context.Context) error {
	s.stopOnce.Do(func() { close(s.stop) })
	return s.server.ShutdownWithContext(ctx)
}

// Requests is the number of requests answered so far.
func (s *Sink) Requests() int64 { return s.requests.Load() }

// Bytes is the size of the bodies of these requests.
func (s *Sink) Bytes() int64 { return s.bytes.Load() }

// Seen returns how often each id arrived. The id is the header Fanfare-Message-Id, and the body of a
// request without one. It is empty unless the sink records.
func (s *Sink) Seen() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

// Wait returns when that many requests have been answered since the start, or with the context's error.
func (s *Sink) Wait(ctx context.Context, requests int64) error {
	w := waiter{requests, make(chan struct{})}
	s.mu.Lock()
	s.waiters = append(s.waiters, w)
	s.waitFor.Store(min(s.waitFor.Load(), requests))
	s.mu.Unlock()
	s.wake()
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiters = slices.DeleteFunc(s.waiters, func(other waiter) bool { return other == w })
		return ctx.Err()
	}
}

// wake lets go who waited for the requests there are.
func (s *Sink) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, kept := int64(math.MaxInt64), s.waiters[:0]
	for _, w := range s.waiters {
		if s.requests.Load() >= w.requests {
			close(w.reached)
			continue
		}
		next, kept = min(next, w.requests), append(kept, w)
	}
	s.waiters = kept
	// Until here waitFor was no more than what any waiter waits for, so a request counted meanwhile comes here too.
	s.waitFor.Store(next)
}

var messageIDHeader = []byte("fanfare-message-id")

// own answers the requests that are for the sink itself, and reports whether this was one.
func (s *Sink) own(ctx *fasthttp.RequestCtx) bool {
	if ctx.IsPost() {
		return false
	}
	switch path := ctx.Request.Header.RequestURI(); {
	case ctx.IsGet() && string(path) == "/count":
		_, _ = fmt.Fprintf(ctx, `{"requests":%d,"bytes":%d}`, s.requests.Load(), s.bytes.Load())
	case ctx.IsGet() && string(path) == "/latency":
		_, _ = ctx.Write(s.arrivals.json())
	case ctx.IsDelete() && string(path) == "/latency":
		s.arrivals.reset()
	default:
		return false
	}
	ctx.SetContentType("application/json")
	return true
}

func (s *Sink) handle(ctx *fasthttp.RequestCtx) {
	if s.own(ctx) {
		return
	}
	body := ctx.Request.Body()
	s.arrivals.take(body)
	if s.opts.Record {
		s.record(ctx, body)
	}
	if s.opts.Print != nil {
		s.print(ctx, body)
	}
	if s.opts.Delay > 0 {
		s.delay()
	}
	ctx.SetStatusCode(s.opts.Status)
	s.bytes.Add(int64(len(body)))
	if s.requests.Add(1) >= s.waitFor.Load() {
		s.wake()
	}
}

func (s *Sink) delay() {
	timer := time.NewTimer(s.opts.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.stop:
	}
}

func (s *Sink) record(ctx *fasthttp.RequestCtx, body []byte) {
	id := body
	for name, value := range ctx.Request.Header.All() {
		if bytes.EqualFold(name, messageIDHeader) {
			id = value
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.seen[string(id)]; known || len(s.seen) < recordedMax {
		s.seen[string(id)]++
	}
}

// print writes a request as one piece of text.
func (s *Sink) print(ctx *fasthttp.RequestCtx, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.printed++
	b := fmt.Appendf(s.text[:0], "--- %d  %s  from %s\n", s.printed, time.Now().Format("15:04:05.000"), ctx.RemoteAddr())
	b = append(appendPrintable(b, ctx.Method(), false), ' ')
	b = append(appendPrintable(b, ctx.Request.Header.RequestURI(), false), '\n')
	raw := bytes.TrimRight(ctx.Request.Header.RawHeaders(), "\r\n")
	b = append(appendPrintable(b, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), true), "\n\n"...)
	b = append(appendPrintable(b, body[:min(len(body), printedBytesMax)], true), '\n')
	if rest := len(body) - printedBytesMax; rest > 0 {
		b = fmt.Appendf(b, "(and %d bytes more)\n", rest)
	}
	s.text = b
	_, _ = s.opts.Print.Write(b) // a terminal that is gone is no reason to refuse a push
}

// report writes a line a second while something arrives.
func (s *Sink) report(served <-chan struct{}) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	last, lastTime := int64(0), time.Now()
	for {
		select {
		case <-served:
			return
		case now := <-ticker.C:
			requests := s.requests.Load()
			if requests != last {
				_, _ = fmt.Fprintf(s.opts.Progress, "%12s requests  %9s/s  %s bytes\n", grouped(requests),
					grouped(int64(perSecond(requests-last, now.Sub(lastTime)))), grouped(s.bytes.Load()))
			}
			last, lastTime = requests, now
		}
	}
}
