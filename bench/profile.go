package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ProfileOptions say what Profile captures. Executable and Dir are needed, all else has a default.
type ProfileOptions struct {
	Executable string        // the program to look into
	Dir        string        // for the profiles and their index; made if it is not there
	Scenarios  []string      // names of ProfileScenarios; default all
	Seconds    int           // of each profile; default 10, at most 600
	Warmup     time.Duration // of the load before; default 1 s
	TempDir    string        // in which a directory for the data is made; default the system's temporary one
	Commit     string        // for the index
	Out        io.Writer     // gets a line per profile; default none

	MutexFraction int // of the server whose locks and waits are profiled; default 5
	BlockRateNS   int // likewise; default 10,000

	tail time.Duration // of the load, behind the profiles; default 1 s
}

func (o *ProfileOptions) setDefaults() {
	o.Seconds = cmp.Or(o.Seconds, 10)
	o.Warmup = cmp.Or(o.Warmup, time.Second)
	o.tail = cmp.Or(o.tail, time.Second)
	o.MutexFraction = cmp.Or(o.MutexFraction, 5)
	o.BlockRateNS = cmp.Or(o.BlockRateNS, 10_000)
	if o.Out == nil {
		o.Out = io.Discard
	}
}

// Validate reports everything that is wrong with the options. Zero values stand for their defaults.
func (o *ProfileOptions) Validate() error {
	var wrong faults
	check := wrong.check
	check(o.Executable != "", "executable: is missing")
	check(o.Dir != "", "dir: is missing")
	check(o.Seconds >= 0 && o.Seconds <= 600, "seconds: %d is not between 1 and 600", o.Seconds)
	check(o.Warmup >= 0, "warm-up: %v is negative", o.Warmup)
	check(o.MutexFraction >= 0, "mutex fraction: %d is negative", o.MutexFraction)
	check(o.BlockRateNS >= 0, "block rate: %d is negative", o.BlockRateNS)
	_, err := profileScenarios(o.Scenarios)
	check(err == nil, "%w", err)
	return errors.Join(wrong...)
}

// Profile captures profiles of a real server under the scenarios' load, into files beside an index that says how each
// was made. The CPU profile is taken of a server of its own, which records nothing about locks and waits, since
// recording them costs CPU time as well.
func Profile(ctx context.Context, opts ProfileOptions) error {
	if err := opts.Validate(); err != nil {
		return fmt.Errorf("bench: profile: %w", err)
	}
	scenarios, err := profileScenarios(opts.Scenarios)
	if err != nil {
		return fmt.Errorf("bench: profile: %w", err)
	}
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return fmt.Errorf("bench: profile: %w", err)
	}
	index, err := readIndex(opts.Dir)
	if err != nil {
		return fmt.Errorf("bench: profile: %w", err)
	}
	s, err := newSuite(SuiteOptions{Executable: opts.Executable, Dir: opts.TempDir, Out: cmp.Or[io.Writer](opts.Out, io.Discard)})
	if err != nil {
		return fmt.Errorf("bench: profile: %w", err)
	}
	defer os.RemoveAll(s.dir)
	p := newProfiler(opts, s)
	defer p.client.CloseIdleConnections()
	for _, sc := range scenarios {
		capture, err := p.capture(ctx, sc)
		if err != nil {
			return fmt.Errorf("bench: profile %s: %w", sc.Name, err)
		}
		// After each, so that what was captured before an interruption has its commands beside it.
		index.put(capture)
		if err := index.write(opts.Dir); err != nil {
			return fmt.Errorf("bench: profile: %w", err)
		}
	}
	return nil
}

// profiler is one run of Profile.
type profiler struct {
	opts   ProfileOptions
	suite  *suite
	client *http.Client
}

func newProfiler(opts ProfileOptions, s *suite) *profiler {
	opts.setDefaults()
	return &profiler{opts: opts, suite: s, client: &http.Client{Transport: &http.Transport{}}}
}

// profileKind is one kind of profile: its name in file names, and on the admin listener.
type profileKind struct{ name, path string }

