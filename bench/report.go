package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Report is what Suite measured.
type Report struct {
	Machine  Machine       `json:"machine"`
	Commit   string        `json:"commit,omitempty"`
	Command  string        `json:"command"`
	Date     time.Time     `json:"date"`
	Runs     int           `json:"runs"`
	Duration time.Duration `json:"duration_ns"`
	Rows     []Row         `json:"rows"`
	Peers    []Row         `json:"peers,omitempty"` // the same work done by other programs
}

// Row is one line of a report. What Engine and Ceiling count is in Unit.
type Row struct {
	Group     string  `json:"group"`
	Name      string  `json:"name"`
	Engine    Spread  `json:"engine_us"`
	Ceiling   Spread  `json:"ceiling_us"`
	Ratio     Spread  `json:"ratio"` // of each run's pair
	Budget    float64 `json:"budget,omitempty"`
	PerSecond Spread  `json:"per_second"`
	P50       Spread  `json:"p50_us"`
	P99       Spread  `json:"p99_us"`
	Errors    int64   `json:"errors"`
	Failure   string  `json:"failure,omitempty"` // why there are no figures

	Unit    string  `json:"unit"`         // of Engine and Ceiling: "us" (CPU per message or push), "bytes", "allocations", "share", "latency_us"
	Of      string  `json:"of,omitempty"` // what the budget bounds: "ratio" (default) or "value"
	P999    Spread  `json:"p999_us"`
	Latency string  `json:"latency,omitempty"` // "publish" or "push": what P50, P99 and P999 are of
	Runs    []Run   `json:"runs"`              // raw, in the order they were run
	X       float64 `json:"x,omitempty"`       // place on the axis of its group's plot: fan-out, topics, bytes, offered rate per second
	Note    string  `json:"note,omitempty"`    // one sentence about this row
}

// Run is one pair of runs of a row.
type Run struct {
	Engine    float64 `json:"engine"`
	Ceiling   float64 `json:"ceiling,omitempty"`
	PerSecond float64 `json:"per_second,omitempty"`
	P50       float64 `json:"p50_us,omitempty"`
	P99       float64 `json:"p99_us,omitempty"`
	P999      float64 `json:"p999_us,omitempty"`
}

// Missed reports whether the row is over its budget.
func (r *Row) Missed() bool { return r.Failure == "" && r.Budget > 0 && r.Ratio.Median > r.Budget }

// Failed returns an error that names the rows without figures, and nil when all have them.
func (r *Report) Failed() error {
	var all []error
	for _, row := range r.Rows {
		if row.Failure != "" {
			all = append(all, fmt.Errorf("%s: %s", row.Name, row.Failure))
		}
	}
	if len(r.Rows) == 0 {
		return errNoRows
	}
	return errors.Join(all...)
}

var errNoRows = errors.New("bench: the report has no rows")

// tables is the order and the headings of a report's groups.
var tables = []struct{ group, title, about, unit string }{
	{
		groupPublish, "Publish",
		"One publish of 1 KiB in a closed loop, no subscriptions. The ceiling is a fasthttp server that reads the " +
			"body of the same request and gives one fixed reply.",
		"publish",
	},
	{
		groupPush, "Push",
		"One push of 1 KiB to a subscriber on the same machine, webhook raw, 64 in flight per subscription. The engine's " +
			"figure is its CPU time while messages are published and pushed, less what the same publishes cost at the " +
			"same rate without subscriptions, divided by the pushes. The ceiling is a loop on fasthttp's HostClient that " +
			"posts one fixed body over 64 connections. The rate is 60 % of what the machine does with load generator, " +
			"engine and subscriber on it. At fan-out 1 the difference of the two runs can be smaller than their error, so a very small figure there says little; the end-to-end table stands on one run and is the sounder one.",
		"push",
	},
	{
		groupEnd, "End to end",
		"One message from its publish to its last push, in the same runs. The ceiling is the sum of the two above: " +
			"one fixed reply at the same rate and as many bare posts as the fan-out.",
		"message",
	},
}

