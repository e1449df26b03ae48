package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Peers are programs of others that the suite measures at the same work. An empty path is none.
type Peers struct {
	NSQD       string // nsqd
	NSQToHTTP  string // nsq_to_http, which pushes what nsqd has; both are needed
	GoAWS      string // goaws
	NATSServer string // nats-server
}

// FindPeers returns the peers with those that are on the PATH filled in where there is no path.
func FindPeers(given Peers) Peers {
	for name, path := range map[string]*string{
		"nsqd": &given.NSQD, "nsq_to_http": &given.NSQToHTTP, "goaws": &given.GoAWS, "nats-server": &given.NATSServer,
	} {
		if found, err := exec.LookPath(name); err == nil && *path == "" {
			*path = found
		}
	}
	return given
}

const (
	peerConns = 32 // connections that publish, with one message in flight on each
	peerTopic = "bench"
)

// contestant is one program at the common work: its row, how it is started, and what runs once it is.
type contestant struct {
	row    Row
	start  func(context.Context, *contestant) error
	pushes bool // to the suite's sink

	processes []*process // all of them are on the bill
	dial      func(context.Context) (publisher, error)
	err       error // why it is out
}

// peers measures the peers, and Fanfare at the work of each, in turns. A suite without peers has no such rows. The
// programs run from the first round to the last, so that a round is short: an idle one costs next to nothing.
//
// The load comes from the suite's own process, for all of them the same: a connection publishes its next message
// when the last was answered. A run ends when the last push has arrived.
func (s *suite) peers(ctx context.Context) []Row {
	all := s.contestants()
	for _, c := range all {
		defer c.stop()
		if c.err = c.start(ctx, c); c.err == nil {
			_, c.err = s.contest(ctx, c, s.opts.Warmup)
		}
	}
	for i := range s.opts.Runs {
		for _, c := range all {
			if c.err != nil {
				continue
			}
			var run Run
			if run, c.err = s.contest(ctx, c, s.opts.Duration); c.err == nil {
				c.row.Runs = append(c.row.Runs, run)
				s.say("%s  run %d of %d: %s, %s/s", c.row.Name, i+1, s.opts.Runs, figure(c.row.Unit, run.Engine), number(run.PerSecond))
			}
		}
	}
	return s.standings(ctx, all)
}

// standings are the rows of the contestants. After an interruption those without figures have none.
func (s *suite) standings(ctx context.Context, all []*contestant) []Row {
	rows := make([]Row, 0, len(all))
	for _, c := range all {
		if c.err != nil && ctx.Err() == nil {
			s.say("%s: %v", c.row.Name, c.err)
			c.row.Failure = excerpt([]byte(c.err.Error()))
		}
		if c.row.Failure != "" || len(c.row.Runs) > 0 {
			b := builder{row: c.row, want: s.opts.Runs, errors: c.row.Errors}
			rows = append(rows, b.finish())
		}
	}
	return rows
}

// contestants lists who takes part: the peers there are, and Fanfare with the promises that are nearest to theirs.
func (s *suite) contestants() []*contestant {
	var all []*contestant
	add := func(name, note string, pushes bool, start func(context.Context, *contestant) error) {
		row := Row{Group: groupPeers, Name: name, Note: note, Unit: unitMicros, Latency: latencyPublish}
		all = append(all, &contestant{row: row, start: start, pushes: pushes})
	}
	p := s.opts.Peers
	if p.NSQD != "" && p.NSQToHTTP != "" {
		add("nsqd and nsq_to_http", nsqNote, true, s.startNSQ)
	}
	if p.GoAWS != "" {
		add("goaws", goawsNote, true, s.startGoAWS)
	}
	if len(all) > 0 {
		add("Fanfare, native", "Answers when the message is synced to the disk; pushes from then on, in the background, and again until it is taken.",
			true, func(ctx context.Context, c *contestant) error { return s.startFanfare(ctx, c, "native", "sync") })
	}
	if p.GoAWS != "" {
		add("Fanfare, sns, memory", "Keeps nothing on the disk, as goaws; pushes in the background.",
			true, func(ctx context.Context, c *contestant) error { return s.startFanfare(ctx, c, "sns", "memory") })
	}
	if p.NATSServer != "" {
		add("nats-server, JetStream", natsNote, false, func(ctx context.Context, c *contestant) error { return s.startNATS(ctx, c, "2m") })
		add("nats-server, JetStream, synced", natsSyncedNote, false, func(ctx context.Context, c *contestant) error { return s.startNATS(ctx, c, "always") })
		add("Fanfare, native, publish alone", "Answers when the message is synced to the disk; nothing is pushed, as with nats-server.",
			false, func(ctx context.Context, c *contestant) error { return s.startFanfare(ctx, c, "native", "sync") })
	}
	return slices.DeleteFunc(all, func(c *contestant) bool {
		return !strings.Contains(c.row.Group, s.opts.Rows) && !strings.Contains(c.row.Name, s.opts.Rows)
	})
}

// contest is one run: so long a load, and the pushes of all that was published.
func (s *suite) contest(ctx context.Context, c *contestant, length time.Duration) (Run, error) {
	arrived, err := s.sunk(ctx)
	if err != nil {
		return Run{}, err
	}
	before, err := c.cpu()
	if err != nil {
		return Run{}, err
	}
	begin := time.Now()
	result := publishAll(ctx, length, c.dial)
	if result.Published == 0 {
		return Run{}, fmt.Errorf("nothing was published: %s", strings.Join(result.Failures, "; "))
	}
	if c.pushes {
		if err := s.waitSunk(ctx, arrived+result.Published); err != nil {
			return Run{}, err
		}
	}
	took := time.Since(begin)
	after, err := c.cpu()
	if err != nil {
		return Run{}, err
	}
	c.row.Errors += result.Errors
	return Run{
		Engine: micros(after-before) / float64(result.Published), PerSecond: perSecond(result.Published, took),
		P50: float64(result.P50), P99: float64(result.P99), P999: float64(result.P999),
	}, ctx.Err()
}

// cpu is the CPU time of all its processes.
func (c *contestant) cpu() (time.Duration, error) {
	sum, errs := time.Duration(0), make([]error, 0, len(c.processes))
	for _, p := range c.processes {
		d, err := p.cpu()
		sum += d
		errs = append(errs, err)
	}
	return sum, errors.Join(errs...)
}

// stop ends its processes, the last one first: the one that pushes before the one it takes from.
func (c *contestant) stop() {
	for _, p := range slices.Backward(c.processes) {
		p.stop()
	}
}
