package bench

import (
	"context"
	"fmt"
)

const (
	filters       = 1000
	filtersBudget = 0.3 // µs
)

// filterScenarios measure what a filter costs that a message does not match.
func (s *suite) filterScenarios() []*scenario {
	row := Row{
		Group: groupFilters, Name: "filter by tag, not matched", Unit: unitMicros, Budget: filtersBudget, Of: ofValue, Latency: latencyPublish,
	}
	return []*scenario{{[]Row{row}, s.span(s.opts.Duration, s.opts.Duration), func(ctx context.Context, rows []*builder) error {
		return s.filtered(ctx, rows[0])
	}}}
}

// filtered publishes to a topic without subscriptions (A) and to one with many whose filter wants another tag of
// the same length (B), in a closed loop: the difference, shared among them, is what one costs. In it is what it takes
// to remember how far each subscription is.
func (s *suite) filtered(ctx context.Context, b *builder) error {
	engine, err := s.startEngine(ctx, "sync")
	if err != nil {
		return err
	}
	defer s.stopEngine(engine)
	if err := s.subscribe(ctx, engine, 0); err != nil {
		return err
	}
	err = s.putMany(ctx, engine, filters, func(i int) put {
		// The load generator's tag under SMQ is bench.
		body := fmt.Sprintf(`{"kind":"webhook","endpoint":"http://%s/%d","envelope":"raw","filter_tag":"other"}`, s.sink.listen, i)
		return put{fmt.Sprintf("/v1/topics/fanned/subscriptions/s%d", i), body}
	})
	if err != nil {
		return err
	}
	l := load{face: "smq", topic: "fanned", conns: 256, duration: s.opts.Warmup}
	if _, err := s.publishTo(ctx, engine, l); err != nil {
		return err
	}
	l.duration = s.opts.Duration
	for range s.opts.Runs {
		l.topic = "alone"
		without, err := s.publishTo(ctx, engine, l)
		if err != nil {
			return err
		}
		l.topic = "fanned"
		with, err := s.publishTo(ctx, engine, l)
		if err != nil {
			return err
		}
		b.addLoad(Run{Engine: (with.each() - without.each()) / filters}, with.result)
		s.ran(b)
	}
	b.row.Note = fmt.Sprintf("A publish to a topic with %d such subscriptions less one to a topic with none, divided by %[1]d.", filters)
	return nil
}
