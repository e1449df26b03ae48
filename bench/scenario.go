package bench

import (
	"context"
	"strings"
	"time"
)

// The groups of a report's rows; each is a table.
const (
	groupPublish     = "publish"
	groupBatches     = "batches"
	groupPush        = "push"
	groupEnd         = "end to end"
	groupFanOut      = "fan-out"
	groupQueues      = "queues"
	groupTopics      = "topics"
	groupBodies      = "bodies"
	groupFilters     = "filters"
	groupLatency     = "latency"
	groupAllocations = "allocations"
	groupMemory      = "memory"
	groupPeers       = "peers"
)

// The units of Row.Unit.
const (
	unitMicros      = "us" // of CPU per message, or push
	unitBytes       = "bytes"
	unitAllocations = "allocations"
	unitShare       = "share"
	unitLatency     = "latency_us"
)

const (
	ofValue        = "value" // of Row.Of
	latencyPublish = "publish"
	latencyPush    = "push"
)

const (
	pushConns  = 64  // of the bare loop, and the window of each subscription
	loadShare  = 0.6 // of the measured capacity, the rate at which pushes are measured
	stallLimit = 15 * time.Second
)

// scenario measures what becomes one row or more of the report.
type scenario struct {
	rows    []Row         // as far as they are known before
	takes   time.Duration // about
	measure func(ctx context.Context, rows []*builder) error
}

// named reports whether one of the rows, or their group, has a text in its name.
func (sc *scenario) named(text string) bool {
	for i := range sc.rows {
		if strings.Contains(sc.rows[i].Name, text) || strings.Contains(sc.rows[i].Group, text) {
			return true
		}
	}
	return false
}

// scenarios lists what the suite measures, with the budgets.
func (s *suite) scenarios() []*scenario {
	all := make([]*scenario, 0, 40)
	for _, group := range []func() []*scenario{
		s.publishScenarios, s.batchScenarios, s.pushScenarios, s.endScenarios, s.fanOutScenarios, s.queueScenarios, s.topicsScenarios,
		s.bodiesScenarios, s.filterScenarios, s.latencyScenarios, s.allocationScenarios, s.memoryScenarios,
	} {
		all = append(all, group()...)
	}
	return all
}

// rows measures a scenario. What cannot be measured says why; what was measured before an interruption is kept.
func (s *suite) rows(ctx context.Context, sc *scenario) []Row {
	builders := make([]*builder, 0, len(sc.rows))
	for _, row := range sc.rows {
		builders = append(builders, &builder{row: row, want: s.opts.Runs})
	}
	err := sc.measure(ctx, builders)
	if err != nil && ctx.Err() == nil {
		s.say("%s: %v", sc.rows[0].Name, err)
	}
	rows := make([]Row, 0, len(builders))
	for _, b := range builders {
		switch {
		case ctx.Err() != nil && len(b.row.Runs) == 0:
			continue
		case ctx.Err() == nil && err != nil:
			b.row.Failure = excerpt([]byte(err.Error()))
		}
		rows = append(rows, b.finish())
	}
	return rows
}

// span is the time that so many runs of a length take for each run of a row, with a second to start servers.
func (s *suite) span(lengths ...time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, d := range lengths {
		sum += d + 100*time.Millisecond
	}
	return time.Duration(s.opts.Runs)*sum + s.opts.Warmup + time.Second
}
