package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"fanfare/bench"
)

type benchVary struct {
	Scenario string        `arg:"" help:"Scenario of \"fanfare bench profile\", such as publish-sync-256."`
	Variants []string      `arg:"" help:"What is set otherwise, as KEY=VALUE,KEY=VALUE, or default; all are compared with the first."`
	Runs     int           `help:"Runs of each variant, in turns." default:"5"`
	Duration time.Duration `help:"Length of one run." default:"3s"`
	JSON     bool          `name:"json" help:"Print the result as one line of JSON."`
}

// Help has examples.
func (*benchVary) Help() string {
	return `Measures one scenario with different settings, in turns on one machine: CPU time for each push, or publish, rate and latency.
A key is binary (the program), one of the scenario (durability, conns, size, fanout, pipeline, in_flight, delay, share, backlog),
in capitals a variable of the server's environment, and any other a key of its configuration file.

Examples:
  fanfare bench vary publish-sync-256 default GOGC=400
  fanfare bench vary push-plain-10 pipeline=1 pipeline=16,in_flight=128
  fanfare bench vary publish-sync-256 limits.in_flight_publishes=64 limits.in_flight_publishes=16384
  fanfare bench vary publish-memory-256 binary=./old binary=./new`
}

// Run measures.
func (c *benchVary) Run(ctx context.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := bench.Vary(ctx, bench.VaryOptions{
		Executable: exe, Scenario: c.Scenario, Variants: c.Variants, Runs: c.Runs, Duration: c.Duration, Out: os.Stderr,
	})
	if err != nil {
		return err
	}
	return printResult(result, c.JSON)
}

// benchPGOGain compares a program with itself, built with and without default.pgo.
type benchPGOGain struct {
	Without  string        `arg:"" help:"The program built with -pgo=off." type:"existingfile"`
	With     string        `arg:"" help:"The program built with -pgo=auto." type:"existingfile"`
	Scenario []string      `help:"Scenarios." default:"publish-sync-256,publish-memory-256,push-plain-10,push-pipelined-64"`
	Runs     int           `help:"Runs of each program and scenario, in turns." default:"5"`
	Duration time.Duration `help:"Length of one run." default:"3s"`
	JSON     bool          `name:"json" help:"Print each scenario's result as one line of JSON."`
}

// Run measures.
func (c *benchPGOGain) Run(ctx context.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	for _, scenario := range c.Scenario {
		result, err := bench.Vary(ctx, bench.VaryOptions{
			Executable: exe, Scenario: scenario, Variants: []string{"binary=" + c.Without, "binary=" + c.With},
			Runs: c.Runs, Duration: c.Duration, Out: os.Stderr,
		})
		if err != nil {
			return err
		}
		for i, file := range []string{c.Without, c.With} {
			result.Variants[i].Name = filepath.Base(file)
		}
		if err := printResult(result, c.JSON); err != nil {
			return err
		}
	}
	return nil
}
