package bench

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	putTimeout = 10 * time.Second
	putConns   = 128 // each waits for the disk, and they share its syncs
)

// put makes one request and wants success.
func (c *conn) put(ctx context.Context, host string, r put) error {
	request := fmt.Appendf(nil, "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		r.path, host, len(r.body), r.body)
	if err := c.exchange(ctx, request); err != nil {
		return fmt.Errorf("PUT %s: %w", r.path, err)
	}
	if status := c.reply.StatusCode(); status < 200 || status > 299 {
		return fmt.Errorf("PUT %s: status %d: %s", r.path, status, excerpt(c.reply.Body()))
	}
	return nil
}

// putMany makes very many requests over many connections, in no order.
func (s *suite) putMany(ctx context.Context, engine *process, n int, request func(i int) put) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var working sync.WaitGroup
	for range min(putConns, n) {
		working.Go(func() {
			c, err := dialTarget(ctx, target{addr: engine.listen}, nil, putTimeout)
			if err != nil {
				cancel(err)
				return
			}
			defer c.close()
			for i := next.Add(1) - 1; i < int64(n) && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := c.put(ctx, engine.listen, request(int(i))); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	working.Wait()
	return context.Cause(ctx)
}

// fixture is data with many topics, each with a subscription or none.
type fixture struct {
	topics     int
	subscribed bool
}

// topicName is that of the i-th topic of a fixture, as the load generator calls it.
func topicName(i int) string { return fmt.Sprintf("bench-%06d", i) }

// startWith starts Fanfare on a copy of a fixture, which is made when it is first asked for.
func (s *suite) startWith(ctx context.Context, f fixture) (*process, error) {
	if s.fixtures[f] == "" {
		dir, err := s.makeFixture(ctx, f)
		if err != nil {
			return nil, err
		}
		s.fixtures[f] = dir
	}
	data := s.dataDir()
	if err := os.CopyFS(data, os.DirFS(s.fixtures[f])); err != nil {
		return nil, err
	}
	return s.startOn(ctx, "sync", data)
}

func (s *suite) makeFixture(ctx context.Context, f fixture) (string, error) {
	s.say("making %s topics, with subscriptions: %t", grouped(int64(f.topics)), f.subscribed)
	engine, err := s.startEngine(ctx, "sync")
	if err != nil {
		return "", err
	}
	defer engine.stop()
	err = s.putMany(ctx, engine, f.topics, func(i int) put { return put{"/v1/topics/" + topicName(i), "{}"} })
	if err == nil && f.subscribed {
		err = s.putMany(ctx, engine, f.topics, func(i int) put {
			return put{"/v1/topics/" + topicName(i) + "/subscriptions/s", s.subscription(i)}
		})
	}
	return engine.data, err
}
