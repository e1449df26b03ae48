package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Later    []Later       `json:"later,omitempty"` // what was measured by itself
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
func (r *Row) Missed() bool { return r.Failure == "" && r.Budget > 0 && r.bounded() > r.Budget }

// bounded is the figure that the budget bounds.
func (r *Row) bounded() float64 {
	if r.Of == ofValue {
		return r.Engine.Median
	}
	return r.Ratio.Median
}

// Failed returns an error that names the rows without figures, and nil when all have them. The rows of
// other programs do not count: what they cannot do is no failure of the suite.
func (r *Report) Failed() error {
	var all []error
	for _, row := range r.Rows {
		if row.Failure != "" {
			all = append(all, fmt.Errorf("%s: %s", row.Name, row.Failure))
		}
	}
	if len(r.all()) == 0 {
		return errNoRows
	}
	return errors.Join(all...)
}

var errNoRows = errors.New("bench: the report has no rows")

// WriteReportJSON writes a report for programs.
func WriteReportJSON(w io.Writer, r *Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// reportBytesMax bounds a report that is read; one of a hundred rows is about 100 KiB.
const reportBytesMax = 64 << 20

// ReadReportJSON reads what WriteReportJSON wrote. Keys it does not know are left out, so that reports
// of later versions can be compared.
func ReadReportJSON(from io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(io.LimitReader(from, reportBytesMax)).Decode(&r); err != nil {
		return nil, fmt.Errorf("bench: report: %w", err)
	}
	if len(r.all()) == 0 {
		return nil, errNoRows
	}
	return &r, nil
}
