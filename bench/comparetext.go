package bench

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// WriteComparison writes a comparison for people. Each row of the reports has a line for the figure it is about; its
// other figures have one when they changed.
func WriteComparison(w io.Writer, c *Comparison) error {
	var b bytes.Buffer
	for _, warning := range c.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	columns := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	group, changed, tested := "", 0, 0
	for i := range c.Changes {
		change := &c.Changes[i]
		if change.Decidable() {
			tested++
		}
		if change.Significant() {
			changed++
		}
		if !change.Main && !change.Significant() {
			continue
		}
		if change.Group != group {
			group = change.Group
			fmt.Fprintf(columns, "\n%s\t\told\tnew\tchange\n", group)
		}
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\t%s\n", change.label(), change.Figure, change.text(change.Old, change.OldRuns), change.text(change.New, change.NewRuns), change.verdict())
	}
	_ = columns.Flush() // into memory
	writeNames(&b, "only in the old report", c.Gone)
	writeNames(&b, "only in the new report", c.Added)
	fmt.Fprintf(&b, "\n%d of %s changed with p < %g; where nothing did, chance would make it %.1f.\n", changed,
		plural(tested, "figure"), Alpha, Alpha*float64(tested))
	_, err := w.Write(b.Bytes())
	return err
}

// label is the row's name on the line of its main figure.
func (c *Change) label() string {
	if c.Main {
		return "  " + c.Row
	}
	return ""
}

// text is a figure, and how far its runs are off at most, as a share of it.
func (c *Change) text(s Spread, runs int) string {
	if runs == 0 {
		return "none"
	}
	value := number(s.Median)
	if c.Unit != "" {
		value = figure(c.Unit, s.Median)
	}
	if s.Median == 0 || s.Min == s.Max {
		return value
	}
	return fmt.Sprintf("%s ± %.0f %%", value, 100*max(s.Max-s.Median, s.Median-s.Min)/math.Abs(s.Median))
}

func (c *Change) verdict() string {
	switch {
	case c.OldRuns == 0 || c.NewRuns == 0:
		return "no raw runs to compare"
	case !c.Decidable():
		return fmt.Sprintf("too few runs to tell (%d and %d)", c.OldRuns, c.NewRuns)
	case !c.Significant():
		return fmt.Sprintf("no significant change (p=%s)", probability(c.P))
	}
	if c.Old.Median == 0 {
		return fmt.Sprintf("was nothing (p=%s, n=%d+%d)", probability(c.P), c.OldRuns, c.NewRuns)
	}
	word := "better"
	switch {
	case c.Better == 0:
		word = "same median"
	case c.Better < 0:
		word = "worse"
	}
	return fmt.Sprintf("%+.1f %%, %s (p=%s, n=%d+%d)", percentMore(c.Old.Median, c.New.Median), word, probability(c.P), c.OldRuns, c.NewRuns)
}

func probability(p float64) string {
	if p < 0.0005 {
		return "0.000"
	}
	return fmt.Sprintf("%.3f", p)
}

func writeNames(b *bytes.Buffer, title string, names []string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, name := range names {
		fmt.Fprintf(b, "  %s\n", name)
	}
}
