package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Later says how the rows of some groups were measured that were not measured with the others of their report.
type Later struct {
	Groups   []string      `json:"groups"`
	Commit   string        `json:"commit,omitempty"`
	Command  string        `json:"command"`
	Date     time.Time     `json:"date"`
	Runs     int           `json:"runs"`
	Duration time.Duration `json:"duration_ns"`
}

// Add takes over the groups of another report, in the place of its own of the same names. Both have to be of one machine.
func (r *Report) Add(o *Report) error {
	if o.Machine != r.Machine {
		return fmt.Errorf("bench: the reports are of two machines: %+v and %+v", r.Machine, o.Machine)
	}
	later := Later{Commit: o.Commit, Command: o.Command, Date: o.Date, Runs: o.Runs, Duration: o.Duration}
	for i := range o.Rows {
		if g := o.Rows[i].Group; !slices.Contains(later.Groups, g) {
			later.Groups = append(later.Groups, g)
		}
	}
	r.Rows = slices.DeleteFunc(r.Rows, func(row Row) bool { return slices.Contains(later.Groups, row.Group) })
	r.Rows = append(r.Rows, o.Rows...)
	r.Later = append(r.Later, later)
	return nil
}

// text says on a report's page what was measured later.
func (l *Later) text() string {
	var titles []string
	for _, h := range headings {
		if slices.Contains(l.Groups, h.group) {
			titles = append(titles, h.title)
		}
	}
	commit := l.Commit
	if commit == "" {
		commit = "not given"
	}
	return fmt.Sprintf("Measured by themselves: %s (%d of %v for each side, commit %s, %s, `%s`).",
		strings.Join(titles, ", "), l.Runs, l.Duration, commit, l.Date.Format("2006-01-02 15:04 MST"), l.Command)
}
