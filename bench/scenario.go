package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// The groups of a report's rows; each is a table.
const (
	groupPublish = "publish"
	groupPush    = "push"
	groupEnd     = "end to end"
)

// scenario measures what becomes one row or more of the report.
type scenario struct {
	group, name string
	measure     func(context.Context) ([]Row, error)
}

const (
	pushConns  = 64  // of the bare loop, and the window of each subscription
	loadShare  = 0.6 // of the measured capacity, the rate at which pushes are measured
	stallLimit = 15 * time.Second
)

// scenarios lists what the suite measures, with the budgets.
func (s *suite) scenarios() []scenario {
	var all []scenario
	for _, c := range []struct {
		durability string
		conns      int
		budget     float64
	}{{"sync", 256, 1.6}, {"sync", 32, 2.2}, {"memory", 256, 1.25}} {
		for _, face := range s.opts.Faces {
			name := fmt.Sprintf("publish %s, %s, %d connections", face, c.durability, c.conns)
			all = append(all, scenario{groupPublish, name, func(ctx context.Context) ([]Row, error) {
				row, err := s.publish(ctx, name, face, c.durability, c.conns, c.budget)
				return []Row{row}, err
			}})
		}
	}
	for _, fanout := range []int{1, 10} {
		name := fmt.Sprintf("push plain, fan-out %d", fanout)
		all = append(all, scenario{groupPush, name, func(ctx context.Context) ([]Row, error) {
			return s.push(ctx, name, fanout)
		}})
	}
	return all
}

// publish measures a row of publishing: A is the fixed-reply server, B is Fanfare, under the same load.
func (s *suite) publish(ctx context.Context, name, face, durability string, conns int, budget float64) (Row, error) {
	row := Row{Group: groupPublish, Name: name, Budget: budget}
	engine, err := s.startEngine(ctx, durability)
	if err != nil {
		return row, err
	}
	defer s.stopEngine(engine)
	if err := s.put(ctx, engine, "/v1/topics/bench", "{}"); err != nil {
		return row, err
	}
	l := load{face: face, topic: "bench", conns: conns, duration: s.opts.Warmup}
	for _, p := range []*process{s.fixed, engine} {
		if _, err := s.publishTo(ctx, p, l); err != nil {
			return row, err
		}
	}
	l.duration = s.opts.Duration
	var b builder
	for i := range s.opts.Runs {
		ceiling, err := s.publishTo(ctx, s.fixed, l)
		if err != nil {
			return row, err
		}
		own, err := s.publishTo(ctx, engine, l)
		if err != nil {
			return row, err
		}
		b.add(own.each(), ceiling.each())
		b.addLoad(own.result)
		s.say("%s  run %d of %d: %.2f µs, ceiling %.2f µs, %.2f ×, %s/s", name, i+1, s.opts.Runs,
			own.each(), ceiling.each(), own.each()/ceiling.each(), grouped(int64(own.result.PerSecond)))
	}
	b.finish(&row)
	return row, nil
}

// push measures pushing at one fan-out, in rounds of four runs, and makes two rows of them.
//
// A and B are the ceilings, the fixed-reply server and the bare loop. C publishes to a topic without
// subscriptions, D to one with them, both at the same rate: D less C is what the pushes cost. Nothing is synced to
// a disk, whose cost per message swings more than a push costs.
func (s *suite) push(ctx context.Context, name string, fanout int) ([]Row, error) {
	rate := 0.0
	pushRow := Row{Group: groupPush, Name: name, Budget: 1.1}
	endRow := Row{Group: groupEnd, Name: fmt.Sprintf("publish native, memory, and push plain, fan-out %d", fanout)}
	engine, err := s.startEngine(ctx, "memory")
	if err != nil {
		return nil, err
	}
	defer s.stopEngine(engine)
	if err := s.subscribe(ctx, engine, fanout); err != nil {
		return nil, err
	}
	alone := load{face: "native", topic: "alone", conns: 32, duration: s.opts.Warmup}
	fanned := alone
	fanned.topic = "fanned"
	warm, err := s.fanOut(ctx, engine, fanned, fanout)
	if err != nil {
		return nil, err
	}
	rate = loadShare * float64(warm.result.Published) / warm.took.Seconds()
	alone.rate, fanned.rate = rate, rate
	alone.duration, fanned.duration = s.opts.Duration, s.opts.Duration
	var pushes, ends builder
	for i := range s.opts.Runs {
		a, err := s.publishTo(ctx, s.fixed, alone)
		if err != nil {
			return nil, err
		}
		b, err := s.bareLoop(ctx)
		if err != nil {
			return nil, err
		}
		c, err := s.publishTo(ctx, engine, alone)
		if err != nil {
			return nil, err
		}
		d, err := s.fanOut(ctx, engine, fanned, fanout)
		if err != nil {
			return nil, err
		}
		pushed := float64(d.result.Published) * float64(fanout)
		each := (micros(d.cpu) - c.each()*float64(d.result.Published)) / pushed
		pushes.add(each, b)
		pushes.addRate(pushed / d.took.Seconds())
		ends.add(d.each(), a.each()+float64(fanout)*b)
		ends.addLoad(d.result)
		s.say("%s  run %d of %d at %.0f/s: %.2f µs a push, ceiling %.2f µs, %.2f ×", name, i+1, s.opts.Runs,
			rate, each, b, each/b)
	}
	pushes.finish(&pushRow)
	ends.finish(&endRow)
	return []Row{pushRow, endRow}, nil
}

