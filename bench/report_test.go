package bench

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sampleRow is a row of the runs, with a ceiling or without one.
func sampleRow(row Row, runs ...Run) Row {
	var engine, ceiling, ratio, rate, p50, p99, p999 []float64
	add := func(to *[]float64, v float64) {
		if v != 0 {
			*to = append(*to, v)
		}
	}
	for _, run := range runs {
		engine = append(engine, run.Engine)
		add(&ceiling, run.Ceiling)
		if run.Ceiling != 0 {
			ratio = append(ratio, run.Engine/run.Ceiling)
		}
		add(&rate, run.PerSecond)
		add(&p50, run.P50)
		add(&p99, run.P99)
		add(&p999, run.P999)
	}
	row.Runs, row.Engine, row.Ceiling, row.Ratio, row.PerSecond = runs, spreadOf(engine), spreadOf(ceiling), spreadOf(ratio), spreadOf(rate)
	row.P50, row.P99, row.P999 = spreadOf(p50), spreadOf(p99), spreadOf(p999)
	return row
}

// sampleReport has a row of every sort.
func sampleReport() *Report {
	r := &Report{
		Machine: Machine{CPU: "Example CPU", Cores: 2, Kernel: "Linux 6.1", Go: "go1.26.0", FileSystem: "ext4"},
		Command: "fanfare bench suite", Date: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), Runs: 3, Duration: 5 * time.Second,
		Rows: []Row{
			sampleRow(Row{Group: groupPublish, Name: "publish smq, sync, 256 connections", Budget: 1.6, Unit: unitMicros, Latency: "publish"},
				Run{15, 10, 43210, 5200, 9100, 12000}, Run{14.5, 10.2, 40000, 5000, 9000, 11000}, Run{16, 9.9, 45000, 5400, 9500, 13000}),
			{Group: groupPublish, Name: "publish sns, sync, 256 connections", Failure: "status 404: no | such\ntopic", Budget: 1.6},
			sampleRow(Row{Group: groupPush, Name: "push plain, fan-out 1", Budget: 1.1, Unit: unitMicros}, Run{Engine: 20, Ceiling: 16}),
			sampleRow(Row{Group: groupEnd, Name: "fan-out 1", Errors: 2, Unit: unitMicros}, Run{Engine: 35, Ceiling: 26}),
			sampleRow(Row{Group: "filters", Name: "one simple policy", Of: ofValue, Budget: 0.3, Unit: unitMicros}, Run{Engine: 0.21}, Run{Engine: 0.23}),
			sampleRow(Row{Group: "allocations", Name: "allocations per message", Of: ofValue, Budget: 0.5, Unit: unitAllocations}, Run{Engine: 0.61}),
			sampleRow(Row{Group: "allocations", Name: "garbage collector's share", Of: ofValue, Budget: 0.01, Unit: unitShare}, Run{}),
			sampleRow(Row{Group: "memory", Name: "empty process", Unit: unitBytes}, Run{Engine: 20 << 20}),
			sampleRow(Row{Group: "memory", Name: "idle topic", Of: ofValue, Budget: 1024, Unit: unitBytes}, Run{Engine: 812}),
			sampleRow(Row{Group: "tea", Name: "a row of a group nobody knows", Unit: unitMicros}, Run{Engine: 1}),
		},
		Peers: []Row{
			sampleRow(Row{Group: groupPeers, Name: "other", Unit: unitMicros, Note: "Keeps nothing."}, Run{Engine: 80, PerSecond: 9000}),
			{Group: groupPeers, Name: "another", Failure: "ended at once"},
		},
	}
	for fanout := 1.0; fanout <= 1000; fanout *= 10 {
		r.Rows = append(r.Rows, sampleRow(Row{Group: "fan-out", Name: "fan-out " + grouped(int64(fanout)), X: fanout, Unit: unitMicros},
			Run{Engine: 20 + 17*fanout, Ceiling: 12 + 16*fanout}, Run{Engine: 22 + 18*fanout, Ceiling: 13 + 16*fanout}))
	}
	for _, work := range []string{"publish", "publish and push"} {
		for topics := 1.0; topics <= 1e5; topics *= 100 {
			row, run := Row{Group: "topics", Name: work + ", " + grouped(int64(topics)) + " topics", X: topics, Unit: unitMicros}, Run{Engine: 33 + topics/20000}
			if topics > 1 {
				row.Budget, row.Note, run.Ceiling = 1.15, "Said of two rows, and once on the page.", 33
			}
			r.Rows = append(r.Rows, sampleRow(row, run))
		}
	}
	for i, x := range []float64{1200, 6000, 9600} {
		more := float64(int(1) << i)
		r.Rows = append(r.Rows, sampleRow(
			Row{Group: "latency", Name: "at " + grouped(int64(x/120)) + " % of the capacity", X: x, Budget: 2, Unit: unitLatency, Latency: "push"},
			Run{900 * more, 800, x, 400 * more, 900 * more, 2100 * more}, Run{950 * more, 810, x - 1, 420 * more, 950 * more, 4100 * more}))
	}
	return r
}

func samplePage() Page {
	return Page{
		Notes:   "Allocations: the sample is *made up*.\n",
		Figures: []Figure{{Title: "Load", About: "How it bends.", Link: "profiles/load.svg"}},
	}
}

func TestWriteReport(t *testing.T) {
	var got bytes.Buffer
	if err := WriteReport(&got, sampleReport(), samplePage()); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/report.md", got.Bytes())
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got:\n%s", file, diff)
	}
}

