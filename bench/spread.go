package bench

import (
	"fmt"
	"slices"
)

// builder gathers the runs of a row.
type builder struct {
	engine, ceiling, ratio, rate []float64
	p50, p99                     []float64
	errors                       int64
}

func (b *builder) add(engine, ceiling float64) {
	b.engine = append(b.engine, engine)
	b.ceiling = append(b.ceiling, ceiling)
	b.ratio = append(b.ratio, engine/ceiling)
}

func (b *builder) addRate(perSecond float64) { b.rate = append(b.rate, perSecond) }

func (b *builder) addLoad(r Result) {
	b.addRate(r.PerSecond)
	b.p50 = append(b.p50, float64(r.P50))
	b.p99 = append(b.p99, float64(r.P99))
	b.errors += r.Errors
}

func (b *builder) finish(row *Row) {
	row.Engine, row.Ceiling, row.Ratio = spreadOf(b.engine), spreadOf(b.ceiling), spreadOf(b.ratio)
	row.PerSecond, row.P50, row.P99 = spreadOf(b.rate), spreadOf(b.p50), spreadOf(b.p99)
	row.Errors = b.errors
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
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return Spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// String is the median with the range behind it.
func (s Spread) String() string { return fmt.Sprintf("%.2f (%.2f to %.2f)", s.Median, s.Min, s.Max) }