// capture takes all profiles of one scenario.
func (p *profiler) capture(ctx context.Context, sc ProfileScenario) (*ProfileCapture, error) {
	c := &ProfileCapture{
		ProfileScenario: sc, Commit: p.opts.Commit, Date: time.Now().UTC().Truncate(time.Second), Machine: thisMachine(p.suite.dir),
		Command: fmt.Sprintf("fanfare bench profile --dir DIR --scenario %s --seconds %d", sc.Name, p.opts.Seconds),
	}
	rates := []string{
		"--profiling-mutex-fraction", strconv.Itoa(p.opts.MutexFraction),
		"--profiling-block-rate-ns", strconv.Itoa(p.opts.BlockRateNS),
	}
	if err := p.session(ctx, c, nil, profileKind{"cpu", "profile"}); err != nil {
		return nil, err
	}
	err := p.session(ctx, c, rates, profileKind{"allocs", "allocs"}, profileKind{"mutex", "mutex"}, profileKind{"block", "block"})
	return c, err
}

// session takes profiles of some kinds at one time, of one server.
func (p *profiler) session(ctx context.Context, c *ProfileCapture, flags []string, kinds ...profileKind) error {
	rig, err := startRig(ctx, p.suite, c.ProfileScenario, flags...)
	if err != nil {
		return err
	}
	defer rig.stop()
	if err := rig.calibrate(ctx); err != nil {
		return err
	}
	loading, cancel := context.WithCancel(ctx)
	defer cancel()
	load := make(chan loaded, 1)
	go func() { load <- p.load(loading, rig) }()
	profiles, err := p.fetch(ctx, rig, kinds)
	if err != nil {
		cancel()
		<-load
		return err
	}
	if rig.backlog > 0 {
		cancel() // it is replayed until then; a load generator ends by itself
	}
	done := <-load
	if done.err != nil {
		return done.err
	}
	if kinds[0].name == "cpu" {
		c.PerSecond, c.CPU = done.run.perSecond(), done.run.each()
		for i := range c.Faces {
			described := profileRig{scenario: c.ProfileScenario}
			c.Load = append(c.Load, "fanfare "+strings.Join(described.loadArgs(i, p.loadTime(), rig.rate), " "))
		}
		p.suite.say("%s: %s/s, %.2f µs of CPU each, errors %d", c.Name, grouped(int64(c.PerSecond)), c.CPU, done.run.errors)
	}
	for i, kind := range kinds {
		if err := p.keep(c, kind, profiles[i], flags); err != nil {
			return err
		}
	}
	return nil
}

// loaded is how the load of a session ended.
type loaded struct {
	run profileRun
	err error
}

// loadTime is how long a load generator runs, so that it still does when the profiles end.
func (p *profiler) loadTime() time.Duration {
	return p.opts.Warmup + time.Duration(p.opts.Seconds)*time.Second + p.opts.tail
}

// load makes the load of a session. A backlog is pushed again and again until the context ends.
func (p *profiler) load(ctx context.Context, rig *profileRig) loaded {
	if rig.backlog > 0 {
		run, err := rig.drain(ctx)
		return loaded{run, err}
	}
	run, err := rig.run(ctx, p.loadTime())
	return loaded{run, err}
}

// fetch waits until the load has warmed up, and gets the profiles side by side.
func (p *profiler) fetch(ctx context.Context, rig *profileRig, kinds []profileKind) ([][]byte, error) {
	warm := time.NewTimer(p.opts.Warmup)
	defer warm.Stop()
	select {
	case <-warm.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	profiles := make([][]byte, len(kinds))
	errs := make([]error, len(kinds))
	var fetching sync.WaitGroup
	for i, kind := range kinds {
		fetching.Go(func() {
			profiles[i], errs[i] = fetchProfile(ctx, p.client, rig.server.admin, kind.path, p.opts.Seconds)
		})
	}
	fetching.Wait()
	return profiles, errors.Join(errs...)
}

// keep writes a profile, without this machine's directories.
func (p *profiler) keep(c *ProfileCapture, kind profileKind, profile []byte, flags []string) error {
	profile, err := scrubProfile(profile)
	if err != nil {
		return err
	}
	described := profileRig{scenario: c.ProfileScenario}
	f := ProfileFile{
		File: c.Name + "." + kind.name + ".pb.gz", Kind: kind.name, Bytes: len(profile),
		Server: "fanfare " + strings.Join(append(described.serverArgs("DATA"), flags...), " "),
		Fetch:  "curl -o FILE 'http://ADMIN" + profilePath(kind.path, p.opts.Seconds) + "'",
	}
	c.Files = append(c.Files, f)
	p.suite.say("%s: %s, %d bytes", c.Name, f.File, f.Bytes)
	return os.WriteFile(filepath.Join(p.opts.Dir, f.File), profile, 0o644)
}
