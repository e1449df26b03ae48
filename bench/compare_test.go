package bench

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The values are those of Hollander and Wolfe's tables and of counting by hand.
func TestMannWhitney(t *testing.T) {
	f := func(a, b []float64, want float64) {
		t.Helper()
		for range 2 { // the test is symmetric
			if got := mannWhitney(a, b); math.Abs(got-want) > 5e-5 {
				t.Errorf("%v, %v: %.5f, want %.5f", a, b, got, want)
			}
			a, b = b, a
		}
	}
	f(nil, nil, 1)
	f([]float64{1}, nil, 1)
	f([]float64{1}, []float64{2}, 1)
	f([]float64{1, 2, 3}, []float64{4, 5, 6}, 2.0/20)
	f([]float64{1, 2, 3, 4}, []float64{5, 6, 7, 8}, 2.0/70)
	f([]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 2.0/252)
	f([]float64{1, 2, 3, 4, 6}, []float64{5, 7, 8, 9, 10}, 2*2.0/252)
	f([]float64{1, 2, 3, 6, 7}, []float64{4, 5, 8, 9, 10}, 2*12.0/252)
	// Permeability of the human chorioamnion at term and between 12 and 26 weeks: p = 0.1272 one-sided.
	f([]float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}, []float64{1.15, 0.88, 0.90, 0.74, 1.21}, 0.25441)
	// Ties: of the six ways to deal 1, 2, 2, 3 one has the sum 3, two have the sum 3 with the other two.
	f([]float64{1, 2}, []float64{2, 3}, 2*2.0/6)
	f([]float64{7, 7, 7}, []float64{7, 7, 7}, 1)
}

// The dynamic program counts what dealing the values out in every possible way counts.
func TestMannWhitneyByEnumeration(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n, m := 1+random.IntN(6), 1+random.IntN(6)
		values := make([]float64, n+m)
		for i := range values {
			values[i] = float64(random.IntN(8)) // few, so that many tie
		}
		rank := func(v float64) (r float64) {
			for _, other := range values {
				if other < v {
					r++
				} else if other == v {
					r += 0.5
				}
			}
			return r
		}
		sumOf := func(set int) (sum float64) {
			for i, v := range values {
				if set>>i&1 == 1 {
					sum += rank(v)
				}
			}
			return sum
		}
		var all, low, high float64
		observed := sumOf(1<<n - 1)
		for set := range 1 << (n + m) {
			if bits.OnesCount(uint(set)) != n {
				continue
			}
			all++
			if sumOf(set) <= observed {
				low++
			}
			if sumOf(set) >= observed {
				high++
			}
		}
		want := min(1, 2*min(low, high)/all)
		if got := mannWhitney(values[:n], values[n:]); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v, %v: %v, want %v", values[:n], values[n:], got, want)
		}
	}
}

// Beyond the sizes that are counted out the approximation takes over, without a step.
func TestMannWhitneyLarge(t *testing.T) {
	for _, shift := range []float64{0, 3, 7, 12} {
		var a, b []float64
		for i := range 30 {
			a, b = append(a, float64(2*i)), append(b, float64(2*i+1)+shift)
		}
		ranks, sum, ties := doubledRanks(a, b)
		exact, near := exactTails(ranks, len(a), sum), normalTails(len(a), len(b), sum, ties)
		if math.Abs(exact-near) > 0.01 {
			t.Errorf("shift %g: %.4f exactly, %.4f nearly", shift, exact, near)
		}
	}
	same := make([]float64, 40)
	if got := mannWhitney(same, same); got != 1 {
		t.Errorf("%v of samples without a difference", got)
	}
}

func TestLeastP(t *testing.T) {
	for _, c := range []struct {
		n, m int
		want float64
	}{{0, 5, 1}, {1, 1, 1}, {3, 3, 0.1}, {4, 4, 2.0 / 70}, {5, 5, 2.0 / 252}, {3, 5, 2.0 / 56}} {
		if got := leastP(c.n, c.m); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d and %d: %v, want %v", c.n, c.m, got, c.want)
		}
	}
}

// runsOf makes runs with these ratios to a ceiling of 10, at rates that do not tell two samples apart.
func runsOf(ratios ...float64) []Run {
	runs := make([]Run, 0, len(ratios))
	for i, ratio := range ratios {
		runs = append(runs, Run{Engine: 10 * ratio, Ceiling: 10, PerSecond: float64(1000 + i)})
	}
	return runs
}

