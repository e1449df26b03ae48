package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// load is how a load generator is called.
type load struct {
	face, topic string
	conns       int
	duration    time.Duration
	rate        float64
	size        int  // default 1024
	topics      int  // above 1: TOPIC-000000 and on
	stamp       bool // bodies carry their intended send time
	batch       int  // messages in a request; default 1
	groups      int  // above 0: messages for a FIFO queue
	key         *key // signs the requests; nil: nobody does
}

// key is one that the server asks for.
type key struct{ access, secretFile string }

// args is the command line against a server.
func (l *load) args(listen string) []string {
	args := []string{
		"bench", "publish", "--target", "http://" + listen, "--face", l.face, "--topic", l.topic,
		"--size", strconv.Itoa(cmp.Or(l.size, 1024)), "--conns", strconv.Itoa(l.conns), "--duration", l.duration.String(), "--json",
	}
	if l.rate > 0 {
		args = append(args, "--rate", strconv.FormatFloat(l.rate, 'f', 1, 64))
	}
	if l.topics > 1 {
		args = append(args, "--topics", strconv.Itoa(l.topics))
	}
	if l.stamp {
		args = append(args, "--stamp")
	}
	if l.batch > 1 {
		args = append(args, "--batch", strconv.Itoa(l.batch))
	}
	if l.groups > 0 {
		args = append(args, "--groups", strconv.Itoa(l.groups))
	}
	if l.key != nil {
		args = append(args, "--access-key", l.key.access, "--secret-file", l.key.secretFile)
	}
	return args
}

// sample is one run: what was published, and the CPU time of the server meanwhile.
type sample struct {
	result Result
	cpu    time.Duration
	took   time.Duration // until the last publish, or push, was done
}

// each is the CPU time per published message, in µs.
func (s *sample) each() float64 { return micros(s.cpu) / float64(s.result.Published) }

// perSecond is the rate of messages until the last was done.
func (s *sample) perSecond() float64 { return float64(s.result.Published) / s.took.Seconds() }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// publishTo runs a load generator against a server.
func (s *suite) publishTo(ctx context.Context, p *process, l load) (sample, error) {
	return s.sampled(ctx, p, l, func(*Result) error { return nil })
}

// fanOut is publishTo that lasts until every push has arrived at the sink.
func (s *suite) fanOut(ctx context.Context, p *process, l load, fanout int) (sample, error) {
	before, err := s.sunk(ctx)
	if err != nil {
		return sample{}, err
	}
	return s.sampled(ctx, p, l, func(r *Result) error {
		return s.waitSunk(ctx, before+r.Published*int64(fanout))
	})
}

func (s *suite) sampled(ctx context.Context, p *process, l load, settle func(*Result) error) (sample, error) {
	return s.sampledRun(p, settle, func(r *Result) error { return s.run(ctx, r, l.args(p.listen)...) })
}

// sampledRun runs a load, waits until what it caused is done, and takes the server's CPU time from before to then.
func (s *suite) sampledRun(p *process, settle, run func(*Result) error) (sample, error) {
	var v sample
	before, err := p.cpu()
	if err != nil {
		return v, err
	}
	begin := time.Now()
	if err := run(&v.result); err != nil {
		return v, err
	}
	if v.result.Published == 0 {
		return v, fmt.Errorf("nothing was published to %s; errors: %d", p.name, v.result.Errors)
	}
	if err := settle(&v.result); err != nil {
		return v, err
	}
	v.took = time.Since(begin)
	after, err := p.cpu()
	v.cpu = after - before
	return v, err
}

// bareLoop returns the CPU time per push of the bare client loop, in µs.
func (s *suite) bareLoop(ctx context.Context, o PushLoopOptions) (float64, error) {
	var r PushLoopResult
	err := s.run(ctx, &r, "bench", "push-loop", "--target", "http://"+s.sink.listen+"/bare",
		"--size", strconv.Itoa(cmp.Or(o.SizeBytes, 1024)), "--conns", strconv.Itoa(cmp.Or(o.Conns, pushConns)),
		"--pipeline", strconv.Itoa(cmp.Or(o.Pipeline, 1)), "--duration", o.Duration.String(), "--json")
	if err != nil {
		return 0, err
	}
	if r.Pushed == 0 {
		return 0, fmt.Errorf("the bare loop pushed nothing; errors: %d", r.Errors)
	}
	return float64(r.CPU) / float64(r.Pushed), nil
}

// says asks a process that is a sink for one of its own paths.
func (p *process) says(ctx context.Context, method, path string, into any) error {
	status, body, err := call(ctx, p.listen, method, path, "")
	if err != nil {
		return err
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		return fmt.Errorf("the sink's %s: status %d: %w", path, status, err)
	}
	return nil
}

// sunk is the number of requests the sink has had.
func (s *suite) sunk(ctx context.Context) (int64, error) { return s.sink.sunk(ctx) }

// sunk is the number of requests that a process which is a sink has had.
func (p *process) sunk(ctx context.Context) (int64, error) {
	var count struct {
		Requests int64 `json:"requests"`
	}
	err := p.says(ctx, "GET", "/count", &count)
	return count.Requests, err
}

// waitSunk waits until the sink has had that many requests, as long as there is progress.
func (s *suite) waitSunk(ctx context.Context, want int64) error { return waitCount(ctx, want, s.sunk) }

// waitCount waits until a count has reached a number, as long as there is progress.
func waitCount(ctx context.Context, want int64, count func(context.Context) (int64, error)) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	last, moved := int64(-1), time.Now()
	for {
		n, err := count(ctx)
		switch {
		case err != nil:
			return err
		case n >= want:
			return nil
		case n > last:
			last, moved = n, time.Now()
		case time.Since(moved) > stallLimit:
			return fmt.Errorf("%d of %d did not arrive", want-n, want)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
