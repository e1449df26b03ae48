package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanfare/bench"
)

// writeReport writes a report whose first row cost so much, and returns its file.
func writeReport(t *testing.T, dir string, cost float64) string {
	t.Helper()
	at := func(v float64) bench.Spread { return bench.Spread{Median: v, Min: v, Max: v} }
	row := bench.Row{Group: "publish", Name: "a row", Unit: "us", Budget: 1.5, Engine: at(cost), Ceiling: at(10), Ratio: at(cost / 10)}
	for i := range 5 {
		row.Runs = append(row.Runs, bench.Run{Engine: cost + float64(i)/10, Ceiling: 10})
	}
	report := &bench.Report{Runs: 5, Rows: []bench.Row{row}}
	for x := 1.0; x <= 1000; x *= 10 {
		report.Rows = append(report.Rows, bench.Row{
			Group: "fan-out", Name: fmt.Sprint("fan-out ", x), Unit: "us", X: x, Engine: at(20 * x), Ceiling: at(18 * x),
		})
	}
	file := filepath.Join(dir, fmt.Sprintf("%g.json", cost))
	if err := writeTo(file, func(w io.Writer) error { return bench.WriteReportJSON(w, report) }); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBenchCompare(t *testing.T) {
	dir := t.TempDir()
	old, current := writeReport(t, dir, 10), writeReport(t, dir, 12)
	f := func(wantCode int, wantText string, args ...string) {
		t.Helper()
		output, code := status(t, append([]string{"bench", "compare"}, args...)...)
		if code != wantCode || !strings.Contains(output, wantText) {
			t.Errorf("%v: status %d, want %d, and %q in:\n%s", args, code, wantCode, wantText, output)
		}
	}
	f(0, "+19.6 %, worse (p=0.008, n=5+5)", old, current)
	f(0, "no significant change", old, old)
	f(0, "worse", old, current, "--fail-over", "25")
	f(1, "publish: a row: 19.6 % worse than before", old, current, "--fail-over", "10")
	f(0, "-16.4 %, better", current, old, "--fail-over", "0")
	f(1, "no such file", old, filepath.Join(dir, "none"))
	f(2, "expected", old)
}

func TestBenchPage(t *testing.T) {
	dir := t.TempDir()
	report, page, notes := writeReport(t, dir, 17), filepath.Join(dir, "page.md"), filepath.Join(dir, "notes.md")
	if err := os.WriteFile(notes, []byte("### Why\n\nIt is *made up*.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	plots := filepath.Join(dir, "sub", "plots")
	if output, code := status(t, "bench", "page", report, "--out", page, "--notes", notes, "--plots", plots); code != 0 {
		t.Fatal(output)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"1.70 ×, budget 1.5 ×", "### Why\n\nIt is *made up*.\n", "](sub/plots/fanout.svg)"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	if all := files(t, plots); len(all) != 1 || !strings.HasPrefix(all["fanout.svg"], "<svg ") {
		t.Errorf("%v", all)
	}
	if output, code := status(t, "bench", "page", report, "--out", page, "--notes", filepath.Join(dir, "none")); code != 1 {
		t.Errorf("notes that are not there: status %d, %s", code, output)
	}
}
