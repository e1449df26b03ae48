package bench

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBuilder(t *testing.T) {
	b := builder{row: Row{Name: "n", Note: "A note."}, want: 4}
	b.addLoad(Run{Engine: 3, Ceiling: 2}, Result{PerSecond: 10, P50: 1, P99: 2, P999: 3, Errors: 1})
	b.addLoad(Run{Engine: 8, Ceiling: 4}, Result{PerSecond: 30, P50: 3, P99: 4, P999: 5, Errors: 2})
	b.add(Run{Engine: 4, Ceiling: 4, PerSecond: 20})
	want := Row{
		Name: "n", Note: "A note. Interrupted behind 3 of 4 runs.", Errors: 3,
		Engine: Spread{4, 3, 8}, Ceiling: Spread{4, 2, 4}, Ratio: Spread{1.5, 1, 2}, // of each pair, not of the medians
		PerSecond: Spread{20, 10, 30}, P50: Spread{1, 0, 3}, P99: Spread{2, 0, 4}, P999: Spread{3, 0, 5},
		Runs: []Run{
			{Engine: 3, Ceiling: 2, PerSecond: 10, P50: 1, P99: 2, P999: 3},
			{Engine: 8, Ceiling: 4, PerSecond: 30, P50: 3, P99: 4, P999: 5},
			{Engine: 4, Ceiling: 4, PerSecond: 20},
		},
	}
	if diff := cmp.Diff(want, b.finish()); diff != "" {
		t.Error(diff)
	}
}

// A row whose budget bounds the value has no ceiling, and no ratio.
func TestBuilderWithoutCeiling(t *testing.T) {
	b := builder{want: 2}
	b.add(Run{Engine: 1})
	b.add(Run{Engine: 4})
	if row := b.finish(); row.Ratio != (Spread{}) || row.Engine != (Spread{2.5, 1, 4}) || row.Note != "" {
		t.Errorf("%+v", row)
	}
}

func TestProgressLeft(t *testing.T) {
	p := progress{}
	quick, slow := &scenario{takes: 10 * time.Second}, &scenario{takes: 90 * time.Second}
	p.begin([]*scenario{quick, slow})
	f := func(share float64, elapsed, want time.Duration) {
		t.Helper()
		if got := p.left(share, elapsed).Round(time.Second); got != want {
			t.Errorf("%v behind, share %v, %v elapsed: %v, want %v", p.behind, share, elapsed, got, want)
		}
	}
	f(0, 0, 100*time.Second)
	p.next(quick)
	f(0, time.Second, 100*time.Second)
	f(0.1, 30*time.Second, 99*time.Second) // too early to tell that it is slow
	f(1, 20*time.Second, 180*time.Second)  // twice as slow as expected
	p.done(quick)
	p.next(slow)
	f(0.5, 55*time.Second, 45*time.Second)
	f(2, 55*time.Second, 0)
	if p.at != 2 || p.scenarios != 2 {
		t.Errorf("%+v", p)
	}
}

func TestFigures(t *testing.T) {
	f := func(row Row, r Run, want string) {
		t.Helper()
		if got := figures(&row, r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f(Row{Unit: unitMicros, Latency: latencyPublish}, Run{Engine: 3, Ceiling: 2, PerSecond: 12345.6, P50: 10, P99: 2000},
		"3.00 µs, ceiling 2.00 µs, 1.50 ×, 12,345/s, publish p50 10 µs p99 2 ms")
	f(Row{Unit: unitBytes}, Run{Engine: 12345}, "12,345 bytes")
	f(Row{Unit: unitAllocations}, Run{Engine: 0.25}, "0.250 allocations")
	f(Row{Unit: unitShare}, Run{Engine: 0.0125}, "1.25 %")
	f(Row{Unit: unitLatency, Latency: latencyPush}, Run{Engine: 2000, Ceiling: 1000}, "2 ms, ceiling 1 ms, 2.00 ×")
}
