package bench

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Page is what stands on a report's page beside its figures.
type Page struct {
	Notes   string // Markdown that explains the missed budgets; kept by hand, included as it is
	Figures []Figure
}

// Figure is a plot's place on the page.
type Figure struct {
	Title string
	About string // for those who cannot see it, too
	Link  string // relative to the page
}

// WriteReport writes a report as a page of Markdown.
func WriteReport(w io.Writer, r *Report, page Page) error {
	var b bytes.Buffer
	tables := r.tables()
	writeSummary(&b, r, tables)
	writeMachine(&b, r)
	for i := range tables {
		tables[i].write(&b)
	}
	writeFigures(&b, page.Figures)
	writeMisses(&b, r, page.Notes)
	writeMethod(&b, r)
	b.WriteString(howToCompare)
	_, err := w.Write(b.Bytes())
	return err
}

func writeMachine(b *bytes.Buffer, r *Report) {
	commit := r.Commit
	if commit == "" {
		commit = "not given"
	}
	b.WriteString("\n## Where\n\n| | |\n| --- | --- |\n")
	for _, line := range [][2]string{
		{"machine", fmt.Sprintf("%s, %d cores", r.Machine.CPU, r.Machine.Cores)},
		{"kernel", r.Machine.Kernel},
		{"Go", r.Machine.Go},
		{"commit", commit},
		{"command", "`" + r.Command + "`"},
		{"date", r.Date.Format("2006-01-02 15:04 MST")},
		{"durability", "`sync` unless a row says `memory`: a publish is answered after its group is on the disk"},
		{"file system", r.Machine.FileSystem},
		{"runs", fmt.Sprintf("%d of %v for each side of each row, unless it says otherwise", r.Runs, r.Duration)},
	} {
		fmt.Fprintf(b, "| %s | %s |\n", line[0], cell(line[1]))
	}
	for i := range r.Later {
		b.WriteString("\n" + r.Later[i].text() + "\n")
	}
}

func writeFigures(b *bytes.Buffer, figures []Figure) {
	if len(figures) == 0 {
		return
	}
	b.WriteString("\n## Plots\n")
	for _, f := range figures {
		fmt.Fprintf(b, "\n### %s\n\n%s\n\n![%s](%s)\n", f.Title, f.About, f.Title, f.Link)
	}
}

// writeMisses lists the rows over their budget, so that one that nobody explained is seen.
func writeMisses(b *bytes.Buffer, r *Report, notes string) {
	b.WriteString("\n## " + missesTitle + "\n\n")
	missed := 0
	for _, row := range r.all() {
		if !row.Missed() {
			continue
		}
		missed++
		is := number(row.bounded()) + " ×"
		if row.Of == ofValue {
			is = figure(row.Unit, row.bounded())
		}
		fmt.Fprintf(b, "- %s: %s, budget %s, %s %% over\n", row.Name, is, strings.TrimPrefix(budgetText(&row), "≤ "),
			number(100*(row.bounded()/row.Budget-1)))
	}
	notes = strings.TrimSpace(notes)
	switch {
	case missed == 0 && notes == "":
		b.WriteString("None.\n")
	case notes == "":
		b.WriteString("\nNobody has explained them yet.\n")
	case missed == 0:
		b.WriteString("None in this run. What was found about those of earlier ones:\n\n" + notes + "\n")
	default:
		b.WriteString("\n" + notes + "\n")
	}
}

const missesTitle = "Rows that miss their budget"

func writeMethod(b *bytes.Buffer, r *Report) {
	fmt.Fprintf(b, `
## How it was measured

Load generator, Fanfare, ceiling and subscriber are processes of their own on loopback, all on the cores named
above, which they share. A row's runs alternate between ceiling and Fanfare (A B A B), so that a machine that gets
slower or faster meanwhile does so for both. Figures are medians of %d runs with the smallest and the largest
behind them; the ratio is taken within each pair of runs before its median, so it need not be the quotient of the
two medians beside it.

CPU time is the operating system's own account of the process (its CPU clock, user and system, all threads), read
before and after each run. It holds the system calls and the loopback's packet work done on the process's behalf.
It holds no work of kernel threads, such as the disk's, which the ceilings do not have.

Latency counts from the intended send time in an open loop, so that a server that stalls is charged for every message
that should have been sent meanwhile. In a closed loop, with as many requests in flight as connections, it is that of
the reply as the load generator saw it, and says more about the number of connections than about the server.

What these figures do not say:

- Loopback has no network: no loss, no distance, no card. It makes the ceilings cheap, and the ratios harsher than they
  would be on a wire.
- Everything shares the same few cores, so rates are those of the whole exercise, load generator and subscriber included,
  and not the most that Fanfare could do on a machine of its own.
- The subscriber answers at once and always with success. Slow and failing ones are tested elsewhere, not measured here.
- A sync costs what this disk makes it cost. On a virtual machine that can be far less, or far more, than on a disk with
  power-loss protection.
- Rates and latencies of two machines cannot be compared. Ratios can, within reason.
`, r.Runs)
}

const howToCompare = `
## Comparing two runs

` + "```" + `
fanfare bench suite --json old.json                        # before a change
fanfare bench suite --json new.json --compare old.json     # after it: measures, then says what changed
fanfare bench compare old.json new.json --fail-over 10     # of two that were kept; exit code 1 if one is 10 % worse
fanfare bench page new.json                                # writes this page again, without measuring
fanfare bench page new.json queues.json                    # likewise, with the rows of a run with --rows queues in it
` + "```" + `

A change counts when the Mann-Whitney U test on the raw runs of both, with its exact distribution, gives p < 0.05. With
five runs on each side that is so when at most two of the twenty-five pairs of an old and a new run are the other way
round; with three it can never be. A change that does not count is printed as such.
`
