package main

import (
	"context"
	"errors"
	"os"
	"runtime/debug"

	"fanfare/bench"
)

// benchProfile is the default of the bench command, so that --profile DIR can stand right behind it.
type benchProfile struct {
	Dir      string   `help:"Directory for the profiles and captures.json, which says how each was made." aliases:"profile" placeholder:"DIR"`
	Scenario []string `help:"Only these scenarios." placeholder:"NAME"`
	Seconds  int      `help:"Length of each profile." default:"10"`
	Commit   string   `help:"Commit, for captures.json; default that of the build." default:""`

	MutexFraction int `help:"Record one of so many contended unlocks." default:"5"`
	BlockRateNS   int `name:"block-rate-ns" help:"Record one wait in so many nanoseconds of waiting." default:"10000"`
}

// Run captures.
func (c *benchProfile) Run(ctx context.Context) error {
	if c.Dir == "" {
		return errors.New("bench: say what to measure: a command of \"fanfare bench --help\", or --profile DIR")
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	if c.Commit == "" {
		c.Commit = buildCommit()
	}
	return bench.Profile(ctx, bench.ProfileOptions{
		Executable: exe, Dir: c.Dir, Scenarios: c.Scenario, Seconds: c.Seconds, Commit: c.Commit, Out: os.Stderr,
		MutexFraction: c.MutexFraction, BlockRateNS: c.BlockRateNS,
	})
}

// buildCommit is the commit the program was built from, as far as the build knows it.
func buildCommit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	commit, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(len(s.Value), 7)]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", changed"
		}
	}
	return commit + modified
}
