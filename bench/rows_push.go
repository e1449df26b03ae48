package bench

import (
	"context"
	"fmt"
	"strconv"
)

// pushScenarios measure a push without the HTTP of the publishes.
func (s *suite) pushScenarios() []*scenario {
	all := make([]*scenario, 0, 18)
	for _, c := range []struct {
		name            string
		fanout          int
		pipeline, conns int
		ahead           int // messages published and not yet pushed
		budget          float64
	}{
		{"push plain, fan-out 1", 1, 1, pushConns, 512, 1.1},
		{"push plain, fan-out 10", 10, 1, pushConns, 512, 1.1},
		{"push pipelined 16, fan-out 1", 1, 16, 8, 1024, 1.6},
		{"push pipelined 64, fan-out 1", 1, 64, 4, 1024, 1.6},
	} {
		row := Row{
			Group: groupPush, Name: c.name, Unit: unitMicros, Budget: c.budget, X: float64(c.fanout),
			Note: fmt.Sprintf("%d connections on both sides; one process publishes, without HTTP, and pushes: what as many publishes cost alone is taken off.", c.conns),
		}
		args := []string{
			"bench", "push", "--fanout", strconv.Itoa(c.fanout), "--pipeline", strconv.Itoa(c.pipeline), "--conns", strconv.Itoa(c.conns),
			"--messages-in-flight", strconv.Itoa(c.ahead), "--duration", s.opts.Duration.String(), "--json",
		}
		loop := PushLoopOptions{Conns: c.conns, Pipeline: c.pipeline, Duration: s.half()}
		all = append(all, &scenario{[]Row{row}, s.span(s.half(), s.opts.Duration*2), func(ctx context.Context, rows []*builder) error {
			return s.push(ctx, rows[0], args, loop)
		}})
	}
	return all
}

// pushed is what `fanfare bench push` prints.
type pushed struct {
	Pushed    int64   `json:"pushed"`
	PerSecond float64 `json:"per_second"`
	CPU       int64   `json:"cpu_us"` // of the pushes alone
	Errors    int64   `json:"errors"`
}

// push measures a row of pushing: A is the bare loop, B is Fanfare's egress.
func (s *suite) push(ctx context.Context, b *builder, args []string, loop PushLoopOptions) error {
	args = append(args, "--target", "http://"+s.sink.listen)
	for range s.opts.Runs {
		ceiling, err := s.bareLoop(ctx, loop)
		if err != nil {
			return err
		}
		var own pushed
		if err := s.run(ctx, &own, args...); err != nil {
			return err
		}
		if own.Pushed == 0 {
			return fmt.Errorf("nothing was pushed; errors: %d", own.Errors)
		}
		b.errors += own.Errors
		b.add(Run{Engine: float64(own.CPU) / float64(own.Pushed), Ceiling: ceiling, PerSecond: own.PerSecond})
		s.ran(b)
	}
	return nil
}
