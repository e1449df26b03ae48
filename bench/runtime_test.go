package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestParseMetrics(t *testing.T) {
	const text = `# HELP go_memstats_mallocs_total Total number of heap objects allocated, both live and gc-ed.
# TYPE go_memstats_mallocs_total counter
go_memstats_mallocs_total 123456
go_cpu_classes_gc_total_cpu_seconds_total 0.25
go_memstats_heap_alloc_bytes 1.5e+06
go_memstats_stack_inuse_bytes 500000
process_resident_memory_bytes 3.2e+07
go_gc_duration_seconds{quantile="0"} 1.2e-05
no number
`
	got, err := parseMetrics(text)
	if want := (runtimeFigures{mallocs: 123456, gc: 0.25, live: 2e6, resident: 3.2e7}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = parseMetrics("go_memstats_mallocs_total 1\ngo_memstats_heap_alloc_bytes 1\nprocess_resident_memory_bytes 1\n")
	want := "the server has no metric go_cpu_classes_gc_total_cpu_seconds_total\nthe server has no metric go_memstats_stack_inuse_bytes"
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestSyncTimes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sync")
	got, err := syncTimes(t.Context(), file, 20*time.Millisecond)
	if err != nil || got.p50 <= 0 || got.p99 < got.p50 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is left: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := syncTimes(ctx, file, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := syncTimes(t.Context(), filepath.Join(file, "none"), time.Hour); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
