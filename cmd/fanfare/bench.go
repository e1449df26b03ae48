package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"fanfare/bench"
)

type benchCommand struct {
	Publish    benchPublish    `cmd:"" help:"Publish to a running server and report rate and latency."`
	Receive    benchReceive    `cmd:"" help:"Receive from a queue of a running server, delete, and report rate and latency."`
	Push       benchPush       `cmd:"" help:"Push from this process alone, without HTTP in front: what a push costs."`
	PushLoop   benchPushLoop   `cmd:"" name:"push-loop" help:"Post one fixed body in a bare client loop: the ceiling of the pushes."`
	FixedReply benchFixedReply `cmd:"" help:"Serve one fixed reply: the ceiling of the publishes."`
	Profile    benchProfile    `cmd:"" default:"withargs" help:"Capture profiles of a server under load (also: fanfare bench --profile DIR)."`
	Vary       benchVary       `cmd:"" help:"Measure a scenario with different settings, in turns."`
	PGOGain    benchPGOGain    `cmd:"" name:"pgo-gain" help:"Measure what default.pgo is worth, by two builds of the program in turns."`
	Gate       benchGate       `cmd:"" help:"Fail when publishes or pushes cost much more than the committed ratios say."`
	Suite      benchSuite      `cmd:"" help:"Start server, ceilings and load as processes, measure their CPU time per message, and write the report."`
	Compare    benchCompare    `cmd:"" help:"Compare two reports of the suite."`
	Page       benchPage       `cmd:"" help:"Write the page of a report of the suite."`
}

type benchPublish struct {
	Target   string        `help:"URL of the server." default:"http://127.0.0.1:8080"`
	Face     string        `help:"API to publish through; sqs sends to a queue." enum:"smq,rocketmq,dms,smn,sns,sqs,native" default:"native" placeholder:"smq|rocketmq|dms|smn|sns|sqs|native"`
	Topic    string        `help:"Topic, or queue of sqs; it must exist." required:""`
	Size     int           `help:"Bytes of a message's body." default:"1024"`
	Conns    int           `help:"Connections, with one request in flight on each." default:"32"`
	Duration time.Duration `help:"How long to publish." default:"5s"`
	Topics   int           `help:"Publish to TOPIC-000000 and on in turn, that many; 1 is TOPIC itself." default:"1"`
	Stamp    bool          `help:"Begin bodies with their intended send time, for the latencies of a sink."`
	Rate     float64       `help:"Messages per second of an open loop, whose latency counts from the intended time; 0 is a closed loop." default:"0"`
	Region   string        `help:"Region in the names of sns and smn." default:""`
	Batch    int           `help:"Messages in a request of sns or sqs, up to 10." default:"1"`
	Groups   int           `help:"Messages for a FIFO topic of sns or queue of sqs, in so many groups in turn; 0 is none." default:"0"`
	signFlags
	JSON bool `name:"json" help:"Print the result as one line of JSON."`
}

// Run publishes.
func (c *benchPublish) Run(ctx context.Context) error {
	opts := bench.PublishOptions{
		Target: c.Target, Face: c.Face, Topic: c.Topic, SizeBytes: c.Size, Conns: c.Conns, Duration: c.Duration, Rate: c.Rate,
		Region: c.Region, Topics: c.Topics, Stamp: c.Stamp, Batch: c.Batch, Groups: c.Groups,
	}
	if err := c.sign(&opts); err != nil {
		return err
	}
	result, err := bench.Publish(ctx, opts, os.Stderr)
	if err != nil {
		return err
	}
	return printLoad(result, c.JSON, result.Errors, result.Published, "published")
}

// printLoad prints the result of a load. One in which nothing was done is an error.
func printLoad(result fmt.Stringer, asJSON bool, failed, done int64, what string) error {
	if err := printResult(result, asJSON); err != nil {
		return err
	}
	if asJSON && failed > 0 {
		fmt.Fprintln(os.Stderr, result) // with the kinds of errors
	}
	if done == 0 {
		return errors.New("nothing was " + what)
	}
	return nil
}

// printResult prints a result for people, or as one line of JSON.
func printResult(result fmt.Stringer, asJSON bool) error {
	if !asJSON {
		_, err := fmt.Fprintln(os.Stdout, result)
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

type benchPushLoop struct {
	Target   string        `help:"URL to post to." required:""`
	Size     int           `help:"Bytes of the body." default:"1024"`
	Conns    int           `help:"Connections." default:"32"`
	Pipeline int           `help:"Requests written at once on each; with 1 the loop is one of fasthttp's client, else one of bare sockets." default:"1"`
	Duration time.Duration `help:"How long to post." default:"5s"`
	Count    int64         `help:"Requests after which to end before that; 0 is no such number." default:"0"`
	JSON     bool          `name:"json" help:"Print the result as one line of JSON."`
}

// Run posts.
func (c *benchPushLoop) Run(ctx context.Context) error {
	result, err := bench.PushLoop(ctx, bench.PushLoopOptions{
		Target: c.Target, SizeBytes: c.Size, Conns: c.Conns, Pipeline: c.Pipeline, Duration: c.Duration, Count: c.Count,
	})
	if err != nil {
		return err
	}
	return printResult(result, c.JSON)
}

type benchFixedReply struct {
	Listen string `help:"Address to listen on." default:"127.0.0.1:9001" placeholder:"HOST:PORT"`
}

// Run serves until the context ends.
func (c *benchFixedReply) Run(ctx context.Context) error {
	return serveUntil(ctx, c.Listen, bench.NewFixedReply())
}

type benchSuite struct {
	Runs     int           `help:"Runs of each row and side." default:"5"`
	Duration time.Duration `help:"Length of one run." default:"2s"`
	Quick    bool          `help:"One short run of each row and a tenth of the topics: to see that all works, not for figures."`
	Rows     string        `help:"Only rows whose name or group contains this."`
	Commit   string        `help:"Commit, for the report."`
	JSON     string        `name:"json" help:"File for the report as JSON as well." placeholder:"FILE"`
	pageFlags
	compareFlags
	peerFlags
}

// Run measures and writes the report.
func (c *benchSuite) Run(ctx context.Context) error {
	// A terminal, or a pager, that goes away must not leave the suite's processes behind.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	old, err := c.readOld()
	if err != nil {
		return err
	}
	if _, err := c.readNotes(); err != nil { // now, not when everything is measured
		return err
	}
	opts := bench.SuiteOptions{
		Executable: exe, Runs: c.Runs, Duration: c.Duration, Rows: c.Rows, Commit: c.Commit, Out: os.Stderr,
		Command: "fanfare " + strings.Join(os.Args[1:], " "), Peers: c.find(),
	}
	if c.Quick {
		opts.Runs, opts.Duration, opts.Many = 1, 250*time.Millisecond, 10_000
	}
	report, suiteErr := bench.Suite(ctx, opts)
	if report == nil {
		return suiteErr
	}
	// What was measured before an interruption is reported all the same, and the figures are kept if the page cannot be.
	var jsonErr error
	if c.JSON != "" {
		jsonErr = writeTo(c.JSON, func(w io.Writer) error { return bench.WriteReportJSON(w, report) })
	}
	if err := errors.Join(jsonErr, c.writePage(report)); err != nil {
		return err
	}
	return errors.Join(suiteErr, report.Failed(), c.compareWith(old, report))
}

func writeTo(file string, write func(io.Writer) error) error {
	if file == "-" {
		return write(os.Stdout)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
