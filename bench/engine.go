package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// startEngine starts Fanfare with no data.
func (s *suite) startEngine(ctx context.Context, durability string) (*process, error) {
	return s.startOn(ctx, durability, s.dataDir())
}

// dataDir names a directory that there is none of yet.
func (s *suite) dataDir() string {
	s.engines++
	return filepath.Join(s.dir, fmt.Sprintf("data-%d", s.engines))
}

// startOn starts Fanfare on a directory, which goes with it.
func (s *suite) startOn(ctx context.Context, durability, data string) (*process, error) {
	p, err := s.start(ctx, serveArgs(durability, data)...)
	if err == nil {
		p.data = data
	}
	return p, err
}

// serveArgs call a server on ports that the kernel chooses.
func serveArgs(durability, data string) []string {
	return []string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data, "--durability", durability}
}

// stopEngine stops it and removes its data, so that the disk holds those of one row at a time.
func (s *suite) stopEngine(p *process) {
	p.stop()
	_ = os.RemoveAll(p.data) // Suite removes all of it anyway
}

// subscribe makes a topic without subscriptions and one with as many as the fan-out.
func (s *suite) subscribe(ctx context.Context, engine *process, fanout int) error {
	requests := make([]put, 0, 2+fanout)
	requests = append(requests, put{"/v1/topics/alone", "{}"}, put{"/v1/topics/fanned", "{}"})
	for i := range fanout {
		requests = append(requests, put{fmt.Sprintf("/v1/topics/fanned/subscriptions/s%d", i), s.subscription(i)})
	}
	return s.put(ctx, engine, requests...)
}

// subscription is the body of one that pushes to the sink.
func (s *suite) subscription(number int) string {
	return fmt.Sprintf(`{"kind":"webhook","endpoint":"http://%s/%d","envelope":"raw","max_in_flight":%d}`, s.sink.listen, number, pushConns)
}

// put is a request of the native API that makes something exist.
type put struct{ path, body string }

// put makes requests one after the other.
func (s *suite) put(ctx context.Context, engine *process, requests ...put) error {
	c, err := dialTarget(ctx, target{addr: engine.listen}, nil, putTimeout)
	if err != nil {
		return err
	}
	defer c.close()
	for _, r := range requests {
		if err := c.put(ctx, engine.listen, r); err != nil {
			return err
		}
	}
	return nil
}
