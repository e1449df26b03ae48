package bench

import (
	"context"
	"fmt"
	"time"
)

// publishScenarios measure a publish through each API.
func (s *suite) publishScenarios() []*scenario {
	all := make([]*scenario, 0, 18)
	for _, c := range []struct {
		durability string
		conns      int
		budget     float64
	}{{"sync", 256, 1.6}, {"sync", 32, 2.2}, {"memory", 256, 1.25}} {
		for _, face := range s.opts.Faces {
			row := Row{
				Group: groupPublish, Name: fmt.Sprintf("publish %s, %s, %d connections", face, c.durability, c.conns),
				Unit: unitMicros, Budget: c.budget, Latency: latencyPublish,
			}
			all = append(all, &scenario{[]Row{row}, s.span(s.half(), s.opts.Duration), func(ctx context.Context, rows []*builder) error {
				return s.publish(ctx, rows[0], face, c.durability, c.conns)
			}})
		}
	}
	return all
}

// publish measures a row of publishing: A is the fixed-reply server, B is Fanfare, under the same load.
func (s *suite) publish(ctx context.Context, b *builder, face, durability string, conns int) error {
	engine, err := s.startEngine(ctx, durability)
	if err != nil {
		return err
	}
	defer s.stopEngine(engine)
	if err := s.put(ctx, engine, put{"/v1/topics/bench", "{}"}); err != nil {
		return err
	}
	l := load{face: face, topic: "bench", conns: conns, duration: s.opts.Warmup}
	for _, p := range []*process{s.fixed, engine} {
		if _, err := s.publishTo(ctx, p, l); err != nil {
			return err
		}
	}
	l.duration = s.opts.Duration
	bare := l
	bare.duration = s.half()
	for range s.opts.Runs {
		ceiling, err := s.publishTo(ctx, s.fixed, bare)
		if err != nil {
			return err
		}
		own, err := s.publishTo(ctx, engine, l)
		if err != nil {
			return err
		}
		b.addLoad(Run{Engine: own.each(), Ceiling: ceiling.each()}, own.result)
		s.ran(b)
	}
	return nil
}

// half is the length of a ceiling's runs: it has no store and no collector to wait for.
func (s *suite) half() time.Duration { return s.opts.Duration / 2 }
