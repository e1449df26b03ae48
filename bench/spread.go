package bench

import (
	"fmt"
	"slices"
)

// builder gathers the runs of a row.
type builder struct {
	row    Row
	want   int // runs
	errors int64
}

// add takes one run, or one pair of runs.
func (b *builder) add(r Run) { b.row.Runs = append(b.row.Runs, r) }

// addLoad is add of a run under load, with the load generator's figures of it.
func (b *builder) addLoad(r Run, load Result) {
	r.PerSecond, r.P50, r.P99, r.P999 = load.PerSecond, float64(load.P50), float64(load.P99), float64(load.P999)
	b.errors += load.Errors
	b.add(r)
}

// last is the run that was added last.
func (b *builder) last() Run { return b.row.Runs[len(b.row.Runs)-1] }

// finish makes the row.
func (b *builder) finish() Row {
	row := b.row
	of := func(figure func(Run) float64) Spread {
		values := make([]float64, 0, len(row.Runs))
		for _, r := range row.Runs {
			values = append(values, figure(r))
		}
		return spreadOf(values)
	}
	row.Engine = of(func(r Run) float64 { return r.Engine })
	row.Ceiling = of(func(r Run) float64 { return r.Ceiling })
	if row.Ceiling.Min > 0 {
		row.Ratio = of(func(r Run) float64 { return r.Engine / r.Ceiling })
	}
	row.PerSecond = of(func(r Run) float64 { return r.PerSecond })
	row.P50 = of(func(r Run) float64 { return r.P50 })
	row.P99 = of(func(r Run) float64 { return r.P99 })
	row.P999 = of(func(r Run) float64 { return r.P999 })
	row.Errors = b.errors
	if n := len(row.Runs); n < b.want && row.Failure == "" {
		row.Note = sentences(row.Note, fmt.Sprintf("Interrupted behind %d of %d runs.", n, b.want))
	}
	return row
}

// sentences puts one behind another.
func sentences(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// Spread is a figure of several runs.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return Spread{Median: median(sorted), Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// median is that of sorted values, of which there is one at least.
func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// String is the median with the range behind it.
func (s Spread) String() string { return fmt.Sprintf("%.2f (%.2f to %.2f)", s.Median, s.Min, s.Max) }