func compared() (old, current *Report) {
	row := func(name string, runs []Run) Row {
		return sampleRow(Row{Group: groupPublish, Name: name, Unit: unitMicros}, runs...)
	}
	old = &Report{Runs: 5, Machine: Machine{CPU: "A", Cores: 2, Go: "go1.26.0"}, Rows: []Row{
		row("worse", runsOf(1.0, 1.01, 1.02, 1.03, 1.04)),
		row("better", runsOf(2.0, 2.01, 2.02, 2.03, 2.04)),
		row("same", runsOf(1.5, 1.6, 1.7, 1.8, 1.9)),
		row("few", runsOf(1.5, 1.6, 1.7)),
		{Group: groupPublish, Name: "broken", Failure: "no server"},
		row("breaks", runsOf(1)),
		row("vanished", runsOf(1)),
		sampleRow(Row{Group: "filters", Name: "value", Unit: unitMicros, Of: ofValue}, Run{Engine: 0}, Run{Engine: 0}, Run{Engine: 0}, Run{Engine: 0}),
		{Group: groupPublish, Name: "without runs", Engine: Spread{1, 1, 1}},
	}}
	current = &Report{Runs: 5, Machine: Machine{CPU: "B", Cores: 2, Go: "go1.26.0"}, Rows: []Row{
		row("worse", runsOf(1.2, 1.21, 1.22, 1.23, 1.24)),
		row("better", runsOf(1.0, 1.01, 1.02, 1.03, 1.04)),
		row("same", runsOf(1.55, 1.65, 1.7, 1.75, 1.95)),
		row("few", runsOf(2.5, 2.6, 2.7)),
		row("broken", runsOf(1)),
		{Group: groupPublish, Name: "breaks", Failure: "no disk"},
		sampleRow(Row{Group: "filters", Name: "value", Unit: unitMicros, Of: ofValue}, Run{Engine: 3}, Run{Engine: 3}, Run{Engine: 3}, Run{Engine: 3}),
		{Group: groupPublish, Name: "without runs", Engine: Spread{2, 2, 2}},
		row("appeared", runsOf(1)),
	}}
	return old, current
}

func TestCompare(t *testing.T) {
	c := Compare(compared())
	got := map[string]string{}
	for _, change := range c.Changes {
		if change.Main {
			got[change.Row] = fmt.Sprintf("%s: p %.4f, significant %v, better %.1f", change.Figure, change.P, change.Significant(), change.Better)
		}
	}
	want := map[string]string{
		"worse":        "ratio: p 0.0079, significant true, better -19.6",
		"better":       "ratio: p 0.0079, significant true, better 49.5",
		"same":         "ratio: p 0.8889, significant false, better 0.0",
		"few":          "ratio: p 0.1000, significant false, better -62.5",
		"value":        "measured: p 0.0286, significant true, better -Inf",
		"without runs": "measured: p 1.0000, significant false, better 0.0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"CPU: A before, B now"}, c.Warnings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"publish: breaks (not measured: no disk)", "publish: vanished"}, c.Gone); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"publish: broken (not measured before: no server)", "publish: appeared"}, c.Added); diff != "" {
		t.Error(diff)
	}
}

func TestRegressions(t *testing.T) {
	c := Compare(compared())
	f := func(percent float64, want string) {
		t.Helper()
		var names []string
		for _, change := range c.Regressions(percent) {
			names = append(names, change.Row)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("over %v %%: %q, want %q", percent, got, want)
		}
	}
	f(0, "worse value")
	f(19, "worse value")
	f(20, "value")
}

func TestWriteComparison(t *testing.T) {
	var text bytes.Buffer
	if err := WriteComparison(&text, Compare(compared())); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/comparison.txt", text.Bytes())
}

func TestDifferences(t *testing.T) {
	a, b := sampleReport(), sampleReport()
	if got := differences(a, b); len(got) > 0 {
		t.Error(got)
	}
	b.Machine = Machine{CPU: "x", Cores: 3, Kernel: "x", Go: "x", FileSystem: "x"}
	b.Duration, b.Runs = 1, 1
	if got := differences(a, b); len(got) != 7 {
		t.Error(got)
	}
}
