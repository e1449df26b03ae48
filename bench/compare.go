package bench

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Alpha is the probability below which a change counts as one.
const Alpha = 0.05

// Comparison is what changed from one report to another.
type Comparison struct {
	Warnings []string // why figures of the two may differ that nobody changed
	Changes  []Change // of the rows both have, in the order of the new report
	Gone     []string // rows, and figures of rows, that only the old report has
	Added    []string // and only the new one
}

// Change is one figure of a row in both reports.
type Change struct {
	Group, Row string
	Figure     string // "ratio", "measured", "per second", "p50", "p99" or "p99.9"
	Unit       string // of the figure, as in Row
	Old, New   Spread
	OldRuns    int
	NewRuns    int
	P          float64 // that chance alone makes runs differ as much
	Better     float64 // by how many percent the new median is better; negative when it is worse
	Main       bool    // the figure the row is about: the ratio where there is one
}

// Significant reports whether the change counts.
func (c *Change) Significant() bool { return c.P < Alpha }

// Decidable reports whether there are enough runs for any change to count.
func (c *Change) Decidable() bool { return leastP(c.OldRuns, c.NewRuns) < Alpha }

// Compare compares two reports row by row.
func Compare(old, current *Report) *Comparison {
	c := &Comparison{Warnings: differences(old, current)}
	before := rowsByName(old)
	for _, row := range current.all() {
		was, known := before[rowName(&row)]
		delete(before, rowName(&row))
		switch {
		case !known:
			c.Added = append(c.Added, rowName(&row))
		case was.Failure != "" && row.Failure == "":
			c.Added = append(c.Added, rowName(&row)+" (not measured before: "+was.Failure+")")
		case was.Failure == "" && row.Failure != "":
			c.Gone = append(c.Gone, rowName(&row)+" (not measured: "+row.Failure+")")
		case row.Failure == "":
			c.Changes = append(c.Changes, changes(was, &row)...)
		}
	}
	for _, row := range old.all() {
		if _, left := before[rowName(&row)]; left {
			c.Gone = append(c.Gone, rowName(&row))
		}
	}
	return c
}

func rowsByName(r *Report) map[string]*Row {
	rows := map[string]*Row{}
	for _, row := range r.all() {
		rows[rowName(&row)] = &row
	}
	return rows
}

// rowName is what makes two rows the same.
func rowName(r *Row) string { return r.Group + ": " + r.Name }

// Regressions are the changes for the worse of more than so many percent that count, of the figures that rows are
// about. Rates and latencies of a row about something else are not among them: they tell of the machine
// as much as of the program.
func (c *Comparison) Regressions(percent float64) []Change {
	var all []Change
	for _, change := range c.Changes {
		if change.Main && change.Significant() && change.Better < -percent {
			all = append(all, change)
		}
	}
	return all
}

// view is one figure of a row, run by run.
type view struct {
	figure string
	unit   string
	of     func(Run) float64 // NaN when the run has none
	more   bool              // is better
}

// views lists the figures of a row; the first is the main one.
func views(r *Row) []view {
	all := make([]view, 0, 6)
	if slices.ContainsFunc(r.Runs, func(run Run) bool { return run.Ceiling > 0 }) && r.Of != ofValue {
		all = append(all, view{"ratio", "", func(run Run) float64 { return run.Engine / some(run.Ceiling) }, false})
	}
	return append(all,
		view{"measured", r.Unit, func(run Run) float64 { return run.Engine }, false},
		view{"per second", "", func(run Run) float64 { return some(run.PerSecond) }, true},
		view{"p50", unitLatency, func(run Run) float64 { return some(run.P50) }, false},
		view{"p99", unitLatency, func(run Run) float64 { return some(run.P99) }, false},
		view{"p99.9", unitLatency, func(run Run) float64 { return some(run.P999) }, false})
}

// some is a figure that is left out of the file when there is none.
func some(v float64) float64 {
	if v == 0 {
		return math.NaN()
	}
	return v
}

// changes compares the figures that both rows have.
func changes(old, current *Row) []Change {
	var all []Change
	for i, v := range views(current) {
		a, b := figuresOf(old.Runs, v.of), figuresOf(current.Runs, v.of)
		if i > 0 && (len(a) == 0 || len(b) == 0) {
			continue // the main figure is told of even without runs, so that no row is lost
		}
		c := Change{
			Group: current.Group, Row: current.Name, Figure: v.figure, Unit: v.unit, Main: i == 0,
			Old: spreadOf(a), New: spreadOf(b), OldRuns: len(a), NewRuns: len(b), P: mannWhitney(a, b),
		}
		c.Better = percentMore(c.Old.Median, c.New.Median)
		if !v.more {
			c.Better = 0 - c.Better // never -0
		}
		all = append(all, c)
	}
	return all
}

// figuresOf are those of the runs that have one.
func figuresOf(runs []Run, of func(Run) float64) []float64 {
	all := make([]float64, 0, len(runs))
	for _, run := range runs {
		if v := of(run); !math.IsNaN(v) {
			all = append(all, v)
		}
	}
	return all
}

// percentMore is infinite from nothing to something.
func percentMore(from, to float64) float64 {
	if from == to {
		return 0
	}
	return 100 * (to - from) / math.Abs(from)
}

// differences are warnings about what else differs between two reports.
func differences(old, current *Report) []string {
	var all []string
	differ := func(what, a, b string) {
		if a != b {
			all = append(all, fmt.Sprintf("%s: %s before, %s now", what, a, b))
		}
	}
	differ("CPU", old.Machine.CPU, current.Machine.CPU)
	differ("cores", strconv.Itoa(old.Machine.Cores), strconv.Itoa(current.Machine.Cores))
	differ("kernel", old.Machine.Kernel, current.Machine.Kernel)
	differ("Go", old.Machine.Go, current.Machine.Go)
	differ("file system", old.Machine.FileSystem, current.Machine.FileSystem)
	differ("length of a run", old.Duration.String(), current.Duration.String())
	differ("runs", strconv.Itoa(old.Runs), strconv.Itoa(current.Runs))
	return all
}
