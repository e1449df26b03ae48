package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// SuiteOptions say what Suite measures. Executable is needed, all else has a default.
type SuiteOptions struct {
	Executable string        // the program under test; every process of the suite is it
	Runs       int           // of each row and each side; default 5, at least 1
	Duration   time.Duration // of one run; default 2 s; some rows take half of it, or up to five times as long
	Warmup     time.Duration // of each server before a row's first run; default a fifth of the duration
	Faces      []string      // whose publish is measured; default all
	Rows       string        // only rows whose name or group contains it, and those measured with them; default all
	Many       int           // topics and subscriptions of the rows that have many; default 100,000, at least 100
	Dir        string        // in which a directory for the data is made; default the system's temporary one
	Commit     string        // for the report
	Command    string        // for the report: how the suite was called
	Peers      Peers         // programs of others to measure beside; default none
	Out        io.Writer     // gets a line per run; default none
}

func (o *SuiteOptions) setDefaults() {
	o.Runs = cmp.Or(o.Runs, 5)
	o.Duration = cmp.Or(o.Duration, 2*time.Second)
	o.Many = cmp.Or(o.Many, 100_000)
	o.Warmup = cmp.Or(o.Warmup, o.Duration/5)
	o.Command = cmp.Or(o.Command, "fanfare bench suite")
	if len(o.Faces) == 0 {
		o.Faces = Faces
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
}

// Validate reports everything that is wrong with the options. Zero values stand for their defaults.
func (o *SuiteOptions) Validate() error {
	var wrong []error
	if o.Executable == "" {
		wrong = append(wrong, errors.New("executable: is missing"))
	}
	if o.Runs < 0 {
		wrong = append(wrong, fmt.Errorf("runs: %d is negative", o.Runs))
	}
	if o.Duration < 0 || o.Warmup < 0 {
		wrong = append(wrong, fmt.Errorf("duration: %v, warm-up: %v: one is negative", o.Duration, o.Warmup))
	}
	if o.Many != 0 && (o.Many < 100 || o.Many > topicsMax) {
		wrong = append(wrong, fmt.Errorf("many: %d is not between 100 and %d", o.Many, topicsMax))
	}
	for _, face := range o.Faces {
		if !slices.Contains(Faces, face) {
			wrong = append(wrong, fmt.Errorf("faces: %q is none of %s", face, strings.Join(Faces, ", ")))
		}
	}
	return errors.Join(wrong...)
}

// suite is one run of Suite.
type suite struct {
	opts SuiteOptions
	dir  string   // of the data; removed at the end
	env  []string // settings of the processes, beside the caller's
	// The processes that cost nothing while they wait run all the time; an engine is started for each row.
	fixed, sink *process
	engines     int // started so far; names their data directories
	fixtures    map[fixture]string
	progress    progress
}

// Suite measures Fanfare against its ceilings and returns the report. A row that cannot be measured says
// so in the report; an error means that the suite itself could not run, or that the context ended, and
// then the report holds the rows that were measured before, and may be nil.
//
// Each server, load generator and loop is a process of its own on a loopback port the kernel chose. The
// program must say where it listens by a line of JSON with message "listening" and the addresses in
// listen and admin, and the load commands must print their result as JSON in their last line.
func Suite(ctx context.Context, opts SuiteOptions) (*Report, error) {
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("bench: suite: %w", err)
	}
	opts.setDefaults()
	if _, err := cpuTime(os.Getpid()); err != nil {
		return nil, err
	}
	s, err := newSuite(opts)
	if err != nil {
		return nil, fmt.Errorf("bench: suite: %w", err)
	}
	defer os.RemoveAll(s.dir)
	if s.fixed, err = s.start(ctx, "bench", "fixed-reply", "--listen", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	defer s.fixed.stop()
	if s.sink, err = s.start(ctx, "sink", "--listen", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	defer s.sink.stop()
	return s.measure(ctx)
}

// newSuite is a suite that starts processes of a program, in a directory that the caller removes.
func newSuite(opts SuiteOptions) (*suite, error) {
	var err error
	if opts.Executable, err = filepath.Abs(opts.Executable); err != nil {
		return nil, err
	}
	s := &suite{opts: opts, fixtures: map[fixture]string{}}
	s.dir, err = os.MkdirTemp(opts.Dir, "fanfare-bench-")
	return s, err
}

// measure runs the scenarios in their order.
func (s *suite) measure(ctx context.Context) (*Report, error) {
	r := &Report{
		Machine: thisMachine(s.dir), Commit: s.opts.Commit, Command: s.opts.Command, Date: time.Now().UTC(),
		Runs: s.opts.Runs, Duration: s.opts.Duration,
	}
	all := slices.DeleteFunc(s.scenarios(), func(sc *scenario) bool { return !sc.named(s.opts.Rows) })
	s.progress.begin(all)
	s.say("%d measurements of %d runs: about %v", len(all), s.opts.Runs, s.progress.total.Round(10*time.Second))
	for _, sc := range all {
		s.progress.next(sc)
		r.Rows = append(r.Rows, s.rows(ctx, sc)...)
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		s.progress.done(sc)
	}
	r.Peers = s.peers(ctx)
	return r, ctx.Err()
}

func (s *suite) say(format string, args ...any) { _, _ = fmt.Fprintf(s.opts.Out, format+"\n", args...) }
