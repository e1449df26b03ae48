package bench

import (
	"context"
	"fmt"
	"path/filepath"
)

// latencyLoads are the offered rates, in percent of the capacity. Those with a ceiling are the rows proper, the rest
// are points of the plot.
var latencyLoads = []struct {
	percent int
	ceiling bool
	budget  float64
}{{10, true, 0}, {30, false, 0}, {50, true, 2}, {65, false, 0}, {80, true, 0}, {90, false, 0}, {100, false, 0}}

// latencyScenarios measure how long it takes from the publish to the push, by load.
func (s *suite) latencyScenarios() []*scenario {
	rows := make([]Row, 0, len(latencyLoads))
	for _, l := range latencyLoads {
		rows = append(rows, Row{
			Group: groupLatency, Name: fmt.Sprintf("publish to push, %d %% of the capacity", l.percent), Unit: unitLatency,
			Latency: latencyPush, Budget: l.budget,
		})
	}
	takes := s.span(s.half(), s.half(), s.half(), s.opts.Duration*3/2*7, s.half())
	return []*scenario{{rows, takes, s.latency}}
}

// latency measures in rounds over all rates. The load is an open loop, and every body carries the time at which it
// was to be sent: the sink counts from there. The figure of a row is its p99; the ceiling is the p99 of a plain round
// trip to the fixed-reply server at the same rate, and that of one sync of 1 KiB to the same disk.
func (s *suite) latency(ctx context.Context, rows []*builder) error {
	engine, err := s.startEngine(ctx, "sync")
	if err != nil {
		return err
	}
	defer s.stopEngine(engine)
	if err := s.subscribe(ctx, engine, 1); err != nil {
		return err
	}
	l := load{face: "native", topic: "fanned", conns: 64, duration: s.opts.Duration, stamp: true}
	capacity, err := s.capacity(ctx, engine, l)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].row.X = capacity * float64(latencyLoads[i].percent) / 100
		rows[i].row.Note = fmt.Sprintf("The capacity was %s messages per second.", grouped(int64(capacity)))
	}
	l.conns, l.duration = 256, s.opts.Duration*3/2
	for range s.opts.Runs {
		sync, err := syncTimes(ctx, filepath.Join(s.dir, "sync"), s.half())
		if err != nil {
			return err
		}
		for i := range rows {
			l.rate = rows[i].row.X
			if err := s.latencyAt(ctx, rows[i], engine, l, latencyLoads[i].ceiling, sync); err != nil {
				return err
			}
			s.ran(rows[i])
		}
	}
	return nil
}

// capacity is how many messages per second are published and pushed when the load generator waits for replies only.
func (s *suite) capacity(ctx context.Context, engine *process, l load) (float64, error) {
	if _, err := s.workRate(ctx, engine, l, 1); err != nil { // warms it up
		return 0, err
	}
	rate, err := s.workRate(ctx, engine, l, 1)
	return rate / loadShare, err
}

func (s *suite) latencyAt(ctx context.Context, b *builder, engine *process, l load, ceiling bool, sync times) error {
	r := Run{}
	if ceiling {
		plain := l
		plain.duration = s.half()
		trip, err := s.publishTo(ctx, s.fixed, plain)
		if err != nil {
			return err
		}
		r.Ceiling = float64(trip.result.P99) + sync.p99
		b.row.Note = fmt.Sprintf("In the last round a plain round trip took %s (p50) and %s (p99), a sync %s and %s.",
			microseconds(trip.result.P50), microseconds(trip.result.P99), microseconds(int64(sync.p50)), microseconds(int64(sync.p99)))
	}
	if err := s.sink.says(ctx, "DELETE", "/latency", nil); err != nil {
		return err
	}
	own, err := s.fanOut(ctx, engine, l, 1)
	if err != nil {
		return err
	}
	var a arrived
	if err := s.sink.says(ctx, "GET", "/latency", &a); err != nil {
		return err
	}
	r.Engine, r.PerSecond = float64(a.P99), own.result.PerSecond
	r.P50, r.P99, r.P999 = float64(a.P50), float64(a.P99), float64(a.P999)
	b.errors += own.result.Errors
	b.add(r)
	return nil
}