// subscribe makes a topic without subscriptions and one with as many as the fan-out.
func (s *suite) subscribe(ctx context.Context, engine *process, fanout int) error {
	for _, topic := range []string{"alone", "fanned"} {
		if err := s.put(ctx, engine, "/v1/topics/"+topic, "{}"); err != nil {
			return err
		}
	}
	for i := range fanout {
		body := fmt.Sprintf(`{"kind":"webhook","endpoint":"http://%s/%d","envelope":"raw","max_in_flight":%d}`,
			s.sink.listen, i, pushConns)
		if err := s.put(ctx, engine, fmt.Sprintf("/v1/topics/fanned/subscriptions/s%d", i), body); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) put(ctx context.Context, engine *process, path, body string) error {
	status, reply, err := call(ctx, engine.listen, "PUT", path, body)
	if err != nil {
		return err
	}
	if status < 200 || status > 299 {
		return fmt.Errorf("PUT %s: status %d: %s", path, status, excerpt([]byte(reply)))
	}
	return nil
}

// load is how a load generator is called.
type load struct {
	face, topic string
	conns       int
	duration    time.Duration
	rate        float64
}

// sample is one run: what was published, and the CPU time of the server meanwhile.
type sample struct {
	result Result
	cpu    time.Duration
	took   time.Duration // until the last publish, or push, was done
}

// each is the CPU time per published message, in µs.
func (s sample) each() float64 { return micros(s.cpu) / float64(s.result.Published) }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// publishTo runs a load generator against a server.
func (s *suite) publishTo(ctx context.Context, p *process, l load) (sample, error) {
	return s.sampled(ctx, p, l, func(Result) error { return nil })
}

// fanOut is publishTo that lasts until every push has arrived at the sink.
func (s *suite) fanOut(ctx context.Context, p *process, l load, fanout int) (sample, error) {
	before, err := s.sunk(ctx)
	if err != nil {
		return sample{}, err
	}
	return s.sampled(ctx, p, l, func(r Result) error {
		return s.waitSunk(ctx, before+r.Published*int64(fanout))
	})
}

func (s *suite) sampled(ctx context.Context, p *process, l load, settle func(Result) error) (sample, error) {
	var v sample
	args := []string{
		"bench", "publish", "--target", "http://" + p.listen, "--face", l.face, "--topic", l.topic,
		"--size", "1024", "--conns", strconv.Itoa(l.conns), "--duration", l.duration.String(), "--json",
	}
	if l.rate > 0 {
		args = append(args, "--rate", strconv.FormatFloat(l.rate, 'f', 1, 64))
	}
	before, err := p.cpu()
	if err != nil {
		return v, err
	}
	begin := time.Now()
	if err := s.run(ctx, &v.result, args...); err != nil {
		return v, err
	}
	if v.result.Published == 0 {
		return v, fmt.Errorf("nothing was published to %s; errors: %d", p.name, v.result.Errors)
	}
	if err := settle(v.result); err != nil {
		return v, err
	}
	v.took = time.Since(begin)
	after, err := p.cpu()
	v.cpu = after - before
	return v, err
}

// bareLoop returns the CPU time per push of the bare client loop, in µs.
func (s *suite) bareLoop(ctx context.Context) (float64, error) {
	var r PushLoopResult
	err := s.run(ctx, &r, "bench", "push-loop", "--target", "http://"+s.sink.listen+"/bare", "--size", "1024",
		"--conns", strconv.Itoa(pushConns), "--duration", s.opts.Duration.String(), "--json")
	if err != nil {
		return 0, err
	}
	if r.Pushed == 0 {
		return 0, fmt.Errorf("the bare loop pushed nothing; errors: %d", r.Errors)
	}
	return float64(r.CPU) / float64(r.Pushed), nil
}

// sunk is the number of requests the sink has had.
func (s *suite) sunk(ctx context.Context) (int64, error) {
	status, body, err := call(ctx, s.sink.listen, "GET", "/count", "")
	if err != nil {
		return 0, err
	}
	var count struct {
		Requests int64 `json:"requests"`
	}
	if err := json.Unmarshal([]byte(body), &count); err != nil {
		return 0, fmt.Errorf("the sink's count: status %d: %w", status, err)
	}
	return count.Requests, nil
}

// waitSunk waits until the sink has had that many requests, as long as there is progress.
func (s *suite) waitSunk(ctx context.Context, want int64) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	last, moved := int64(-1), time.Now()
	for {
		n, err := s.sunk(ctx)
		switch {
		case err != nil:
			return err
		case n >= want:
			return nil
		case n > last:
			last, moved = n, time.Now()
		case time.Since(moved) > stallLimit:
			return fmt.Errorf("%d of %d pushes did not arrive", want-n, want)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
