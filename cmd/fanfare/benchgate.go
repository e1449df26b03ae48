package main

import (
	"cmp"
	"context"
	"os"
	"time"

	"fanfare/bench"
)

type benchGate struct {
	Ratios   string        `help:"File of the committed ratios." default:"bench/ratios.json" placeholder:"FILE"`
	Update   bool          `help:"Measure, and write the file instead of judging by it."`
	Runs     int           `help:"Pairs of a row's runs in one try." default:"3"`
	Duration time.Duration `help:"Length of one run." default:"1.2s"`
	Commit   string        `help:"Commit, for the file that --update writes; default that of the build." default:""`
}

// Help says what is judged.
func (*benchGate) Help() string {
	return `Measures the CPU time of publishes and pushes as multiples of what the bare HTTP library needs for the same on this machine
at this time, and fails when one is more than 1.5 times the committed multiple in three tries. It takes most of a minute.`
}

// Run judges.
func (c *benchGate) Run(ctx context.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return bench.Gate(ctx, bench.GateOptions{
		Executable: exe, Ratios: c.Ratios, Update: c.Update, Runs: c.Runs, Duration: c.Duration, Commit: cmp.Or(c.Commit, buildCommit()), Out: os.Stderr,
	})
}
