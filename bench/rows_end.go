package bench

import (
	"context"
	"fmt"
)

// exchange is what the rows from the publish to the last push vary.
type exchange struct {
	durability string
	fanout     int
	size       int
}

// endScenarios measure a message from its publish to its push, for each durability.
func (s *suite) endScenarios() []*scenario {
	all := make([]*scenario, 0, 18)
	for _, durability := range []string{"sync", "async", "memory"} {
		row := Row{Group: groupEnd, Name: "publish native, " + durability + ", and push plain, fan-out 1"}
		all = append(all, s.endScenario(row, exchange{durability, 1, 1024}))
	}
	return all
}

// fanOutScenarios measure it for more and more subscriptions.
func (s *suite) fanOutScenarios() []*scenario {
	all := make([]*scenario, 0, 18)
	for _, fanout := range []int{1, 10, 100, 1000} {
		row := Row{Group: groupFanOut, Name: "fan-out " + grouped(int64(fanout)), X: float64(fanout)}
		all = append(all, s.endScenario(row, exchange{"sync", fanout, 1024}))
	}
	return all
}

// bodiesScenarios measure it for larger and larger bodies.
func (s *suite) bodiesScenarios() []*scenario {
	all := make([]*scenario, 0, 18)
	for _, c := range []struct {
		name string
		size int
	}{{"64 B", 64}, {"1 KiB", 1 << 10}, {"16 KiB", 16 << 10}, {"256 KiB", 256 << 10}} {
		row := Row{Group: groupBodies, Name: "body of " + c.name, X: float64(c.size)}
		all = append(all, s.endScenario(row, exchange{"sync", 1, c.size}))
	}
	return all
}

func (s *suite) endScenario(row Row, e exchange) *scenario {
	row.Unit, row.Latency = unitMicros, latencyPublish
	takes := s.span(s.half(), s.half(), s.opts.Duration*5/4) + s.opts.Duration
	return &scenario{[]Row{row}, takes, func(ctx context.Context, rows []*builder) error { return s.endToEnd(ctx, rows[0], e) }}
}

// endToEnd measures a row from the publish to the last push, in rounds of three runs.
//
// A and B are the ceilings, the fixed-reply server and the bare loop; C publishes and pushes. A has the rate of C,
// which is a share of the measured capacity.
func (s *suite) endToEnd(ctx context.Context, b *builder, e exchange) error {
	engine, err := s.startEngine(ctx, e.durability)
	if err != nil {
		return err
	}
	defer s.stopEngine(engine)
	if err := s.subscribe(ctx, engine, e.fanout); err != nil {
		return err
	}
	bare := load{face: "native", topic: "alone", conns: 32, duration: s.half(), size: e.size}
	fanned := bare
	fanned.topic, fanned.duration = "fanned", s.opts.Duration
	if bare.rate, err = s.workRate(ctx, engine, fanned, e.fanout); err != nil {
		return err
	}
	fanned.rate = bare.rate
	for range s.opts.Runs {
		fixed, err := s.publishTo(ctx, s.fixed, bare)
		if err != nil {
			return err
		}
		post, err := s.bareLoop(ctx, PushLoopOptions{SizeBytes: e.size, Duration: s.half()})
		if err != nil {
			return err
		}
		own, err := s.fanOut(ctx, engine, fanned, e.fanout)
		if err != nil {
			return err
		}
		b.addLoad(Run{Engine: own.each(), Ceiling: fixed.each() + float64(e.fanout)*post}, own.result)
		s.ran(b)
	}
	b.row.Note = fmt.Sprintf("At %s messages per second, %.0f %% of what was measured before.", grouped(int64(fanned.rate)), 100*loadShare)
	return nil
}

// burstPushes bounds what is owed at once while a capacity is measured.
const burstPushes = 60_000

// workRate measures how many messages per second are published and pushed, and returns the share of it at which
// rows are measured.
func (s *suite) workRate(ctx context.Context, engine *process, l load, fanout int) (float64, error) {
	l.duration = max(s.opts.Warmup, s.half())
	if fanout > 10 { // publishing goes on while nearly nothing is pushed: no more than can be pushed soon
		l.rate = max(burstPushes/float64(fanout), 10/l.duration.Seconds())
	}
	warm, err := s.fanOut(ctx, engine, l, fanout)
	return loadShare * warm.perSecond(), err
}
