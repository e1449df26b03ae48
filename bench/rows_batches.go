package bench

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// amazonLoad is one way of publishing through SNS.
type amazonLoad struct {
	name   string
	conns  int
	batch  int
	signed bool
}

var amazonLoads = []amazonLoad{
	{"Publish, unsigned", 256, 1, false},
	{"Publish, signed", 256, 1, true},
	{"PublishBatch of 10, unsigned", 32, 10, false},
	{"PublishBatch of 10, signed", 32, 10, true},
}

// batchScenarios measure a message that comes alone and one of ten in a request, unsigned and signed.
func (s *suite) batchScenarios() []*scenario {
	all := make([]*scenario, 0, 2)
	for _, durability := range []string{"sync", "memory"} {
		rows := make([]Row, 0, len(amazonLoads))
		lengths := make([]time.Duration, 0, 2*len(amazonLoads))
		for _, l := range amazonLoads {
			rows = append(rows, Row{Group: groupBatches, Name: l.name + ", " + durability, Unit: unitMicros, Latency: latencyPublish})
			lengths = append(lengths, s.half(), s.quarter())
		}
		all = append(all, &scenario{rows, s.span(lengths...) + 6*s.opts.Warmup, func(ctx context.Context, rows []*builder) error {
			return s.batches(ctx, rows, durability)
		}})
	}
	return all
}

// batches measures in rounds over all ways. A server that knows no key accepts every signature, so the signed requests
// have a server of their own, which knows one and verifies it.
func (s *suite) batches(ctx context.Context, rows []*builder, durability string) error {
	open, err := s.startEngine(ctx, durability)
	if err != nil {
		return err
	}
	defer s.stopEngine(open)
	closed, k, err := s.startClosed(ctx, durability)
	if err != nil {
		return err
	}
	defer s.stopEngine(closed)
	servers, loads := make([]*process, 0, len(amazonLoads)), make([]load, 0, len(amazonLoads))
	for _, a := range amazonLoads {
		server, l := open, load{face: "sns", topic: "batches", conns: a.conns, batch: a.batch, duration: s.opts.Warmup}
		if a.signed {
			server, l.key = closed, k
		}
		if err := s.put(ctx, server, put{"/v1/topics/batches", "{}"}); err != nil {
			return err
		}
		if _, err := s.publishTo(ctx, server, l); err != nil {
			return err
		}
		servers, loads = append(servers, server), append(loads, l)
	}
	for range s.opts.Runs {
		for i, l := range loads {
			if err := s.beside(ctx, rows[i], servers[i], l); err != nil {
				return err
			}
		}
	}
	return nil
}

// beside adds a pair of runs of a load: against the fixed-reply server and against an engine.
func (s *suite) beside(ctx context.Context, b *builder, engine *process, l load) error {
	l.duration = s.quarter()
	ceiling, err := s.publishTo(ctx, s.fixed, l)
	if err != nil {
		return err
	}
	l.duration = s.half()
	own, err := s.publishTo(ctx, engine, l)
	if err != nil {
		return err
	}
	b.addLoad(Run{Engine: own.each(), Ceiling: ceiling.each()}, own.result)
	s.ran(b)
	return nil
}

// startClosed starts Fanfare with no data and one key, whose signature its sns and sqs ask for.
func (s *suite) startClosed(ctx context.Context, durability string) (*process, *key, error) {
	k := &key{access: "FANFAREBENCH", secretFile: filepath.Join(s.dir, "secret")}
	config := filepath.Join(s.dir, "closed.yaml")
	if err := os.WriteFile(k.secretFile, []byte("a-secret-of-nothing-but-this-measurement\n"), 0o600); err != nil {
		return nil, nil, err
	}
	text := "credentials:\n  - {access_key: " + k.access + ", secret_file: " + jsonString(k.secretFile) + "}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	data := s.dataDir()
	p, err := s.start(ctx, append(serveArgs(durability, data), "--config", config)...)
	if err == nil {
		p.data = data
	}
	return p, k, err
}

// quarter is the length of the runs of ceilings where a round has many.
func (s *suite) quarter() time.Duration { return max(s.half()/2, 10*time.Millisecond) }
