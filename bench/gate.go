package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// GateOptions say what Gate judges. Executable and Ratios are needed, all else has a default.
type GateOptions struct {
	Executable string        // the program under test; every process is it
	Ratios     string        // file of the committed ratios
	Update     bool          // measure, and write the file instead of judging by it
	Runs       int           // pairs of a row's runs in one try; default 3
	Duration   time.Duration // of one run; default 1.2 s
	TempDir    string        // in which a directory for the data is made; default the system's temporary one
	Commit     string        // for the file
	Out        io.Writer     // gets a line per try, and the table; default none
}

func (o *GateOptions) setDefaults() {
	o.Runs = cmp.Or(o.Runs, 3)
	o.Duration = cmp.Or(o.Duration, 1200*time.Millisecond)
	if o.Out == nil {
		o.Out = io.Discard
	}
}

// Validate reports everything that is wrong with the options. Zero values stand for their defaults.
func (o *GateOptions) Validate() error {
	var wrong []error
	if o.Executable == "" {
		wrong = append(wrong, errors.New("executable: is missing"))
	}
	if o.Ratios == "" {
		wrong = append(wrong, errors.New("ratios: the file is not named"))
	}
	if o.Runs < 0 {
		wrong = append(wrong, fmt.Errorf("runs: %d is negative", o.Runs))
	}
	if o.Duration < 0 {
		wrong = append(wrong, fmt.Errorf("duration: %v is negative", o.Duration))
	}
	return errors.Join(wrong...)
}

// Gate measures a few ratios of the engine to its ceilings and compares them with committed ones. ErrGate means that a
// row is beyond 1.5 times its committed ratio in three tries: not that the machine is slow, which the ceiling is as
// well, and hardly that it is busy, which is no matter of CPU time.
func Gate(ctx context.Context, opts GateOptions) error {
	if err := opts.Validate(); err != nil {
		return fmt.Errorf("bench: gate: %w", err)
	}
	opts.setDefaults()
	s, err := newSuite(SuiteOptions{Executable: opts.Executable, Dir: opts.TempDir, Out: opts.Out})
	if err != nil {
		return fmt.Errorf("bench: gate: %w", err)
	}
	defer os.RemoveAll(s.dir)
	g := &gate{opts: opts, suite: s}
	rows := g.rows()
	if !opts.Update {
		committed, err := readGateRatios(opts.Ratios, rows) // before anything is measured
		if err != nil {
			return err
		}
		g.committed = committed.Ratios
	}
	if _, err := cpuTime(os.Getpid()); err != nil {
		return err
	}
	if err := g.start(ctx); err != nil {
		return err
	}
	defer g.stop()
	if opts.Update {
		return g.update(ctx, rows)
	}
	verdicts, err := judge(ctx, rows, g.committed, s.say)
	if err != nil {
		return err
	}
	writeVerdicts(opts.Out, verdicts)
	return closed(verdicts)
}

// gate is one run of Gate.
type gate struct {
	opts        GateOptions
	suite       *suite
	committed   map[string]float64
	fixed, sink *process
}

func (g *gate) start(ctx context.Context) (err error) {
	if g.fixed, err = g.suite.start(ctx, "bench", "fixed-reply", "--listen", "127.0.0.1:0"); err != nil {
		return err
	}
	if g.sink, err = g.suite.start(ctx, "sink", "--listen", "127.0.0.1:0"); err != nil {
		g.fixed.stop()
	}
	return err
}

func (g *gate) stop() {
	g.sink.stop()
	g.fixed.stop()
}

// rows are what the gate measures.
func (g *gate) rows() []gateRow {
	var rows []gateRow
	for _, c := range []struct{ face, durability string }{{"native", "sync"}, {"native", "memory"}, {"sns", "memory"}} {
		rows = append(rows, gateRow{
			fmt.Sprintf("publish %s, %s, 256 connections", c.face, c.durability),
			func(ctx context.Context) (gatePair, error) { return g.publish(ctx, c.face, c.durability) },
		})
	}
	for _, c := range []struct {
		name     string
		pipeline int
	}{{"push plain, fan-out 10", 1}, {"push pipelined 16, fan-out 10", 16}} {
		rows = append(rows, gateRow{c.name, func(ctx context.Context) (gatePair, error) { return g.push(ctx, c.pipeline) }})
	}
	return rows
}

