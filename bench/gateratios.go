package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// GateRatios is the committed file the gate judges by: CPU time of the engine for each message, or push, as a multiple
// of its ceiling's.
type GateRatios struct {
	Commit  string             `json:"commit,omitempty"`
	Date    time.Time          `json:"date"`
	Machine Machine            `json:"machine"`
	Ratios  map[string]float64 `json:"ratios"` // by row
}

// ErrGateRatios is a file of ratios that cannot be judged by.
var ErrGateRatios = errors.New("bench: the file of ratios is no good")

// readGateRatios reads the file. Every fault in it is an error: a gate that judges by less than all rows is open.
func readGateRatios(file string, rows []gateRow) (*GateRatios, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("bench: gate: %w", err)
	}
	g := &GateRatios{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(g); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrGateRatios, file, err)
	}
	var wrong []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf("%w: %s: "+format, append([]any{ErrGateRatios, file}, args...)...))
		}
	}
	_, err = d.Token()
	check(errors.Is(err, io.EOF), "there is something behind its end")
	known := map[string]bool{}
	for _, row := range rows {
		known[row.name] = true
		ratio, has := g.Ratios[row.name]
		check(has, "no ratio of %q", row.name)
		check(!has || ratio > 0 && ratio < 1000, "the ratio of %q is %v", row.name, ratio)
	}
	for name := range g.Ratios {
		check(known[name], "%q is no row of the gate", name)
	}
	return g, errors.Join(wrong...)
}

func (g *GateRatios) write(file string) error {
	text, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
