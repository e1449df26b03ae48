package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// ReceiveOptions say how Receive empties a queue. Target and Queue are needed, all else has a default.
type ReceiveOptions struct {
	Target   string        // URL of the server, such as http://127.0.0.1:8080
	Queue    string        // must exist
	Conns    int           // connections, each with a receiver; default 32, at most 65,536
	Max      int           // messages of one receive; default 10, at most 10
	Duration time.Duration // after which no receive is begun; default 5 s
	Count    int64         // messages after which to end before that; default 0: none
	Timeout  time.Duration // of one request; default 10 s
	Account  string        // in the queue's name; default 000000000000

	dial dialFunc // default TCP
}

func (o *ReceiveOptions) setDefaults() {
	o.Conns = cmp.Or(o.Conns, 32)
	o.Max = cmp.Or(o.Max, batchMax)
	o.Duration = cmp.Or(o.Duration, 5*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.Account = cmp.Or(o.Account, "000000000000")
}

// Validate reports everything that is wrong with the options. Zero values stand for their defaults.
func (o *ReceiveOptions) Validate() error {
	var wrong faults
	check := wrong.check
	_, err := parseTarget(o.Target)
	check(err == nil, "%w", err)
	check(o.Queue != "", "queue: is missing")
	check(o.Conns >= 0 && o.Conns <= connsMax, "conns: %d is not between 1 and %d", o.Conns, connsMax)
	check(o.Max >= 0 && o.Max <= batchMax, "max: %d is not between 1 and %d", o.Max, batchMax)
	check(o.Duration >= 0, "duration: %v is negative", o.Duration)
	check(o.Count >= 0, "count: %d is negative", o.Count)
	check(o.Timeout == 0 || o.Timeout > receiveWait, "timeout: %v is no longer than a receive waits, %v", o.Timeout, receiveWait)
	return errors.Join(wrong...)
}

// ReceiveResult is what Receive measured. A latency is that of one receive and the delete behind it, in µs.
type ReceiveResult struct {
	Received  int64   `json:"received"` // and deleted
	Errors    int64   `json:"errors"`
	PerSecond float64 `json:"per_second"`
	P50       int64   `json:"p50_us"`
	P99       int64   `json:"p99_us"`
	P999      int64   `json:"p999_us"`
	Max       int64   `json:"max_us"`

	load *Result
}

func newReceiveResult(r *Result) *ReceiveResult {
	return &ReceiveResult{
		Received: r.Published, Errors: r.Errors, PerSecond: r.PerSecond, P50: r.P50, P99: r.P99, P999: r.P999, Max: r.Max, load: r,
	}
}

// String is the result for people, several lines long.
func (r *ReceiveResult) String() string {
	return strings.Replace(r.load.String(), "published", "received and deleted", 1)
}

// asLoad is the result in the form of a publish's, for the rows of the suite.
func (r *ReceiveResult) asLoad() Result {
	return Result{Published: r.Received, Errors: r.Errors, PerSecond: r.PerSecond, P50: r.P50, P99: r.P99, P999: r.P999, Max: r.Max}
}

// Receive receives messages from a queue with the JSON protocol of SQS and deletes each batch, on all connections at
// once, until the duration or the context is over or the count is reached, and returns what it measured. A line a second
// goes to progress, which may be nil.
func Receive(ctx context.Context, opts ReceiveOptions, progress io.Writer) (*ReceiveResult, error) {
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("bench: receive: %w", err)
	}
	opts.setDefaults()
	t, err := parseTarget(opts.Target)
	if err != nil {
		return nil, fmt.Errorf("bench: receive: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := &generator{
		opts:   PublishOptions{Conns: opts.Conns, Duration: opts.Duration, Timeout: opts.Timeout, Batch: batchMax, dial: opts.dial},
		target: t, caller: ctx, scores: newScoreboard(opts.Conns),
	}
	conns, err := g.dialAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("bench: receive: %w", err)
	}
	r := &receiving{generator: g, opts: opts, cancel: cancel, receive: receiveRequest(&opts, t)}
	begin := time.Now()
	g.end = begin.Add(opts.Duration)
	return newReceiveResult(g.drive(begin, conns, progress, func(i int, c *conn) { r.work(ctx, c, g.scores.recorder(i)) })), nil
}
