package bench

import (
	"bytes"
	"fmt"
	"strings"
)

// table is the rows of one group under their heading.
type table struct {
	heading
	rows []Row
}

// tables sorts the report's rows into groups, in the order of the headings. A group that has no heading
// comes last, under its own name, so that no row is lost.
func (r *Report) tables() []table {
	var all []table
	known := map[string]bool{}
	for _, h := range headings {
		known[h.group] = true
		if rows := r.group(h.group); len(rows) > 0 {
			all = append(all, table{h, rows})
		}
	}
	for _, row := range r.all() {
		if !known[row.Group] {
			known[row.Group] = true
			all = append(all, table{heading{group: row.Group, title: row.Group, what: "message"}, r.group(row.Group)})
		}
	}
	return all
}

func (r *Report) all() []Row { return append(r.Rows[:len(r.Rows):len(r.Rows)], r.Peers...) }

func (r *Report) group(name string) []Row {
	var rows []Row
	for _, row := range r.all() {
		if row.Group == name {
			rows = append(rows, row)
		}
	}
	return rows
}

// any reports whether one of the rows has something.
func (t *table) any(has func(*Row) bool) bool {
	for i := range t.rows {
		if has(&t.rows[i]) {
			return true
		}
	}
	return false
}

// column is one of the columns a table may have; it has it if one of its rows has something for it.
type column struct {
	title func(*table) string
	has   func(*Row) bool
	text  func(*Row) string
	right bool // are its cells aligned, as numbers are
}

func titled(s string) func(*table) string { return func(*table) string { return s } }

func spreadColumn(title func(*table) string, of func(*Row) Spread, print func(*Row, float64) string) column {
	return column{
		title: title,
		has:   func(r *Row) bool { return of(r) != Spread{} },
		text: func(r *Row) string {
			return figureSpread(of(r), func(v float64) string { return print(r, v) })
		},
		right: true,
	}
}

// columns lists them from left to right.
func columns() []column {
	unit := func(r *Row, v float64) string { return figure(r.Unit, v) }
	latency := func(_ *Row, v float64) string { return latencyText(v) }
	latencyColumn := func(name string, of func(*Row) Spread) column {
		return spreadColumn(func(t *table) string { return t.latency() + name }, func(r *Row) Spread {
			if r.Latency == "" { // of the load, and not what the row is about
				return Spread{}
			}
			return of(r)
		}, latency)
	}
	return []column{
		{titled("row"), func(*Row) bool { return true }, func(r *Row) string { return r.Name }, false},
		{func(t *table) string { return t.engineTitle() }, measured, func(r *Row) string {
			if !measured(r) {
				return ""
			}
			return rangeText(r.Engine, func(v float64) string { return unit(r, v) })
		}, true},
		spreadColumn(titled("ceiling"), func(r *Row) Spread { return r.Ceiling }, unit),
		spreadColumn(titled("ratio"), func(r *Row) Spread { return r.Ratio }, func(_ *Row, v float64) string { return number(v) }),
		{titled("budget"), func(r *Row) bool { return r.Budget > 0 }, budgetText, true},
		{titled("verdict"), func(r *Row) bool { return r.Budget > 0 || r.Failure != "" }, verdict, false},
		spreadColumn(titled("per second"), func(r *Row) Spread { return r.PerSecond }, func(_ *Row, v float64) string { return number(v) }),
		latencyColumn("p50", func(r *Row) Spread { return r.P50 }),
		latencyColumn("p99", func(r *Row) Spread {
			if r.Unit == unitLatency { // it is the row's figure
				return Spread{}
			}
			return r.P99
		}),
		latencyColumn("p99.9", func(r *Row) Spread { return r.P999 }),
		{titled("errors"), func(r *Row) bool { return r.Errors > 0 }, func(r *Row) string { return grouped(r.Errors) }, true},
		{titled("note"), func(r *Row) bool { return r.Note != "" || r.Failure != "" }, noteText, false},
	}
}

// measured reports whether a row has figures, of which nought can be one.
func measured(r *Row) bool { return r.Failure == "" && (len(r.Runs) > 0 || r.Engine != Spread{}) }

// engineTitle says what is counted, if it is the same for all rows.
func (t *table) engineTitle() string {
	switch {
	case !t.any(func(r *Row) bool { return r.Unit != unitLatency }):
		return t.latency() + "p99"
	case t.any(func(r *Row) bool { return r.Unit != unitMicros && r.Unit != "" }):
		return "measured"
	default:
		return "CPU per " + t.what
	}
}

// latency is the word before the percentiles, if it is the same for all rows that have them.
func (t *table) latency() string {
	word := ""
	for _, row := range t.rows {
		switch {
		case row.P50 == Spread{}, row.Latency == word:
		case word == "":
			word = row.Latency
		default:
			return ""
		}
	}
	return strings.TrimLeft(word+" ", " ")
}

func budgetText(r *Row) string {
	switch {
	case r.Budget <= 0:
		return ""
	case r.Of == ofValue:
		return "≤ " + figure(r.Unit, r.Budget)
	default:
		return fmt.Sprintf("≤ %g ×", r.Budget)
	}
}

func verdict(r *Row) string {
	switch {
	case r.Failure != "":
		return "not measured"
	case r.Missed():
		return "**missed**"
	case r.Budget > 0:
		return "met"
	default:
		return ""
	}
}

func noteText(r *Row) string {
	return strings.TrimSpace(strings.Join([]string{r.Failure, r.Note}, " "))
}

// common is the note that all rows with a note have, if there are two of them at least.
func (t *table) common() string {
	note, n := "", 0
	for _, row := range t.rows {
		if row.Note == "" {
			continue
		}
		if n++; n > 1 && row.Note != note {
			return ""
		}
		note = row.Note
	}
	if n < 2 {
		return ""
	}
	return note
}

func (t *table) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## %s\n\n", t.title)
	if t.about != "" {
		fmt.Fprintf(b, "%s\n\n", t.about)
	}
	// A note that says the same in every row is said once, above them.
	if note := t.common(); note != "" {
		fmt.Fprintf(b, "%s\n\n", note)
		for i := range t.rows {
			t.rows[i].Note = ""
		}
	}
	var shown []column
	for _, c := range columns() {
		if t.any(c.has) {
			shown = append(shown, c)
		}
	}
	titles, rules := make([]string, 0, len(shown)), make([]string, 0, len(shown))
	for _, c := range shown {
		titles = append(titles, c.title(t))
		if c.right {
			rules = append(rules, "---:")
		} else {
			rules = append(rules, "---")
		}
	}
	writeCells(b, titles)
	writeCells(b, rules)
	for i := range t.rows {
		cells := make([]string, 0, len(shown))
		for _, c := range shown {
			cells = append(cells, c.text(&t.rows[i]))
		}
		writeCells(b, cells)
	}
}

func writeCells(b *bytes.Buffer, cells []string) {
	b.WriteString("|")
	for _, text := range cells {
		b.WriteString(" " + cell(text) + " |")
	}
	b.WriteString("\n")
}
