package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"fanfare/engine/pebblestore"
)

type checkCommand struct {
	Data string `help:"Directory of the store." default:"./fanfare-data" placeholder:"DIR" env:"FANFARE_DATA"`
	JSON bool   `name:"json" help:"Print the report as JSON."`
}

// exitError ends the process with a status of its own.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.err }

// exitStatus is the status that an error ends the process with.
func exitStatus(err error) int {
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.status
	}
	return 1
}

var errDamaged = errors.New("the store is damaged")

// Run reads the whole store and says what it holds. The status is 0 when it is sound, 1 when it is damaged, and 2 when it
// cannot be opened.
func (c *checkCommand) Run() error {
	report, err := pebblestore.Check(pebblestore.Options{Dir: c.Data})
	if err != nil {
		return &exitError{2, err}
	}
	if c.JSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		err = printReport(os.Stdout, report)
	}
	if err == nil && !report.Sound() {
		err = errDamaged
	}
	return err
}

func printReport(to io.Writer, r *pebblestore.Report) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %d messages, %d bytes; %d bytes on the disk\n", r.Dir, r.MessageCount, r.MessageBytes, r.DiskBytes)
	if len(r.Topics) > 0 {
		fmt.Fprintf(w, "\nTOPIC\tMESSAGES\tBYTES\tFIRST\tLAST\n")
	}
	for _, t := range r.Topics {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", t.Name, t.Messages, t.Bytes, t.First, t.High)
	}
	if len(r.Queues) > 0 {
		fmt.Fprintf(w, "\nQUEUE\tMESSAGES\tBYTES\tRECEIVED\tSCHEDULED\tLAST\n")
	}
	for _, q := range r.Queues {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", q.Name, q.Messages, q.Bytes, q.Received, q.Scheduled, q.High)
	}
	if len(r.Subscriptions) > 0 {
		fmt.Fprintf(w, "\nSUBSCRIPTION\tTOPIC\tKIND\tSETTLED TO\tOWED\tSCHEDULED\tDEAD LETTERS\n")
	}
	for _, s := range r.Subscriptions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", s.Name, s.Topic, s.Kind, s.Floor, s.Owed, s.Scheduled, reasons(s.DeadLetters))
	}
	if len(r.Timers) > 0 {
		fmt.Fprintf(w, "\nTIMER\tENTRIES\tNEXT DUE\n")
	}
	for _, t := range r.Timers {
		fmt.Fprintf(w, "%s\t%d\t%s\n", t.Kind, t.Count, t.Next.Format(time.RFC3339))
	}
	if len(r.Leftovers) > 0 {
		fmt.Fprintf(w, "\nHarmless leftovers, which the server drops when it meets them:\n")
	}
	for _, l := range r.Leftovers {
		fmt.Fprintf(w, "  %s\n", l)
	}
	for _, d := range r.Damages {
		fmt.Fprintf(w, "\nDAMAGED: %s: %s\n  %s\n", d.Key, d.Fault, d.Meaning)
	}
	if r.DamagesHidden > 0 {
		fmt.Fprintf(w, "\nand %d more\n", r.DamagesHidden)
	}
	if r.Sound() {
		fmt.Fprintf(w, "\nsound\n")
	}
	return w.Flush()
}

// reasons prints how many dead letters there are of which reason.
func reasons(counts map[string]uint64) string {
	if len(counts) == 0 {
		return "0"
	}
	parts := make([]string, 0, len(counts))
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[reason], reason))
	}
	return strings.Join(parts, ", ")
}
