package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// VaryOptions say what Vary compares. Executable, Scenario and two variants are needed, all else has a default.
type VaryOptions struct {
	Executable string        // the program, where a variant names none
	Scenario   string        // name of one of ProfileScenarios
	Variants   []string      // what is set otherwise in each; the first is what the others are compared with
	Runs       int           // of each variant; default 5
	Duration   time.Duration // of one run; default 3 s
	TempDir    string        // in which a directory for the data is made; default the system's temporary one
	Out        io.Writer     // gets a line per run; default none
}

func (o *VaryOptions) setDefaults() {
	o.Runs = cmp.Or(o.Runs, 5)
	o.Duration = cmp.Or(o.Duration, 3*time.Second)
	if o.Out == nil {
		o.Out = io.Discard
	}
}

// variantsMax bounds how many servers run side by side.
const variantsMax = 16

// Validate reports everything that is wrong with the options. Zero values stand for their defaults.
func (o *VaryOptions) Validate() error {
	_, err := o.parse()
	return err
}

func (o *VaryOptions) parse() ([]setup, error) {
	var wrong faults
	check := wrong.check
	check(o.Executable != "", "executable: is missing")
	check(o.Runs >= 0, "runs: %d is negative", o.Runs)
	check(o.Duration >= 0, "duration: %v is negative", o.Duration)
	check(len(o.Variants) >= 2 && len(o.Variants) <= variantsMax, "variants: there must be 2 to %d", variantsMax)
	scenarios, err := profileScenarios([]string{o.Scenario})
	if err != nil {
		return nil, errors.Join(append(wrong, err)...)
	}
	variants := make([]setup, 0, len(o.Variants))
	for _, text := range o.Variants {
		v, err := parseSetup(text, o.Executable, scenarios[0])
		check(err == nil, "%w", err)
		variants = append(variants, v)
	}
	return variants, errors.Join(wrong...)
}

// VaryResult is what Vary measured.
type VaryResult struct {
	Scenario string          `json:"scenario"`
	Runs     int             `json:"runs"`
	Duration time.Duration   `json:"duration_ns"`
	Variants []VariantResult `json:"variants"`
}

// VariantResult is one of the compared.
type VariantResult struct {
	Name      string  `json:"name"`
	CPU       Spread  `json:"cpu_us"` // of the server for each push, or publish where nothing is pushed, µs
	Ratio     Spread  `json:"ratio"`  // of CPU to the first variant's in the same round
	PerSecond Spread  `json:"per_second"`
	P50       Spread  `json:"p50_us"` // of the publishes; none where a backlog is pushed
	P99       Spread  `json:"p99_us"`
	Errors    int64   `json:"errors"`
	Rate      float64 `json:"rate,omitempty"` // publishes per second of an open loop
}

// String is the result as a table of Markdown.
func (r *VaryResult) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d runs of %v each, in turns\n\n", r.Scenario, r.Runs, r.Duration)
	b.WriteString("| variant | CPU each, µs | to the first | per second | publish p50 | publish p99 | errors |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, v := range r.Variants {
		fmt.Fprintf(&b, "| %s | %s | %s | %s (%s to %s) | %s | %s | %d |\n", cell(v.Name), v.CPU, v.Ratio,
			grouped(int64(v.PerSecond.Median)), grouped(int64(v.PerSecond.Min)), grouped(int64(v.PerSecond.Max)),
			publishLatency(v.P50), publishLatency(v.P99), v.Errors)
	}
	return b.String()
}

// publishLatency is empty where nothing was published.
func publishLatency(s Spread) string {
	if s.Max == 0 {
		return ""
	}
	return microseconds(int64(s.Median))
}

// Vary measures a scenario with something set otherwise in each variant: all servers run, one has load at a time, in
// turns (A B A B), so that a machine that gets slower or faster meanwhile does so for all.
func Vary(ctx context.Context, opts VaryOptions) (*VaryResult, error) {
	variants, err := opts.parse()
	if err != nil {
		return nil, fmt.Errorf("bench: vary: %w", err)
	}
	opts.setDefaults()
	s, err := newSuite(SuiteOptions{Executable: opts.Executable, Dir: opts.TempDir, Out: opts.Out})
	if err != nil {
		return nil, fmt.Errorf("bench: vary: %w", err)
	}
	defer os.RemoveAll(s.dir)
	c := &comparison{opts: opts, suite: s, variants: variants}
	defer c.stop()
	if err := c.start(ctx); err != nil {
		return nil, fmt.Errorf("bench: vary: %w", err)
	}
	return c.measure(ctx)
}

// comparison is one run of Vary.
type comparison struct {
	opts     VaryOptions
	suite    *suite
	variants []setup
	rigs     []*profileRig
}

// start starts all servers and warms them up. An open loop has the rate of the first for all that push to as many and
// ask for the same share; others have other work, and so a rate of their own.
func (c *comparison) start(ctx context.Context) error {
	for i := range c.variants {
		v := &c.variants[i]
		s, flags, err := v.suite(c.suite, i)
		if err != nil {
			return err
		}
		rig, err := startRig(ctx, s, v.scenario, flags...)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		c.rigs = append(c.rigs, rig)
		if err := rig.calibrate(ctx); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		if first := c.rigs[0]; first.scenario.Share == v.scenario.Share && first.scenario.Fanout == v.scenario.Fanout {
			rig.rate = first.rate
		}
		if _, err := rig.run(ctx, c.opts.Duration/2); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	return nil
}

func (c *comparison) stop() {
	for _, rig := range c.rigs {
		rig.stop()
	}
}

func (c *comparison) measure(ctx context.Context) (*VaryResult, error) {
	builders := make([]builder, len(c.rigs))
	for n := range c.opts.Runs {
		first := 0.0
		for i, rig := range c.rigs {
			run, err := rig.run(ctx, c.opts.Duration)
			if err != nil {
				return nil, fmt.Errorf("bench: vary: %s: %w", c.variants[i].name, err)
			}
			if i == 0 {
				first = run.each()
			}
			b := &builders[i]
			b.add(Run{Engine: run.each(), Ceiling: first, PerSecond: run.perSecond(), P50: run.p50, P99: run.p99})
			b.errors += run.errors
			c.suite.say("%s, %s, run %d of %d: %.2f µs of CPU each, %.2f of the first, %s/s", c.opts.Scenario, c.variants[i].name,
				n+1, c.opts.Runs, run.each(), run.each()/first, grouped(int64(run.perSecond())))
		}
	}
	result := &VaryResult{Scenario: c.opts.Scenario, Runs: c.opts.Runs, Duration: c.opts.Duration}
	for i := range builders {
		row := builders[i].finish()
		result.Variants = append(result.Variants, VariantResult{
			Name: c.variants[i].name, CPU: row.Engine, Ratio: row.Ratio, PerSecond: row.PerSecond, P50: row.P50, P99: row.P99,
			Errors: row.Errors, Rate: c.rigs[i].rate,
		})
	}
	return result, nil
}
