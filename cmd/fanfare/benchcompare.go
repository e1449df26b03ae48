package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"fanfare/bench"
)

// errRegression is returned when a row is worse by more than --fail-over.
var errRegression = errors.New("worse than before by more than --fail-over allows")

type benchCompare struct {
	Old      string   `arg:"" help:"Report that the suite wrote with --json." placeholder:"OLD.json"`
	New      string   `arg:"" help:"A later one." placeholder:"NEW.json"`
	FailOver *float64 `help:"Exit with 1 when the figure of a row is worse by more than so many percent, beyond chance." placeholder:"PERCENT"`
}

// Run compares two reports that were kept.
func (c *benchCompare) Run(context.Context) error {
	old, err := readReport(c.Old)
	if err != nil {
		return err
	}
	current, err := readReport(c.New)
	if err != nil {
		return err
	}
	return compareReports(os.Stdout, old, current, c.FailOver)
}

// compareFlags are those of the suite by which it compares what it measured with an earlier report.
type compareFlags struct {
	Compare  string   `help:"Earlier report, as JSON; says what changed since." placeholder:"OLD.json"`
	FailOver *float64 `help:"With --compare: exit with 1 when the figure of a row is worse by more than so many percent, beyond chance." placeholder:"PERCENT"`
}

// readOld reads the earlier report, before anything is measured: nil without one.
func (f *compareFlags) readOld() (*bench.Report, error) {
	if f.Compare == "" {
		return nil, nil
	}
	return readReport(f.Compare)
}

// compareWith says what changed, if there is an earlier report.
func (f *compareFlags) compareWith(old, current *bench.Report) error {
	if old == nil {
		return nil
	}
	return compareReports(os.Stdout, old, current, f.FailOver)
}

func compareReports(w io.Writer, old, current *bench.Report, failOver *float64) error {
	comparison := bench.Compare(old, current)
	if err := bench.WriteComparison(w, comparison); err != nil || failOver == nil {
		return err
	}
	var worse []error
	for _, change := range comparison.Regressions(*failOver) {
		worse = append(worse, fmt.Errorf("%s: %s: %.1f %% %w", change.Group, change.Row, -change.Better, errRegression))
	}
	return errors.Join(worse...)
}

func readReport(file string) (*bench.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	report, err := bench.ReadReportJSON(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return report, nil
}
