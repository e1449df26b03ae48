package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testSuite is a suite whose program is this test binary.
func testSuite(t *testing.T) *suite {
	t.Helper()
	noneLeft(t)
	t.Setenv(programVariable, "1")
	t.Setenv("GORACE", "atexit_sleep_ms=0") // a process under the race detector would take a second to end
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{opts: SuiteOptions{Executable: exe}, dir: t.TempDir()}
	s.opts.setDefaults()
	return s
}

func TestProcess(t *testing.T) {
	s := testSuite(t)
	p, err := s.start(t.Context(), "bench", "fixed-reply", "--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	if p.admin != "127.0.0.1:2" {
		t.Errorf("admin %q", p.admin)
	}
	before, err := p.cpu()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if status, _, err := call(t.Context(), p.listen, "POST", "/topics/t/messages", "x"); err != nil || status != 201 {
			t.Fatal(status, err)
		}
	}
	if after, err := p.cpu(); err != nil || after <= before {
		t.Errorf("CPU time went from %v to %v, %v", before, after, err)
	}
	p.stop()
	p.stop()
	if err := syscall.Kill(p.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process is still there: %v", err)
	}
	if _, err := p.cpu(); err == nil {
		t.Error("a process that has ended has a CPU clock")
	}
}

func TestProcessThatDoesNotStart(t *testing.T) {
	s := testSuite(t)
	if _, err := s.start(t.Context(), "crash"); err == nil || !strings.Contains(err.Error(), "ended at once: out of cheese") {
		t.Error(err)
	}
	if _, err := s.start(t.Context(), "chatter"); err == nil || !strings.Contains(err.Error(), "ended at once: xxx") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.start(ctx, "wait"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.opts.Executable = "/nonexistent"
	if _, err := s.start(t.Context(), "serve"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestRun(t *testing.T) {
	s := testSuite(t)
	var r Result
	if err := s.run(t.Context(), &r, "crash"); err == nil || !strings.Contains(err.Error(), "out of cheese") {
		t.Error(err)
	}
	if err := s.run(t.Context(), &r, "chatter"); err == nil {
		t.Error("no error for output that is no JSON")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.run(ctx, &r, "wait"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// The settings of the caller's shell are none of the program's under test.
func TestCommandEnvironment(t *testing.T) {
	t.Setenv("FANFARE_DURABILITY", "memory")
	s := testSuite(t)
	for _, v := range s.command(nil).Env {
		if strings.HasPrefix(v, "FANFARE_") {
			t.Error(v)
		}
	}
}

func TestSuite(t *testing.T) {
	s := testSuite(t)
	dir := t.TempDir()
	var out bytes.Buffer
	r, err := Suite(t.Context(), SuiteOptions{
		Executable: s.opts.Executable, Runs: 2, Duration: 60 * time.Millisecond, Warmup: 20 * time.Millisecond,
		Faces: []string{"smq", "sns"}, Dir: dir, Commit: "abc", Out: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(r.Rows))
	for _, row := range r.Rows {
		state := "measured"
		if row.Failure != "" {
			state = row.Failure
		} else if row.Ceiling.Median <= 0 || row.PerSecond.Median <= 0 || row.Ratio.Max < row.Ratio.Min {
			t.Errorf("%+v", row)
		}
		got = append(got, row.Name+": "+state)
	}
	// The stand-in knows no topic under SMQ but bench, which is made through the native API, and no SNS at all.
	want := []string{
		"publish smq, sync, 256 connections: measured",
		"publish sns, sync, 256 connections: nothing was published to serve",
		"publish smq, sync, 32 connections: measured",
		"publish sns, sync, 32 connections: nothing was published to serve",
		"publish smq, memory, 256 connections: measured",
		"publish sns, memory, 256 connections: nothing was published to serve",
		"push plain, fan-out 1: measured",
		"publish native, memory, and push plain, fan-out 1: measured",
		"push plain, fan-out 10: measured",
		"publish native, memory, and push plain, fan-out 10: measured",
	}
	for i := range max(len(want), len(got)) {
		if i >= len(got) || i >= len(want) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("rows:\n%s\nwant:\n%s\noutput:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), out.String())
		}
	}
	if r.Commit != "abc" || r.Machine.Kernel == "unknown" || r.Machine.FileSystem == "unknown" {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSuiteEndsWithItsContext(t *testing.T) {
	s := testSuite(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Suite(ctx, SuiteOptions{
		Executable: s.opts.Executable, Duration: 50 * time.Millisecond, Faces: []string{"native"}, Dir: dir,
		Out: writerFunc(func([]byte) { cancel() }), // at the first run's line
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSuiteOptionsValidate(t *testing.T) {
	_, err := Suite(t.Context(), SuiteOptions{Runs: -1, Duration: -1, Faces: []string{"kafka"}})
	want := `bench: suite: executable: is missing
runs: -1 is negative
duration: -1ns, warm-up: 0s: one is negative
faces: "kafka" is none of smq, rocketmq, dms, smn, sns, native`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestCPUTime(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for sum := 0; ; sum++ {
		after, err := cpuTime(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if after-before > time.Millisecond {
			return
		}
	}
}
