package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// runtimeFigures is what an engine's runtime says of itself, by its metrics.
type runtimeFigures struct {
	mallocs  float64 // objects allocated ever
	gc       float64 // CPU seconds of collecting garbage, until the end of the last collection
	live     float64 // bytes of the heap's objects and of the stacks
	resident float64 // bytes
}

// The names that the metrics have.
const (
	metricMallocs  = "go_memstats_mallocs_total"
	metricGC       = "go_cpu_classes_gc_total_cpu_seconds_total"
	metricHeap     = "go_memstats_heap_alloc_bytes"
	metricStacks   = "go_memstats_stack_inuse_bytes"
	metricResident = "process_resident_memory_bytes"
)

// scrape reads an engine's metrics.
func (s *suite) scrape(ctx context.Context, p *process) (runtimeFigures, error) {
	status, body, err := call(ctx, p.admin, "GET", "/metrics", "")
	if err != nil {
		return runtimeFigures{}, err
	}
	if status != 200 {
		return runtimeFigures{}, fmt.Errorf("the metrics: status %d: %s", status, excerpt([]byte(body)))
	}
	return parseMetrics(body)
}

// parseMetrics finds the figures in the text form of the metrics.
func parseMetrics(text string) (f runtimeFigures, err error) {
	values := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			values[name] = v
		}
	}
	var missing []error
	of := func(name string) float64 {
		v, ok := values[name]
		if !ok {
			missing = append(missing, fmt.Errorf("the server has no metric %s", name))
		}
		return v
	}
	f = runtimeFigures{mallocs: of(metricMallocs), gc: of(metricGC), live: of(metricHeap) + of(metricStacks), resident: of(metricResident)}
	return f, errors.Join(missing...)
}

// collect makes an engine collect its garbage, all of it.
func (s *suite) collect(ctx context.Context, p *process) error {
	status, body, err := call(ctx, p.admin, "GET", "/debug/pprof/heap?gc=1", "")
	if err == nil && status != 200 {
		err = fmt.Errorf("the heap profile: status %d: %s", status, excerpt([]byte(body)))
	}
	return err
}

// settled is scrape behind two collections: what pools hold survives the first.
func (s *suite) settled(ctx context.Context, p *process) (runtimeFigures, error) {
	for range 2 {
		if err := s.collect(ctx, p); err != nil {
			return runtimeFigures{}, err
		}
	}
	return s.scrape(ctx, p)
}
