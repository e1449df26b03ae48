package bench

import (
	"context"
	"time"
)

const (
	allocationsBudget = 0.5  // per message
	gcBudget          = 0.01 // of the CPU time
	steadyMax         = 10 * time.Second
)

// allocationScenarios measure what the runtime does for a message in steady load.
func (s *suite) allocationScenarios() []*scenario {
	all := make([]*scenario, 0, 18)
	for _, c := range []struct {
		what   string
		fanout int
	}{{"publish", 0}, {"publish and push", 1}} {
		rows := []Row{
			{
				Group: groupAllocations, Name: "allocations per message, " + c.what, Unit: unitAllocations, Budget: allocationsBudget, Of: ofValue,
				Note: "All that the process allocates meanwhile: connections, store and background work too.",
			},
			{
				Group: groupAllocations, Name: "garbage collector's share of the CPU, " + c.what, Unit: unitShare, Budget: gcBudget, Of: ofValue,
				Note: "Of the process's CPU time; the collections that the measurement asks for are taken off.",
			},
		}
		all = append(all, &scenario{rows, s.span(s.steady()), func(ctx context.Context, rows []*builder) error {
			return s.allocations(ctx, rows[0], rows[1], c.fanout)
		}})
	}
	return all
}

// steady is the length of a run of steady load.
func (s *suite) steady() time.Duration { return min(5*s.opts.Duration, steadyMax) }

// allocations measures two rows in the same runs.
func (s *suite) allocations(ctx context.Context, mallocs, gc *builder, fanout int) error {
	engine, err := s.startEngine(ctx, "sync")
	if err != nil {
		return err
	}
	defer s.stopEngine(engine)
	if err := s.subscribe(ctx, engine, fanout); err != nil {
		return err
	}
	l := load{face: "native", topic: "fanned", conns: 64, duration: s.steady()}
	if l.rate, err = s.workRate(ctx, engine, l, fanout); err != nil {
		return err
	}
	for range s.opts.Runs {
		c, err := s.churnOf(ctx, engine, l, fanout)
		if err != nil {
			return err
		}
		mallocs.addLoad(Run{Engine: c.mallocs}, c.load)
		gc.addLoad(Run{Engine: c.gc}, c.load)
		s.ran(mallocs)
		s.ran(gc)
	}
	return nil
}

// churn is what the runtime did for a load.
type churn struct {
	load    Result
	mallocs float64 // per message
	gc      float64 // share of the CPU time
}

// churnOf runs a load between two looks at the runtime. A look allocates, and only a collection brings the figure
// of the collections' time up to date: one more of each, without load, says what these cost.
func (s *suite) churnOf(ctx context.Context, engine *process, l load, fanout int) (churn, error) {
	looks := make([]runtimeFigures, 0, 5)
	var own sample
	for _, step := range []func() error{
		func() error { return s.collect(ctx, engine) },
		func() error { return s.look(ctx, engine, &looks) },
		func() error { return s.look(ctx, engine, &looks) },
		func() (err error) {
			own, err = s.fanOut(ctx, engine, l, fanout)
			return err
		},
		func() error { return s.look(ctx, engine, &looks) },
		func() error { return s.collect(ctx, engine) },
		func() error { return s.look(ctx, engine, &looks) },
		func() error { return s.collect(ctx, engine) },
		func() error { return s.look(ctx, engine, &looks) },
	} {
		if err := step(); err != nil {
			return churn{}, err
		}
	}
	perLook := looks[1].mallocs - looks[0].mallocs
	perCollection := looks[4].gc - looks[3].gc
	return churn{
		load:    own.result,
		mallocs: max(looks[2].mallocs-looks[1].mallocs-perLook, 0) / float64(own.result.Published),
		gc:      max(looks[3].gc-looks[1].gc-perCollection, 0) / own.cpu.Seconds(),
	}, nil
}

// look adds one more scrape.
func (s *suite) look(ctx context.Context, engine *process, looks *[]runtimeFigures) error {
	f, err := s.scrape(ctx, engine)
	*looks = append(*looks, f)
	return err
}
