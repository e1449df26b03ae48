package main

import (
	"context"
	"net"
	"os"
	"time"

	"fanfare/bench"
)

type sinkCommand struct {
	Listen string        `help:"Address to listen on." default:"127.0.0.1:9000" placeholder:"HOST:PORT"`
	Status int           `help:"HTTP status of every answer." default:"200"`
	Delay  time.Duration `help:"Wait before every answer." default:"0s"`
	Print  bool          `help:"Print every request instead of counting."`
}

// Run receives until the context ends.
func (c *sinkCommand) Run(ctx context.Context) error {
	opts := bench.SinkOptions{Status: c.Status, Delay: c.Delay, Progress: os.Stderr}
	if c.Print {
		opts.Print = os.Stdout
	}
	sink, err := bench.NewSink(opts)
	if err != nil {
		return err
	}
	return serveUntil(ctx, c.Listen, sink)
}

// server is what the tools serve with.
type server interface {
	Serve(ln net.Listener) error
	Shutdown(ctx context.Context) error
}

// serveUntil serves on an address, which it logs, until the context ends.
func serveUntil(ctx context.Context, address string, s server) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log := newLogger(os.Stderr, "info")
	log.Info().Str("listen", ln.Addr().String()).Msg("listening")
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Shutdown(grace); err != nil {
		return err
	}
	return <-failed
}
