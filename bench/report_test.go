package bench

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sampleReport() *Report {
	s := func(median, lowest, highest float64) Spread { return Spread{median, lowest, highest} }
	return &Report{
		Machine: Machine{CPU: "Example CPU", Cores: 2, Kernel: "Linux 6.1", Go: "go1.26.0", FileSystem: "ext4"},
		Command: "fanfare bench suite", Date: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), Runs: 3, Duration: 5 * time.Second,
		Rows: []Row{
			{
				Group: groupPublish, Name: "publish smq, sync, 256 connections", Engine: s(15, 14.5, 16), Ceiling: s(10, 9.9, 10.2),
				Ratio: s(1.5, 1.42, 1.6), Budget: 1.6, PerSecond: s(43210, 40000, 45000), P50: s(5200, 5000, 5400), P99: s(9100, 9000, 9500),
			},
			{Group: groupPublish, Name: "publish sns, sync, 256 connections", Failure: "status 404: no | such\ntopic", Budget: 1.6},
			{Group: groupPush, Name: "push plain, fan-out 1", Engine: s(20, 19, 21), Ceiling: s(16, 15, 17), Ratio: s(1.25, 1.2, 1.3), Budget: 1.1},
			{Group: groupEnd, Name: "fan-out 1", Engine: s(35, 34, 36), Ceiling: s(26, 25, 27), Ratio: s(1.35, 1.3, 1.4), Errors: 2},
		},
	}
}

func TestWriteReport(t *testing.T) {
	var got bytes.Buffer
	if err := WriteReport(&got, sampleReport()); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/report.md"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWriteReportJSON(t *testing.T) {
	var b bytes.Buffer
	if err := WriteReportJSON(&b, sampleReport()); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleReport(), &back); diff != "" {
		t.Error(diff)
	}
}

func TestReportFailed(t *testing.T) {
	r := sampleReport()
	if err := r.Failed(); err == nil || !strings.HasPrefix(err.Error(), "publish sns, sync, 256 connections: status 404") {
		t.Error(err)
	}
	r.Rows = r.Rows[2:]
	if err := r.Failed(); err != nil {
		t.Error(err)
	}
	if !r.Rows[0].Missed() || r.Rows[1].Missed() {
		t.Errorf("missed: %v, %v", r.Rows[0].Missed(), r.Rows[1].Missed())
	}
	if err := (&Report{}).Failed(); err == nil {
		t.Error("an empty report is not a failed one")
	}
}

func TestSpread(t *testing.T) {
	f := func(want Spread, values ...float64) {
		t.Helper()
		if got := spreadOf(values); got != want {
			t.Errorf("%v: %v, want %v", values, got, want)
		}
	}
	f(Spread{})
	f(Spread{3, 3, 3}, 3)
	f(Spread{2, 1, 3}, 3, 1, 2)
	f(Spread{2.5, 1, 9}, 9, 1, 2, 3)
}

func TestMachineParts(t *testing.T) {
	if got := cpuModel(strings.NewReader("processor\t: 0\nmodel name\t: Some: CPU\nmodel name\t: Other\n")); got != "Some: CPU" {
		t.Error(got)
	}
	if got := cpuModel(strings.NewReader("")); got != "unknown" {
		t.Error(got)
	}
	const mounts = `22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 0:30 / /tmp rw,nosuid shared:1 - tmpfs tmpfs rw
31 22 0:31 / /data rw - xfs /dev/vdb rw
32 31 0:32 / /data rw - btrfs /dev/vdc rw
broken line
`
	for dir, want := range map[string]string{"/": "ext4", "/tmp/x": "tmpfs", "/tmpfoo": "ext4", "/data": "btrfs", "/home": "ext4"} {
		if got := fileSystem(strings.NewReader(mounts), dir); got != want {
			t.Errorf("%s: %s, want %s", dir, got, want)
		}
	}
}
