package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
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

// The sizes of the suite are made small, and its loads so short that no figure means anything but the stand-in's own.
func tinySuite(s *suite, dir string, out io.Writer) SuiteOptions {
	return SuiteOptions{
		Executable: s.opts.Executable, Runs: 2, Duration: 20 * time.Millisecond, Warmup: 10 * time.Millisecond,
		Faces: []string{"smq", "sns"}, Many: 300, Dir: dir, Commit: "abc", Out: out,
	}
}

func TestSuite(t *testing.T) {
	s := testSuite(t)
	dir := t.TempDir()
	var out bytes.Buffer
	r, err := Suite(t.Context(), tinySuite(s, dir, &out))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		state := row.Unit
		if row.Failure != "" {
			state = row.Failure
		} else if len(row.Runs) != 2 || row.PerSecond.Median <= 0 && row.Group != groupMemory || row.Ratio.Max < row.Ratio.Min {
			t.Errorf("%+v", row)
		}
		if row.Failure == "" && row.Ceiling.Median > 0 {
			state += " of a ceiling"
		}
		if row.Budget > 0 {
			state += fmt.Sprintf(", %g", row.Budget)
		}
		got = append(got, row.Group+": "+row.Name+": "+state)
	}
	// The stand-in's SNS knows other topics only.
	want := []string{
		"publish: publish smq, sync, 256 connections: us of a ceiling, 1.6",
		"publish: publish sns, sync, 256 connections: nothing was published to serve; errors: ",
		"publish: publish smq, sync, 32 connections: us of a ceiling, 2.2",
		"publish: publish sns, sync, 32 connections: nothing was published to serve; errors: ",
		"publish: publish smq, memory, 256 connections: us of a ceiling, 1.25",
		"publish: publish sns, memory, 256 connections: nothing was published to serve; errors: ",
		"batches: Publish, unsigned, sync: us of a ceiling",
		"batches: Publish, signed, sync: us of a ceiling",
		"batches: PublishBatch of 10, unsigned, sync: us of a ceiling",
		"batches: PublishBatch of 10, signed, sync: us of a ceiling",
		"batches: Publish, unsigned, memory: us of a ceiling",
		"batches: Publish, signed, memory: us of a ceiling",
		"batches: PublishBatch of 10, unsigned, memory: us of a ceiling",
		"batches: PublishBatch of 10, signed, memory: us of a ceiling",
		"push: push plain, fan-out 1: us of a ceiling, 1.1",
		"push: push plain, fan-out 10: us of a ceiling, 1.1",
		"push: push pipelined 16, fan-out 1: us of a ceiling, 1.6",
		"push: push pipelined 64, fan-out 1: us of a ceiling, 1.6",
		"end to end: publish native, sync, and push plain, fan-out 1: us of a ceiling",
		"end to end: publish native, async, and push plain, fan-out 1: us of a ceiling",
		"end to end: publish native, memory, and push plain, fan-out 1: us of a ceiling",
		"fan-out: fan-out 1: us of a ceiling",
		"fan-out: fan-out 10: us of a ceiling",
		"fan-out: fan-out 100: us of a ceiling",
		"fan-out: fan-out 1,000: us of a ceiling",
		"queues: publish to 1 queue, each message: us of a ceiling",
		"queues: publish to 1 queue, each placement: us of a ceiling",
		"queues: publish to 10 queues, each message: us of a ceiling",
		"queues: publish to 10 queues, each placement: us of a ceiling",
		"queues: send to a standard queue, 10 at a time: us of a ceiling",
		"queues: receive from a standard queue and delete, 10 at a time: us of a ceiling",
		"queues: send to a FIFO queue, 10 at a time: us of a ceiling",
		"queues: receive from a FIFO queue and delete, 10 at a time: us of a ceiling",
		"topics: publish, 1 topic: us",
		"topics: publish, 3 topics: us of a ceiling, 1.15",
		"topics: publish, 300 topics: us of a ceiling, 1.15",
		"topics: publish and push, 1 topic: us",
		"topics: publish and push, 3 topics: us of a ceiling, 1.15",
		"topics: publish and push, 300 topics: us of a ceiling, 1.15",
		"bodies: body of 64 B: us of a ceiling",
		"bodies: body of 1 KiB: us of a ceiling",
		"bodies: body of 16 KiB: us of a ceiling",
		"bodies: body of 256 KiB: us of a ceiling",
		"filters: filter by tag, not matched: us, 0.3",
		"latency: publish to push, 10 % of the capacity: latency_us of a ceiling",
		"latency: publish to push, 30 % of the capacity: latency_us",
		"latency: publish to push, 50 % of the capacity: latency_us of a ceiling, 2",
		"latency: publish to push, 65 % of the capacity: latency_us",
		"latency: publish to push, 80 % of the capacity: latency_us of a ceiling",
		"latency: publish to push, 90 % of the capacity: latency_us",
		"latency: publish to push, 100 % of the capacity: latency_us",
		"allocations: allocations per message, publish: allocations, 0.5",
		"allocations: garbage collector's share of the CPU, publish: share, 0.01",
		"allocations: allocations per message, publish and push: allocations, 0.5",
		"allocations: garbage collector's share of the CPU, publish and push: share, 0.01",
		"memory: empty process: bytes",
		"memory: idle connection: bytes",
		"memory: idle topic: bytes, 1024",
		"memory: idle subscription: bytes, 2048",
	}
	for i := range max(len(want), len(got)) {
		if i >= len(got) || i >= len(want) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("row %d:\n%s\nwant:\n%s\noutput:\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"), out.String())
		}
	}
	checkKnown(t, r)
	if r.Commit != "abc" || r.Machine.Kernel == "unknown" || r.Machine.FileSystem == "unknown" {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// checkKnown checks the rows whose figures the stand-in makes up.
func checkKnown(t *testing.T, r *Report) {
	t.Helper()
	for name, want := range map[string]float64{
		"push plain, fan-out 10":                                 7,
		"allocations per message, publish":                       2,
		"allocations per message, publish and push":              2,
		"garbage collector's share of the CPU, publish":          0,
		"garbage collector's share of the CPU, publish and push": 0,
		"empty process":     1e6,
		"idle topic":        1000,
		"idle subscription": 3000,
	} {
		at := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Name == name })
		if got := r.Rows[at].Engine; math.Abs(got.Median-want) > 1e-6 || math.Abs(got.Max-want) > 1e-6 {
			t.Errorf("%s: %+v, want %v", name, got, want)
		}
	}
}

// Behind an interruption there is what was measured, of the row it fell into too.
func TestSuiteEndsWithItsContext(t *testing.T) {
	s := testSuite(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opts := tinySuite(s, dir, writerFunc(func(line []byte) {
		if bytes.Contains(line, []byte("32 connections  run 1 of 2")) {
			cancel()
		}
	}))
	opts.Faces, opts.Rows = []string{"native"}, "publish native, sync"
	r, err := Suite(ctx, opts)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err %v", err)
	}
	if len(r.Rows) != 2 || len(r.Rows[0].Runs) != 2 || len(r.Rows[1].Runs) != 1 ||
		r.Rows[0].Note != "" || r.Rows[1].Note != "Interrupted behind 1 of 2 runs." || r.Rows[1].Engine.Median <= 0 {
		t.Errorf("%+v", r.Rows)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSuiteOptionsValidate(t *testing.T) {
	_, err := Suite(t.Context(), SuiteOptions{Runs: -1, Duration: -1, Many: 99, Faces: []string{"kafka"}})
	want := `bench: suite: executable: is missing
runs: -1 is negative
duration: -1ns, warm-up: 0s: one is negative
many: 99 is not between 100 and 1000000
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
