package bench

import (
	"context"
	"fmt"
	"math"
	"time"
)

const topicsBudget = 1.15

// topicsScenarios measure what many topics cost: publishes alone, and with a push each.
func (s *suite) topicsScenarios() []*scenario {
	counts := []int{1, s.opts.Many / 100, s.opts.Many}
	all := make([]*scenario, 0, 18)
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
		takes := s.span(s.opts.Duration, s.opts.Duration, s.opts.Duration) + time.Duration(s.opts.Many)*200*time.Microsecond
		all = append(all, &scenario{rows, takes, func(ctx context.Context, rows []*builder) error {
			return s.topics(ctx, rows, counts, c.pushes)
		}})
	}
	return all
}

// topics measures in rounds of one run for each number of topics. Each number has an engine of its own, so that
// what the others hold is not in its way; all wait while one works. Publishes alone are a closed loop; with pushes all
// have the same rate, a share of what the slowest did.
func (s *suite) topics(ctx context.Context, rows []*builder, counts []int, pushes bool) error {
	fanout, conns := 0, 256
	if pushes {
		fanout, conns = 1, 64
	}
	engines := make([]*process, 0, len(counts))
	loads := make([]load, 0, len(counts))
	rate := math.Inf(1)
	for _, n := range counts {
		engine, err := s.startWith(ctx, fixture{n, pushes})
		if err != nil {
			return err
		}
		defer s.stopEngine(engine)
		l := load{face: "native", topic: "bench", conns: conns, duration: s.opts.Duration, topics: n}
		if n == 1 {
			l.topic = topicName(0)
		}
		did, err := s.touch(ctx, engine, l, fanout)
		if err != nil {
			return err
		}
		rate = min(rate, did)
		engines, loads = append(engines, engine), append(loads, l)
	}
	for range s.opts.Runs {
		one := 0.0
		for i, l := range loads {
			if pushes {
				l.rate = rate
			}
			own, err := s.fanOut(ctx, engines[i], l, fanout)
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

// touchMax bounds the time in which every topic gets its first message.
const touchMax = 15 * time.Second

// touch publishes to every topic once, or a little more, and returns workRate.
func (s *suite) touch(ctx context.Context, engine *process, l load, fanout int) (float64, error) {
	rate, err := s.workRate(ctx, engine, l, fanout)
	if err != nil || l.topics < 2 {
		return rate, err
	}
	l.duration = min(time.Duration(float64(l.topics)*loadShare/rate*float64(time.Second)), touchMax)
	_, err = s.fanOut(ctx, engine, l, fanout)
	return rate, err
}
