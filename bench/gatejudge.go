package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	gateLimit = 1.5 // of the committed ratio, what a row may have
	gateTries = 3
)

// ErrGate is that a row is beyond its limit in every try.
var ErrGate = errors.New("bench: the gate is closed")

// gateRow is one ratio of the gate.
type gateRow struct {
	name    string
	measure func(context.Context) (gatePair, error)
}

// gatePair is what a row measured, in µs of CPU.
type gatePair struct {
	engine, ceiling float64
	ratio           Spread // of the pairs of runs, whose median counts
}

// gateVerdict is how a row did.
type gateVerdict struct {
	name      string
	committed float64 // 0: none was asked for
	best      gatePair
	tries     int
	passed    bool
	err       error // of the last try, if it has no figure
}

func (v *gateVerdict) limit() float64 { return gateLimit * v.committed }

// judge measures every row once, and what fails again, until it passes or is out of tries. A row that cannot be
// measured fails the try. Only the end of the context is an error.
func judge(ctx context.Context, rows []gateRow, committed map[string]float64, say func(string, ...any)) ([]gateVerdict, error) {
	verdicts := make([]gateVerdict, len(rows))
	for i, row := range rows {
		verdicts[i] = gateVerdict{name: row.name, committed: committed[row.name]}
	}
	for try := 1; try <= gateTries; try++ {
		for i := range verdicts {
			v := &verdicts[i]
			if v.passed {
				continue
			}
			pair, err := rows[i].measure(ctx)
			if ctx.Err() != nil {
				return verdicts, ctx.Err()
			}
			v.take(pair, err)
			say("%s", v.line(pair))
		}
	}
	return verdicts, nil
}

// take adds a try.
func (v *gateVerdict) take(pair gatePair, err error) {
	v.tries++
	if v.err = err; err != nil {
		return
	}
	ratio := pair.ratio.Median
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) || ratio <= 0 {
		v.err = fmt.Errorf("a ratio of %v", ratio)
		return
	}
	if v.best.ratio.Median == 0 || ratio < v.best.ratio.Median {
		v.best = pair
	}
	v.passed = ratio <= v.limit()
}

// line says what a try measured.
func (v *gateVerdict) line(pair gatePair) string {
	switch {
	case v.err != nil:
		return fmt.Sprintf("%s, try %d of %d: %v", v.name, v.tries, gateTries, v.err)
	case v.passed:
		return fmt.Sprintf("%s, try %d of %d: %s, limit %.2f: passed", v.name, v.tries, gateTries, pair.ratio, v.limit())
	default:
		return fmt.Sprintf("%s, try %d of %d: %s, limit %.2f: failed", v.name, v.tries, gateTries, pair.ratio, v.limit())
	}
}

// closed is an error that names the rows that failed, and nil without any.
func closed(verdicts []gateVerdict) error {
	var failed []string
	for i := range verdicts {
		if !verdicts[i].passed {
			failed = append(failed, verdicts[i].name)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: more than %g times the committed ratio in %d tries: %s", ErrGate, gateLimit, gateTries, strings.Join(failed, "; "))
}

// writeVerdicts writes the table.
func writeVerdicts(w io.Writer, verdicts []gateVerdict) {
	const format = "%-42s %9s %9s %9s %9s %9s %6s  %s\n"
	_, _ = fmt.Fprintf(w, format, "row", "engine us", "ceiling", "ratio", "committed", "limit", "tries", "")
	for i := range verdicts {
		v := &verdicts[i]
		state := "FAILED"
		switch {
		case v.passed:
			state = "passed"
		case v.err != nil:
			state = "FAILED: " + v.err.Error()
		}
		figure := func(f float64) string { return fmt.Sprintf("%.2f", f) }
		_, _ = fmt.Fprintf(w, format, v.name, figure(v.best.engine), figure(v.best.ceiling), figure(v.best.ratio.Median),
			figure(v.committed), figure(v.limit()), strconv.Itoa(v.tries), state)
	}
}
