package bench

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
)

// writeSummary begins the page with what a stranger wants to know of it.
func writeSummary(b *bytes.Buffer, r *Report, tables []table) {
	b.WriteString("# Benchmarks\n\nWhat a message costs in Fanfare: the CPU time of its process, its memory, and the time from publish to push. " +
		"Beside the CPU time stands the **ceiling**: what a bare server, or a bare client, of the same HTTP library needs for the same " +
		"exchange on the same machine in the same run. A ratio of 1 would mean that Fanfare adds nothing to it.\n\n")
	b.WriteString(verdicts(r) + "\n\n")
	b.WriteString("| what | figures | of the ceiling | up to, per second | budgets met |\n| --- | --- | --- | --- | --- |\n")
	for i := range tables {
		t := &tables[i]
		link := fmt.Sprintf("[%s](#%s)", t.title, anchor(t.title))
		writeCells(b, []string{link, t.figures(), t.ratios(), t.fastest(), t.met()})
	}
}

// verdicts counts the rows by what became of them.
func verdicts(r *Report) string {
	var met, missed, failed int
	var errors int64
	for _, row := range r.all() {
		errors += row.Errors
		switch {
		case row.Failure != "":
			failed++
		case row.Missed():
			missed++
		case row.Budget > 0:
			met++
		}
	}
	text := fmt.Sprintf("**%d of %d budgets are met**", met, met+missed)
	if met+missed == 0 {
		text = "No row has a budget"
	}
	if missed > 0 {
		text += fmt.Sprintf(", [%d are missed](#%s)", missed, anchor(missesTitle))
	}
	if failed > 0 {
		text += fmt.Sprintf("; %s could not be measured, and the table says why", plural(failed, "row"))
	}
	if errors > 0 {
		return text + fmt.Sprintf("; %s failed.", plural(int(errors), "request"))
	}
	return text + "; no request failed."
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(int64(n)) + " " + what + "s"
}

// shownRows is how many rows a summary names one by one; of more it gives the range.
const shownRows = 4

// figures is the group in one line.
func (t *table) figures() string {
	measured := t.measured()
	switch {
	case len(measured) == 0:
		return "not measured"
	case t.any(func(r *Row) bool { return r.Unit == unitLatency }):
		return list(chosen(measured), percentiles)
	case len(measured) > shownRows && sameUnit(measured):
		low, high := extremes(measured, func(r *Row) float64 { return r.Engine.Median })
		return between(figure(measured[0].Unit, low), figure(measured[0].Unit, high)) + t.of(measured[0].Unit)
	case sameUnit(measured):
		return list(measured, medianText) + t.of(measured[0].Unit)
	default:
		return list(measured, medianText)
	}
}

func medianText(r *Row) string { return figure(r.Unit, r.Engine.Median) }

// chosen are the rows to be named of many: those with a ceiling.
func chosen(rows []Row) []Row {
	if len(rows) <= shownRows {
		return rows
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Ceiling == Spread{} })
}

func (t *table) of(unit string) string {
	if unit != unitMicros && unit != "" {
		return ""
	}
	return " of CPU per " + t.what
}

func (t *table) measured() []Row {
	var rows []Row
	for _, row := range t.rows {
		if row.Failure == "" {
			rows = append(rows, row)
		}
	}
	return rows
}

func list(rows []Row, text func(*Row) string) string {
	all := make([]string, 0, len(rows))
	for i := range rows {
		all = append(all, rows[i].Name+": "+text(&rows[i]))
	}
	return strings.Join(all, "; ")
}

func percentiles(r *Row) string {
	if r.P50 == (Spread{}) {
		return medianText(r)
	}
	return fmt.Sprintf("p50 %s, p99 %s, p99.9 %s", latencyText(r.P50.Median), latencyText(r.P99.Median), latencyText(r.P999.Median))
}

func sameUnit(rows []Row) bool {
	for _, row := range rows {
		if row.Unit != rows[0].Unit {
			return false
		}
	}
	return true
}

// ratios is the range of the rows' ratios.
func (t *table) ratios() string {
	var rows []Row
	for _, row := range t.measured() {
		if row.Ratio.Median > 0 {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return ""
	}
	low, high := extremes(rows, func(r *Row) float64 { return r.Ratio.Median })
	return between(number(low), number(high)) + " ×"
}

func (t *table) fastest() string {
	rows := t.measured()
	if len(rows) == 0 {
		return ""
	}
	_, high := extremes(rows, func(r *Row) float64 { return r.PerSecond.Median })
	if high == 0 {
		return ""
	}
	return number(high)
}

func (t *table) met() string {
	met, budgets := 0, 0
	for i := range t.rows {
		row := &t.rows[i]
		if row.Budget <= 0 {
			continue
		}
		budgets++
		if row.Failure == "" && !row.Missed() {
			met++
		}
	}
	if budgets == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d", met, budgets)
}

func extremes(rows []Row, of func(*Row) float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for i := range rows {
		low, high = min(low, of(&rows[i])), max(high, of(&rows[i]))
	}
	return low, high
}

// anchor is the name by which a heading is linked to: its words in small letters with hyphens between.
func anchor(title string) string {
	return strings.ReplaceAll(strings.ToLower(title), " ", "-")
}