// publish compares the server with the one of a fixed reply, under the same load, in turns.
func (g *gate) publish(ctx context.Context, face, durability string) (gatePair, error) {
	engine, err := startRig(ctx, g.suite, ProfileScenario{Durability: durability, Faces: []string{face}, Conns: 256, SizeBytes: 1024})
	if err != nil {
		return gatePair{}, err
	}
	defer engine.stop()
	ceiling := &profileRig{suite: g.suite, scenario: engine.scenario, server: g.fixed, sink: g.sink}
	for _, rig := range []*profileRig{ceiling, engine} {
		if _, err := rig.run(ctx, g.opts.Duration/4); err != nil {
			return gatePair{}, err
		}
	}
	return g.pairs(
		func() (float64, error) { return eachOf(ceiling.run(ctx, g.opts.Duration)) },
		func() (float64, error) { return eachOf(engine.run(ctx, g.opts.Duration)) },
	)
}

func eachOf(run profileRun, err error) (float64, error) {
	if err == nil && run.errors > 0 {
		err = fmt.Errorf("%d publishes failed", run.errors)
	}
	return run.each(), err
}

// push compares the engine and its egress alone with a bare loop that posts as much.
func (g *gate) push(ctx context.Context, pipeline int) (gatePair, error) {
	const conns, fanout = 20, 10
	loop := func() (float64, error) {
		var r PushLoopResult
		err := g.suite.run(ctx, &r, g.pushArgs("push-loop", "/0", pipeline, conns)...)
		return float64(r.CPU) / float64(max(1, r.Pushed)), err
	}
	engine := func() (float64, error) {
		var r struct {
			Pushed int64 `json:"pushed"`
			CPU    int64 `json:"cpu_us"`
			Errors int64 `json:"errors"`
		}
		args := append(g.pushArgs("push", "", pipeline, conns), "--fanout", strconv.Itoa(fanout))
		err := g.suite.run(ctx, &r, args...)
		if err == nil && r.Errors > 0 {
			err = fmt.Errorf("%d pushes failed", r.Errors)
		}
		return float64(r.CPU) / float64(max(1, r.Pushed)), err
	}
	return g.pairs(loop, engine)
}

func (g *gate) pushArgs(command, path string, pipeline, conns int) []string {
	return []string{
		"bench", command, "--target", "http://" + g.sink.listen + path, "--size", "1024", "--conns", strconv.Itoa(conns),
		"--pipeline", strconv.Itoa(pipeline), "--duration", g.opts.Duration.String(), "--json",
	}
}

// pairs runs ceiling and engine in turns.
func (g *gate) pairs(ceiling, engine func() (float64, error)) (gatePair, error) {
	var b builder
	for range g.opts.Runs {
		a, err := ceiling()
		if err != nil {
			return gatePair{}, err
		}
		e, err := engine()
		if err != nil {
			return gatePair{}, err
		}
		b.add(Run{Engine: e, Ceiling: a})
	}
	row := b.finish()
	return gatePair{engine: row.Engine.Median, ceiling: row.Ceiling.Median, ratio: row.Ratio}, nil
}

// update measures every row as often as a judged one may be, and writes the medians.
func (g *gate) update(ctx context.Context, rows []gateRow) error {
	ratios := GateRatios{
		Commit: g.opts.Commit, Date: time.Now().UTC().Truncate(time.Second), Machine: thisMachine(g.suite.dir), Ratios: map[string]float64{},
	}
	for _, row := range rows {
		var medians []float64
		for range gateTries {
			pair, err := row.measure(ctx)
			if err != nil {
				return fmt.Errorf("bench: gate: %s: %w", row.name, err)
			}
			medians = append(medians, pair.ratio.Median)
			g.suite.say("%s: %.2f µs, ceiling %.2f µs, ratio %s", row.name, pair.engine, pair.ceiling, pair.ratio)
		}
		// Two digits behind the point, so that a new measurement does not change digits that say nothing.
		ratio, err := strconv.ParseFloat(strconv.FormatFloat(spreadOf(medians).Median, 'f', 2, 64), 64)
		if err != nil || ratio <= 0 {
			return fmt.Errorf("bench: gate: %s: a ratio of %v", row.name, spreadOf(medians).Median)
		}
		ratios.Ratios[row.name] = ratio
	}
	return ratios.write(g.opts.Ratios)
}
