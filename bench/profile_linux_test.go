package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lessThanASecond ends the load early: the shortest profile is one of a second, but the stand-in gives it at once.
const lessThanASecond = 50*time.Millisecond - time.Second

// testProfiler is a profiler of the stand-in.
func testProfiler(t *testing.T) *profiler {
	t.Helper()
	s := testSuite(t)
	p := newProfiler(ProfileOptions{
		Executable: s.opts.Executable, Dir: t.TempDir(), Seconds: 1, Warmup: 10 * time.Millisecond, tail: lessThanASecond, Commit: "abc",
	}, s)
	t.Cleanup(p.client.CloseIdleConnections)
	return p
}

func TestCapture(t *testing.T) {
	for _, sc := range []ProfileScenario{
		{Name: "publish", Durability: "sync", Faces: []string{"native", "smq"}, Conns: 4, SizeBytes: 16},
		{Name: "push", Durability: "memory", Faces: []string{"native"}, Conns: 2, SizeBytes: 16, Fanout: 30, Pipeline: 4, InFlight: 8, Share: 0.1},
		{Name: "lagging", Durability: "sync", Faces: []string{"native"}, Conns: 2, SizeBytes: 16, Fanout: 2, Pipeline: 1, InFlight: 8, Backlog: 20 * time.Millisecond},
	} {
		t.Run(sc.Name, func(t *testing.T) {
			p := testProfiler(t)
			c, err := p.capture(t.Context(), sc)
			if err != nil {
				t.Fatal(err)
			}
			if c.PerSecond <= 0 || c.CPU <= 0 || c.Commit != "abc" || len(c.Load) != len(sc.Faces) {
				t.Errorf("%+v", c)
			}
			if open := strings.Contains(c.Load[0], " --rate "); open != (sc.Share > 0) {
				t.Errorf("load: %s", c.Load[0])
			}
			var kinds []string
			for _, f := range c.Files {
				kinds = append(kinds, f.Kind)
				profile, err := os.ReadFile(filepath.Join(p.opts.Dir, f.File))
				if err != nil || len(profile) != f.Bytes {
					t.Fatalf("%s: %d bytes, %v; the index says %d", f.File, len(profile), err, f.Bytes)
				}
				if dir := filepath.Dir(p.opts.Executable); bytes.Contains(unpacked(t, profile), []byte(dir)) {
					t.Errorf("%s names %s", f.File, dir)
				}
				if watched := strings.Contains(f.Server, "--profiling-mutex-fraction 5 --profiling-block-rate-ns 10000"); watched != (f.Kind != "cpu") {
					t.Errorf("%s of %s", f.Kind, f.Server)
				}
				if strings.Contains(f.Server+f.Fetch, p.suite.dir) || !strings.Contains(f.Fetch, "?seconds=1'") {
					t.Errorf("%s, %s", f.Server, f.Fetch)
				}
			}
			if got := strings.Join(kinds, " "); got != "cpu allocs mutex block" {
				t.Errorf("kinds %s", got)
			}
			if left, err := os.ReadDir(p.suite.dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// A second capture of a scenario takes the place of the first, and leaves the others.
func TestProfileKeepsTheIndex(t *testing.T) {
	s := testSuite(t)
	dir := t.TempDir()
	old := ProfileIndex{Captures: []ProfileCapture{
		{ProfileScenario: ProfileScenario{Name: "publish-memory-256"}, Commit: "old"},
		{ProfileScenario: ProfileScenario{Name: "lagging-drain"}, Commit: "old"},
	}}
	if err := old.write(dir); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := Profile(t.Context(), ProfileOptions{
		Executable: s.opts.Executable, Dir: dir, Scenarios: []string{"push-plain-10"}, Seconds: 1, Warmup: 10 * time.Millisecond,
		tail: lessThanASecond, Commit: "new", TempDir: t.TempDir(), Out: &out,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	text, err := os.ReadFile(filepath.Join(dir, ProfileIndexFile))
	if err != nil {
		t.Fatal(err)
	}
	var index ProfileIndex
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, c := range index.Captures {
		got += c.Name + " " + c.Commit + "\n"
	}
	if want := "publish-memory-256 old\npush-plain-10 new\nlagging-drain old\n"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestProfileRefuses(t *testing.T) {
	err := Profile(t.Context(), ProfileOptions{Seconds: 601, Warmup: -1, MutexFraction: -1, BlockRateNS: -1, Scenarios: []string{"none"}})
	want := "bench: profile: executable: is missing\ndir: is missing\nseconds: 601 is not between 1 and 600\nwarm-up: -1ns is negative\n" +
		"mutex fraction: -1 is negative\nblock rate: -1 is negative\nscenario: \"none\" is none of publish-sync-256, publish-memory-256, " +
		"push-plain-10, push-pipelined-64, end-to-end-100, lagging-drain"
	if fmt.Sprint(err) != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ProfileIndexFile), []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	var syntax *json.SyntaxError
	if err := Profile(t.Context(), ProfileOptions{Executable: "none", Dir: dir}); !errors.As(err, &syntax) {
		t.Errorf("a damaged index: %v", err)
	}
}

func TestProfileEndsWithItsContext(t *testing.T) {
	p := testProfiler(t)
	ctx, cancel := context.WithCancel(t.Context())
	p.opts.Warmup = time.Hour
	time.AfterFunc(300*time.Millisecond, cancel)
	_, err := p.capture(ctx, ProfileScenario{Name: "publish", Durability: "sync", Faces: []string{"native"}, Conns: 2, SizeBytes: 16})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestVary(t *testing.T) {
	s := testSuite(t)
	dir := t.TempDir()
	r, err := Vary(t.Context(), VaryOptions{
		Executable: s.opts.Executable, Scenario: "push-plain-10", Variants: []string{"default", "fanout=30,size=16", "fanout=0,share=0,GOGC=50"},
		Runs: 2, Duration: 30 * time.Millisecond, TempDir: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Variants) != 3 || r.Variants[0].Ratio != (Spread{Median: 1, Min: 1, Max: 1}) {
		t.Errorf("%+v", r)
	}
	for i, v := range r.Variants {
		if v.CPU.Min <= 0 || v.Ratio.Min <= 0 || v.PerSecond.Min <= 0 || v.P99.Min <= 0 || (v.Rate > 0) != (i < 2) {
			t.Errorf("%+v", v)
		}
	}
	// Who asks for the same share gets the same rate: otherwise the variants had different work.
	if r.Variants[0].Rate != r.Variants[1].Rate {
		t.Errorf("rates %v and %v", r.Variants[0].Rate, r.Variants[1].Rate)
	}
	if lines := strings.Split(strings.TrimSpace(r.String()), "\n"); len(lines) != 7 {
		t.Errorf("%s", r)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// The gate with real processes of the stand-in: what is committed decides.
func TestGate(t *testing.T) {
	s := testSuite(t)
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "ratios.json")
	var out bytes.Buffer
	opts := GateOptions{Executable: s.opts.Executable, Ratios: file, Runs: 1, Duration: 20 * time.Millisecond, TempDir: dir, Out: &out}
	if err := Gate(t.Context(), opts); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	// The stand-in knows no SNS and fails every push, so only two publishes can pass.
	ratios := GateRatios{Ratios: map[string]float64{}}
	for _, row := range (&gate{}).rows() {
		ratios.Ratios[row.name] = 999
	}
	if err := ratios.write(file); err != nil {
		t.Fatal(err)
	}
	err := Gate(t.Context(), opts)
	want := "bench: the gate is closed: more than 1.5 times the committed ratio in 3 tries: publish sns, memory, 256 connections; " +
		"push plain, fan-out 10; push pipelined 16, fan-out 10"
	if !errors.Is(err, ErrGate) || err.Error() != want {
		t.Errorf("%v\nwant %s\n%s", err, want, &out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// An update writes the median of the tries, with two digits; it writes nothing when a row has no figure.
func TestGateUpdate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ratios.json")
	g := &gate{opts: GateOptions{Ratios: file, Commit: "abc"}, suite: testSuite(t)}
	a, _ := fakeRow("a", 3, 1.234567, 1)
	b, _ := fakeRow("b", 2, 2, 2)
	broken, _ := fakeRow("b", 2, 0)
	tiny, _ := fakeRow("b", 0.001, 0.001, 0.001)
	for _, row := range []gateRow{broken, tiny} {
		if err := g.update(t.Context(), []gateRow{a, row}); err == nil {
			t.Error("a row without a figure was written")
		}
		a, _ = fakeRow("a", 3, 1.234567, 1)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was written: %v", err)
	}
	if err := g.update(t.Context(), []gateRow{a, b}); err != nil {
		t.Fatal(err)
	}
	got, err := readGateRatios(file, []gateRow{a, b})
	if err != nil || got.Commit != "abc" || got.Ratios["a"] != 1.23 || got.Ratios["b"] != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}
