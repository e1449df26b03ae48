package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// queueFans are the numbers of queues that a message is placed in.
var queueFans = []int{1, 10}

// queueScenarios measure what it takes to get a message into queues, and out of one.
func (s *suite) queueScenarios() []*scenario {
	all := make([]*scenario, 0, 4)
	for _, queues := range queueFans {
		rows := []Row{
			{Group: groupQueues, Name: fmt.Sprintf("publish to %s, each message", plural(queues, "queue")), Latency: latencyPublish},
			{Group: groupQueues, Name: fmt.Sprintf("publish to %s, each placement", plural(queues, "queue"))},
		}
		all = append(all, s.queueScenario(rows, s.span(s.quarter(), s.quarter(), s.half(), s.quarter()), func(ctx context.Context, rows []*builder) error {
			return s.placements(ctx, rows, queues)
		}))
	}
	for _, fifo := range []bool{false, true} {
		what := "a standard queue"
		if fifo {
			what = "a FIFO queue"
		}
		rows := []Row{
			{Group: groupQueues, Name: "send to " + what + ", 10 at a time", Latency: latencyPublish},
			{Group: groupQueues, Name: "receive from " + what + " and delete, 10 at a time"},
		}
		all = append(all, s.queueScenario(rows, s.span(s.quarter(), s.quarter(), s.half(), s.half()), func(ctx context.Context, rows []*builder) error {
			return s.emptying(ctx, rows, fifo)
		}))
	}
	return all
}

func (s *suite) queueScenario(rows []Row, takes time.Duration, measure func(context.Context, []*builder) error) *scenario {
	for i := range rows {
		rows[i].Unit = unitMicros
	}
	return &scenario{rows, takes, measure}
}

// placements measures two rows in the same runs, in an open loop of batches at a share of the capacity: a message with
// all its placements in queues, and one placement, which is the same less a message to a topic without subscriptions at
// the same rate, shared among the queues.
//
// The ceilings are the engine's own, without what is measured: a placement makes a message durable in one more place, so
// its ceiling is a message of a batch in a closed loop, which does that with a tenth of an HTTP request; and a message's
// is one to a topic without subscriptions at the same rate, and as many placements.
func (s *suite) placements(ctx context.Context, rows []*builder, queues int) error {
	engine, err := s.startEngine(ctx, "sync")
	if err != nil {
		return err
	}
	defer s.stopEngine(engine)
	if err := s.subscribe(ctx, engine, 0); err != nil {
		return err
	}
	if err := s.subscribeQueues(ctx, engine, queues); err != nil {
		return err
	}
	batch := load{face: "sns", topic: "fanned", conns: 32, batch: batchMax, duration: max(s.opts.Warmup, s.quarter())}
	l := batch
	if queues > 1 { // publishing goes on while nearly nothing is placed: no more than can be placed soon
		l.rate = max(burstPushes/float64(queues), batchMax/l.duration.Seconds())
	}
	warm, err := s.place(ctx, engine, l, queues)
	if err != nil {
		return err
	}
	l.rate = loadShare * warm.perSecond()
	batch.topic, batch.duration = "alone", s.quarter()
	for range s.opts.Runs {
		l.topic, l.duration = "alone", s.quarter()
		alone, err := s.publishTo(ctx, engine, l)
		if err != nil {
			return err
		}
		batched, err := s.publishTo(ctx, engine, batch)
		if err != nil {
			return err
		}
		l.topic, l.duration = "fanned", s.half()
		own, err := s.place(ctx, engine, l, queues)
		if err != nil {
			return err
		}
		n := float64(queues)
		rows[0].addLoad(Run{Engine: own.each(), Ceiling: alone.each() + n*batched.each()}, own.result)
		rows[1].add(Run{Engine: (own.each() - alone.each()) / n, Ceiling: batched.each(), PerSecond: n * own.result.PerSecond})
		s.ran(rows[0])
		s.ran(rows[1])
	}
	rows[0].row.Note = fmt.Sprintf("At %s messages per second, %.0f %% of what was measured before. The ceiling is the same to a topic without "+
		"subscriptions, and for each queue what stands as ceiling of a placement.", grouped(int64(l.rate)), 100*loadShare)
	rows[1].row.Note = "The ceiling is a message of a PublishBatch to a topic without subscriptions, in a closed loop."
	return nil
}

// place is publishTo that lasts until every message is in every queue.
func (s *suite) place(ctx context.Context, engine *process, l load, queues int) (sample, error) {
	count := func(ctx context.Context) (int64, error) { return s.queued(ctx, engine, queues) }
	before, err := count(ctx)
	if err != nil {
		return sample{}, err
	}
	return s.sampled(ctx, engine, l, func(r *Result) error { return waitCount(ctx, before+r.Published*int64(queues), count) })
}

// receiveMax bounds the time in which a queue is emptied.
const receiveMax = 30 * time.Second

// emptying measures two rows in turns: a queue is filled by batches, and emptied by receives and deletes of as many. The
// ceilings are the server of fixed replies under the same requests, answered with as many messages.
func (s *suite) emptying(ctx context.Context, rows []*builder, fifo bool) error {
	engine, err := s.startEngine(ctx, "sync")
	if err != nil {
		return err
	}
	defer s.stopEngine(engine)
	l := load{face: faceSQS, topic: "filled", conns: 32, batch: batchMax, duration: s.opts.Warmup}
	if fifo {
		l.topic, l.groups = "filled.fifo", 1000
	}
	if err := s.createQueue(ctx, engine, l.topic, fifo); err != nil {
		return err
	}
	if _, _, err := s.fillAndEmpty(ctx, engine, l); err != nil {
		return err
	}
	for range s.opts.Runs {
		l.duration = s.quarter()
		bareSend, err := s.publishTo(ctx, s.fixed, l)
		if err != nil {
			return err
		}
		bareReceive, err := s.receive(ctx, s.fixed, l.topic, s.quarter(), 0)
		if err != nil {
			return err
		}
		l.duration = s.half()
		sent, received, err := s.fillAndEmpty(ctx, engine, l)
		if err != nil {
			return err
		}
		rows[0].addLoad(Run{Engine: sent.each(), Ceiling: bareSend.each()}, sent.result)
		rows[1].addLoad(Run{Engine: received.each(), Ceiling: bareReceive.each()}, received.result)
		s.ran(rows[0])
		s.ran(rows[1])
	}
	return nil
}

// fillAndEmpty fills a queue with a load, and empties it.
func (s *suite) fillAndEmpty(ctx context.Context, engine *process, l load) (sent, received sample, err error) {
	if sent, err = s.publishTo(ctx, engine, l); err != nil {
		return sent, received, err
	}
	received, err = s.receive(ctx, engine, l.topic, receiveMax, sent.result.Published)
	if err == nil && received.result.Published != sent.result.Published {
		err = fmt.Errorf("%d messages were received of the %d that were sent", received.result.Published, sent.result.Published)
	}
	return sent, received, err
}

// receive empties a queue, until the count is reached if there is one.
func (s *suite) receive(ctx context.Context, p *process, queue string, most time.Duration, count int64) (sample, error) {
	settled := func(*Result) error { return nil }
	return s.sampledRun(p, settled, func(into *Result) error {
		var r ReceiveResult
		err := s.run(ctx, &r, "bench", "receive", "--target", "http://"+p.listen, "--queue", queue, "--conns", "32",
			"--duration", most.String(), "--count", strconv.FormatInt(count, 10), "--json")
		*into = r.asLoad()
		return err
	})
}
