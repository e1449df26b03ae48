package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeRow measures what it is told, one after the other; 0 is an error.
func fakeRow(name string, ratios ...float64) (row gateRow, measured *int) {
	measured = new(int)
	return gateRow{name, func(context.Context) (gatePair, error) {
		ratio := ratios[*measured]
		*measured++
		if ratio == 0 {
			return gatePair{}, errors.New("out of cheese")
		}
		return gatePair{engine: ratio, ceiling: 1, ratio: Spread{Median: ratio}}, nil
	}}, measured
}

func TestJudge(t *testing.T) {
	f := func(ratios []float64, wantPassed bool, wantTries int) {
		t.Helper()
		row, measured := fakeRow("row", ratios...)
		verdicts, err := judge(t.Context(), []gateRow{row}, map[string]float64{"row": 2}, t.Logf)
		if err != nil {
			t.Fatal(err)
		}
		if v := verdicts[0]; v.passed != wantPassed || v.tries != wantTries || *measured != wantTries {
			t.Errorf("%v: passed %v after %d tries, %d measurements; want %v after %d", ratios, v.passed, v.tries, *measured, wantPassed, wantTries)
		}
		if err := closed(verdicts); errors.Is(err, ErrGate) == wantPassed {
			t.Errorf("%v: %v", ratios, err)
		}
	}
	f([]float64{1}, true, 1)
	f([]float64{3}, true, 1) // on the limit
	f([]float64{3.01, 2}, true, 2)
	f([]float64{9, 9, 3}, true, 3)
	f([]float64{9, 9, 3.01}, false, 3)
	f([]float64{0, 0, 2}, true, 3)
	f([]float64{0, 0, 0}, false, 3)
	f([]float64{9, 9, 0}, false, 3)
	f([]float64{math.NaN(), math.Inf(1), -1}, false, 3)
}

// What passed is not measured again, and what failed is named.
func TestJudgeTriesOnlyWhatFailed(t *testing.T) {
	good, goodTries := fakeRow("good", 1)
	slow, slowTries := fakeRow("slow", 9, 8, 9)
	late, lateTries := fakeRow("late", 9, 1)
	var said bytes.Buffer
	verdicts, err := judge(t.Context(), []gateRow{good, slow, late}, map[string]float64{"good": 1, "slow": 1, "late": 1},
		func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) })
	if err != nil {
		t.Fatal(err)
	}
	if *goodTries != 1 || *slowTries != 3 || *lateTries != 2 {
		t.Errorf("measured %d, %d and %d times", *goodTries, *slowTries, *lateTries)
	}
	if err := closed(verdicts); err == nil || !strings.HasSuffix(err.Error(), "in 3 tries: slow") {
		t.Error(err)
	}
	if got := strings.Count(said.String(), "\n"); got != 6 {
		t.Errorf("%d lines for 6 measurements:\n%s", got, &said)
	}
	var table bytes.Buffer
	writeVerdicts(&table, verdicts)
	lines := strings.Split(strings.TrimSpace(table.String()), "\n")
	got := make([]string, 0, 3)
	for _, line := range lines[1:] {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{"good 1.00 1.00 1.00 1.00 1.50 1 passed", "slow 8.00 1.00 8.00 1.00 1.50 3 FAILED", "late 1.00 1.00 1.00 1.00 1.50 2 passed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJudgeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	row := gateRow{"row", func(context.Context) (gatePair, error) { cancel(); return gatePair{}, nil }}
	if _, err := judge(ctx, []gateRow{row}, nil, t.Logf); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A row without a committed ratio never passes.
func TestJudgeWithoutARatio(t *testing.T) {
	row, _ := fakeRow("row", 1, 1, 1)
	verdicts, err := judge(t.Context(), []gateRow{row}, map[string]float64{}, t.Logf)
	if err != nil || closed(verdicts) == nil {
		t.Error(verdicts, err)
	}
}

func TestReadGateRatios(t *testing.T) {
	rows := []gateRow{{name: "a"}, {name: "b"}}
	f := func(text, want string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "ratios.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := readGateRatios(file, rows)
		if want == "" {
			if err != nil || g.Ratios["a"] != 1.5 {
				t.Errorf("%s: %v, %v", text, g, err)
			}
			return
		}
		if err == nil || !errors.Is(err, ErrGateRatios) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	f(`{"ratios":{"a":1.5,"b":2}}`, "")
	f(`{"ratios":{"a":1.5}}`, `no ratio of "b"`)
	f(`{"ratios":{"a":1.5,"b":2,"c":3}}`, `"c" is no row of the gate`)
	f(`{"ratios":{"a":0,"b":2}}`, `the ratio of "a" is 0`)
	f(`{"ratios":{"a":-1,"b":2}}`, `the ratio of "a" is -1`)
	f(`{"ratios":{"a":1e9,"b":2}}`, `the ratio of "a" is 1e+09`)
	f(`{"ratios":{"a":1.5,"b":2}} x`, `behind its end`)
	f(`{"ratios":{"a":1.5,"b":2}`, `unexpected EOF`)
	f(`{"ratio":{"a":1.5,"b":2}}`, `unknown field "ratio"`)
	f(`{}`, `no ratio of "a"`)
	f(``, `EOF`)
	f(`[]`, `cannot unmarshal`)
	if _, err := readGateRatios(filepath.Join(t.TempDir(), "none"), rows); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// The committed file has every row of the gate, and nothing else.
func TestCommittedRatios(t *testing.T) {
	if _, err := readGateRatios("ratios.json", (&gate{}).rows()); err != nil {
		t.Error(err)
	}
}

func TestGateOptionsValidate(t *testing.T) {
	want := "bench: gate: executable: is missing\nratios: the file is not named\nruns: -1 is negative\nduration: -1ns is negative"
	if err := Gate(t.Context(), GateOptions{Runs: -1, Duration: -1}); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