// WriteReport writes a report as a page of Markdown.
func WriteReport(w io.Writer, r *Report) error {
	var b bytes.Buffer
	b.WriteString("# Benchmarks\n\nCPU time of the Fanfare process per message, as a ratio to what the bare HTTP library needs " +
		"for the same exchange on the same machine in the same run.\n\n")
	writeMachine(&b, r)
	for _, t := range tables {
		writeTable(&b, r, t.group, t.title, t.about, t.unit)
	}
	writeMethod(&b, r)
	_, err := w.Write(b.Bytes())
	return err
}

// WriteReportJSON writes a report for programs.
func WriteReportJSON(w io.Writer, r *Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func writeMachine(b *bytes.Buffer, r *Report) {
	commit := r.Commit
	if commit == "" {
		commit = "not given"
	}
	b.WriteString("| | |\n| --- | --- |\n")
	for _, line := range [][2]string{
		{"command", "`" + r.Command + "`"},
		{"date", r.Date.Format("2006-01-02 15:04 MST")},
		{"commit", commit},
		{"CPU", fmt.Sprintf("%s, %d cores", r.Machine.CPU, r.Machine.Cores)},
		{"kernel", r.Machine.Kernel},
		{"Go", r.Machine.Go},
		{"file system", r.Machine.FileSystem},
		{"runs", fmt.Sprintf("%d of %v for each side of each row", r.Runs, r.Duration)},
	} {
		fmt.Fprintf(b, "| %s | %s |\n", line[0], cell(line[1]))
	}
}

func writeTable(b *bytes.Buffer, r *Report, group, title, about, unit string) {
	heading := false
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Group != group {
			continue
		}
		if !heading {
			heading = true
			fmt.Fprintf(b, "\n## %s\n\n%s\n\n", title, about)
			fmt.Fprintf(b, "| row | µs per %s | ceiling, µs | ratio | budget | per second | publish p50 | publish p99 | errors |\n", unit)
			b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
		}
		writeRow(b, row)
	}
}

func writeRow(b *bytes.Buffer, row *Row) {
	if row.Failure != "" {
		fmt.Fprintf(b, "| %s | not measured: %s | | | | | | | |\n", cell(row.Name), cell(row.Failure))
		return
	}
	budget := "none"
	switch {
	case row.Missed():
		budget = fmt.Sprintf("%g, **missed**", row.Budget)
	case row.Budget > 0:
		budget = fmt.Sprintf("%g, met", row.Budget)
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s | %d |\n", cell(row.Name), row.Engine, row.Ceiling, row.Ratio, budget,
		grouped(int64(row.PerSecond.Median)), latencyCell(row.P50), latencyCell(row.P99), row.Errors)
}

func latencyCell(s Spread) string {
	if s == (Spread{}) {
		return ""
	}
	return microseconds(int64(s.Median))
}

// cell keeps a text from ending its cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}

func writeMethod(b *bytes.Buffer, r *Report) {
	fmt.Fprintf(b, `
## How it was measured

Load generator, Fanfare, ceiling and subscriber are processes of their own on loopback, all on the cores named
above, which they share. A row's runs alternate between ceiling and Fanfare (A B A B), so that a machine that gets
slower or faster meanwhile does so for both. Figures are medians of %d runs with the smallest and the largest
behind them; the ratio is taken within each pair of runs before its median.

CPU time is the operating system's own account of the process (its CPU clock, user and system, all threads), read
before and after each run. It holds the system calls and the loopback's packet work done on the process's behalf.
It holds no work of kernel threads, such as the disk's, which the ceilings do not have.

Sync means that every publish was answered after its group was on the disk (fsync), on the file system named above;
memory means no store. Latency is that of the publish, as the load generator saw it: in a closed loop with as many
requests in flight as connections, in an open loop from the intended send time.
`, r.Runs)
}
