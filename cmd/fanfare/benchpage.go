package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"fanfare/bench"
)

// pageFlags say where the page of a report goes, and what stands on it beside the figures.
type pageFlags struct {
	Out   string `help:"File for the report; - is the standard output." default:"BENCHMARKS.md" placeholder:"FILE"`
	Notes string `help:"Markdown file with the explanations of missed budgets, for the report (profiles/misses.md, if it is there)." placeholder:"FILE"`
	Plots string `help:"Directory for the report's plots." default:"profiles" placeholder:"DIR"`
}

// missesFile is where the explanations are kept.
const missesFile = "profiles/misses.md"

// writePage writes the page, and its plots beside it.
func (f *pageFlags) writePage(report *bench.Report) error {
	notes, err := f.readNotes()
	if err != nil {
		return err
	}
	page := bench.Page{Notes: notes}
	for _, plot := range bench.Plots(report) {
		figure, err := f.writePlot(plot)
		if err != nil {
			return err
		}
		page.Figures = append(page.Figures, figure)
	}
	return writeTo(f.Out, func(w io.Writer) error { return bench.WriteReport(w, report, page) })
}

func (f *pageFlags) readNotes() (string, error) {
	file := f.Notes
	if file == "" {
		file = missesFile
	}
	notes, err := os.ReadFile(file)
	if f.Notes == "" && errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(notes), err
}

// writePlot writes a plot and returns its place on the page. The link leads there from the page's directory, so
// that both can be moved together.
func (f *pageFlags) writePlot(plot bench.Plot) (bench.Figure, error) {
	if err := os.MkdirAll(f.Plots, 0o755); err != nil {
		return bench.Figure{}, err
	}
	file := filepath.Join(f.Plots, plot.Name+".svg")
	if err := os.WriteFile(file, plot.SVG, 0o644); err != nil {
		return bench.Figure{}, err
	}
	from := "."
	if f.Out != "-" {
		from = filepath.Dir(f.Out)
	}
	link, err := relative(from, file)
	return bench.Figure{Title: plot.Title, About: plot.About, Link: filepath.ToSlash(link)}, err
}

// relative is filepath.Rel for paths of which one is absolute.
func relative(from, to string) (string, error) {
	from, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	if to, err = filepath.Abs(to); err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}

type benchPage struct {
	Reports []string `arg:"" help:"Report that the suite wrote with --json, and those of runs with --rows whose groups it is to have." placeholder:"FILE"`
	pageFlags
}

// Run writes the page of a report that was measured before, so that new explanations need no new figures.
func (c *benchPage) Run(context.Context) error {
	report, err := readReport(c.Reports[0])
	if err != nil {
		return err
	}
	for _, file := range c.Reports[1:] {
		part, err := readReport(file)
		if err != nil {
			return err
		}
		if err := report.Add(part); err != nil {
			return err
		}
	}
	return c.writePage(report)
}
