package bench

import (
	"context"
	"fmt"
)

const topicsBudget = 1.15

// topicsScenarios measure what many topics cost: publishes alone, and with a push each.
func (s *suite) topicsScenarios() []*scenario {
	counts := []int{1, s.opts.Many / 100, s.opts.Many}
	var all []*scenario
	for _, c := range []struct {
		what   string
		pushes bool
	}{{"publish", false}, {"publish and push", true}} {
		rows := make([]Row, 0, len(counts))
		for _, n := range counts {
			row := Row{Group: groupTopics, Name: fmt.Sprintf("%s, %s topics", c.what, grouped(int64(n))), Unit: unitMicros, Latency: latencyPublish, X: float64(n)}
			if n > 1 {
				row.Budget, row.Note = topicsBudget, "The ceiling is the row of one topic."
			} else {
				row.Name = c.what + ", 1 topic"
			}
			rows = append(rows, row)
		}
		takes := s.span(s.opts.Duration, s.opts.Duration, s.opts.Duration) + 20*s.opts.Warmup
		all = append(all, &scenario{rows, takes, func(ctx context.Context, rows []*builder) error {
			return s.topics(ctx, rows, counts, c.pushes)
		}})
	}
	return all
}

// topics measures in rounds of one run for each number of topics. Each number has an engine of its own, so that
// what the others hold is not in its way; all wait while one works.
func (s *suite) topics(ctx context.Context, rows []*builder, counts []int, pushes bool) error {
	fanout := 0
	if pushes {
		fanout = 1
	}
	engines := make([]*process, 0, len(counts))
	loads := make([]load, 0, len(counts))
	for _, n := range counts {
		engine, err := s.startWith(ctx, fixture{n, pushes})
		if err != nil {
			return err
		}
		defer s.stopEngine(engine)
		l := load{face: "native", topic: "bench", conns: 64, duration: s.opts.Duration, topics: n}
		if n == 1 {
			l.topic = topicName(0)
		}
		engines, loads = append(engines, engine), append(loads, l)
	}
	rate := 0.0
	for i := range counts { // all are warmed up, and the slowest sets the pace
		r, err := s.workRate(ctx, engines[i], loads[i], fanout)
		if err != nil {
			return err
		}
		if rate == 0 || r < rate {
			rate = r
		}
	}
	for range s.opts.Runs {
		one := 0.0
		for i := range counts {
			loads[i].rate = rate
			own, err := s.fanOut(ctx, engines[i], loads[i], fanout)
			if err != nil {
				return err
			}
			rows[i].addLoad(Run{Engine: own.each(), Ceiling: one}, own.result)
			s.ran(rows[i])
			if i == 0 {
				one = own.each()
			}
		}
	}
	return nil
}
