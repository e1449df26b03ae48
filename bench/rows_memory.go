package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	topicMemoryBudget        = 1 << 10
	subscriptionMemoryBudget = 2 << 10
)

// memoryScenarios measure what is held for what is idle.
func (s *suite) memoryScenarios() []*scenario {
	row := func(name string, budget float64) Row {
		return Row{Group: groupMemory, Name: name, Unit: unitBytes, Of: ofValue, Budget: budget}
	}
	rows := []Row{
		row("empty process", 0), row("idle connection", 0),
		row("idle topic", topicMemoryBudget), row("idle subscription", subscriptionMemoryBudget),
	}
	takes := s.span(3*time.Second, time.Duration(s.opts.Many)*40*time.Microsecond)
	return []*scenario{{rows, takes, s.memory}}
}

// memory measures in rounds of three processes: an empty one, first without and then with idle connections, one with
// many topics, and one with as many topics and a subscription of each.
//
// The figures of one connection, topic or subscription are of live memory, the heap behind a forced collection and the
// stacks: what they cost does not depend on when the collector was here last. The resident size, which holds the
// collector's headroom too, is in the notes.
func (s *suite) memory(ctx context.Context, rows []*builder) error {
	n, conns := s.opts.Many, min(s.opts.Many/10, idleConnsMax())
	for range s.opts.Runs {
		empty, connected, err := s.emptyProcess(ctx, conns)
		if err != nil {
			return err
		}
		topics, err := s.loaded(ctx, fixture{n, false})
		if err != nil {
			return err
		}
		subscriptions, err := s.loaded(ctx, fixture{n, true})
		if err != nil {
			return err
		}
		rows[0].add(Run{Engine: empty.resident})
		s.held(rows[1], "connections", conns, empty, connected)
		s.held(rows[2], "topics", n, empty, topics)
		s.held(rows[3], "subscriptions", n, topics, subscriptions)
		rows[0].row.Note = fmt.Sprintf("Resident, behind a collection; %s bytes of it are live.", grouped(int64(empty.live)))
		for _, b := range rows {
			s.ran(b)
		}
	}
	return nil
}

// held adds a run of a row: what one of n takes.
func (s *suite) held(b *builder, what string, n int, without, with runtimeFigures) {
	b.add(Run{Engine: (with.live - without.live) / float64(n)})
	b.row.Note = fmt.Sprintf("Live memory, of %s %s; resident it was %s bytes each in the last run.", grouped(int64(n)), what,
		grouped(int64((with.resident-without.resident)/float64(n))))
}

// emptyProcess looks at a process without data, and then with idle connections that have made one request each.
func (s *suite) emptyProcess(ctx context.Context, conns int) (empty, connected runtimeFigures, err error) {
	engine, err := s.startEngine(ctx, "sync")
	if err != nil {
		return empty, connected, err
	}
	defer s.stopEngine(engine)
	if empty, err = s.settled(ctx, engine); err != nil {
		return empty, connected, err
	}
	idle, err := s.connect(ctx, engine, conns)
	defer closeAll(idle)
	if err != nil {
		return empty, connected, err
	}
	connected, err = s.settled(ctx, engine)
	return empty, connected, err
}

// loaded looks at a process with a fixture's data.
func (s *suite) loaded(ctx context.Context, f fixture) (runtimeFigures, error) {
	engine, err := s.startWith(ctx, f)
	if err != nil {
		return runtimeFigures{}, err
	}
	defer s.stopEngine(engine)
	return s.settled(ctx, engine)
}

// connect opens connections, and makes a request on each. It returns those it has opened, some of them nil.
func (s *suite) connect(ctx context.Context, engine *process, n int) ([]*conn, error) {
	conns, errs := make([]*conn, n), make([]error, n)
	const atOnce = 64
	var working sync.WaitGroup
	for from := range atOnce {
		working.Go(func() {
			for i := from; i < n && ctx.Err() == nil; i += atOnce {
				if conns[i], errs[i] = dialTarget(ctx, target{addr: engine.listen}, nil, putTimeout); errs[i] == nil {
					errs[i] = conns[i].put(ctx, engine.listen, put{"/v1/topics/bench", "{}"})
				}
				if errs[i] != nil {
					return
				}
			}
		})
	}
	working.Wait()
	for _, err := range errs {
		if err != nil {
			return conns, err
		}
	}
	return conns, ctx.Err()
}