// Every table is one: each line has as many cells as its heading.
func TestReportTablesAreEven(t *testing.T) {
	var page bytes.Buffer
	if err := WriteReport(&page, sampleReport(), Page{}); err != nil {
		t.Fatal(err)
	}
	cells, tables := 0, 0
	for _, line := range strings.Split(page.String(), "\n") {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		switch {
		case n == 0:
			cells = 0
		case cells == 0:
			cells, tables = n, tables+1
		case n != cells:
			t.Errorf("%d bars under a heading with %d: %s", n, cells, line)
		}
	}
	if want := 2 + 11; tables != want {
		t.Errorf("%d tables, want %d", tables, want)
	}
}

func TestWriteMisses(t *testing.T) {
	f := func(r *Report, notes string, want ...string) {
		t.Helper()
		var page bytes.Buffer
		if err := WriteReport(&page, r, Page{Notes: notes}); err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(page.String(), "\n## "+missesTitle+"\n\n")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, part := range want {
			if !strings.Contains(section, part) {
				t.Errorf("no %q in:\n%s", part, section)
			}
		}
	}
	missed, met := sampleReport(), sampleReport()
	met.Rows = met.Rows[:1]
	f(missed, "", "- allocations per message: 0.61, budget 0.5", "22.0 % over", "push plain, fan-out 1: 1.25 ×, budget 1.1 ×, 13.6 % over", "Nobody has explained them yet.")
	f(missed, "### Why\n\nBecause.\n", "over\n\n### Why\n\nBecause.\n")
	f(met, "", "None.")
	f(met, "### Why", "None in this run.", "### Why")
}

func TestReportJSON(t *testing.T) {
	var b bytes.Buffer
	if err := WriteReportJSON(&b, sampleReport()); err != nil {
		t.Fatal(err)
	}
	back, err := ReadReportJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleReport(), back); diff != "" {
		t.Error(diff)
	}
	for _, broken := range []string{"", "{", "[]", "{}", `{"rows":[]}`, `{"rows":[{"group":1}]}`} {
		if _, err := ReadReportJSON(strings.NewReader(broken)); err == nil {
			t.Errorf("%s: no error", broken)
		}
	}
}

func TestFigure(t *testing.T) {
	for _, c := range []struct {
		unit string
		v    float64
		want string
	}{
		{unitMicros, 0, "0 µs"},
		{unitMicros, 0.02134, "0.021 µs"},
		{unitMicros, 0.2134, "0.21 µs"},
		{unitMicros, 9.996, "10.0 µs"},
		{unitMicros, 99.97, "100 µs"},
		{unitMicros, -12345.6, "-12,346 µs"},
		{"", 1.5, "1.50 µs"},
		{unitBytes, 812, "812 B"},
		{unitBytes, 2, "2 B"},
		{unitBytes, 1536, "1.50 KiB"},
		{unitBytes, 20 << 20, "20.0 MiB"},
		{unitBytes, 3 << 40, "3,072 GiB"},
		{unitShare, 0.0123, "1.23 %"},
		{unitAllocations, 0.5, "0.50"},
		{unitLatency, 12.3, "12.3 µs"},
		{unitLatency, 1232.4, "1.23 ms"},
	} {
		if got := figure(c.unit, c.v); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.unit, c.v, got, c.want)
		}
	}
}

func TestReportFailed(t *testing.T) {
	r := sampleReport()
	if err := r.Failed(); err == nil || !strings.HasPrefix(err.Error(), "publish sns, sync, 256 connections: status 404") {
		t.Error(err)
	}
	r.Rows = r.Rows[2:]
	if err := r.Failed(); err != nil {
		t.Error(err)
	}
	if err := (&Report{}).Failed(); err == nil {
		t.Error("an empty report is not a failed one")
	}
}

func TestRowMissed(t *testing.T) {
	s := func(v float64) Spread { return Spread{v, v, v} }
	for _, c := range []struct {
		row  Row
		want bool
	}{
		{Row{Ratio: s(1.2), Budget: 1.1}, true},
		{Row{Ratio: s(1.1), Budget: 1.1}, false},
		{Row{Ratio: s(9)}, false},
		{Row{Engine: s(0.4), Ratio: s(0.1), Budget: 0.3, Of: ofValue}, true},
		{Row{Engine: s(0.2), Ratio: s(9), Budget: 0.3, Of: ofValue}, false},
		{Row{Ratio: s(9), Budget: 1.1, Failure: "no figures"}, false},
	} {
		if got := c.row.Missed(); got != c.want {
			t.Errorf("%+v: %v", c.row, got)
		}
	}
}

func TestSpread(t *testing.T) {
	f := func(want Spread, values ...float64) {
		t.Helper()
		if got := spreadOf(values); got != want {
			t.Errorf("%v: %v, want %v", values, got, want)
		}
	}
	f(Spread{})
	f(Spread{3, 3, 3}, 3)
	f(Spread{2, 1, 3}, 3, 1, 2)
	f(Spread{2.5, 1, 9}, 9, 1, 2, 3)
}

func TestMachineParts(t *testing.T) {
	if got := cpuModel(strings.NewReader("processor\t: 0\nmodel name\t: Some: CPU\nmodel name\t: Other\n")); got != "Some: CPU" {
		t.Error(got)
	}
	if got := cpuModel(strings.NewReader("")); got != "unknown" {
		t.Error(got)
	}
	const mounts = `22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 0:30 / /tmp rw,nosuid shared:1 - tmpfs tmpfs rw
31 22 0:31 / /data rw - xfs /dev/vdb rw
32 31 0:32 / /data rw - btrfs /dev/vdc rw
broken line
`
	for dir, want := range map[string]string{"/": "ext4", "/tmp/x": "tmpfs", "/tmpfoo": "ext4", "/data": "btrfs", "/home": "ext4"} {
		if got := fileSystem(strings.NewReader(mounts), dir); got != want {
			t.Errorf("%s: %s, want %s", dir, got, want)
		}
	}
}
