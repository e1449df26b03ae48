package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fanfare/egress/gateway/mail"
	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/admin"
	"fanfare/ingress/auth"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

type serveCommand struct{ settings }

// Run serves until the context ends.
func (s *serveCommand) Run(ctx context.Context) error {
	c, err := s.load()
	if err != nil {
		return err
	}
	log := newLogger(os.Stderr, c.LogLevel)
	setProcs(log)
	c.setMemory()
	c.Profiling.set()
	h, err := openHouse(c, log)
	if err != nil {
		return err
	}
	h.announce()
	return h.run(ctx, s.load)
}

// run serves until the context ends, and closes everything.
func (h *house) run(ctx context.Context, load func() (*config, error)) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	// A write behind the scenes may fail while nobody publishes.
	look := time.NewTicker(storeLookEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			k := h.core.Load()
			if err := k.store.Err(); err != nil {
				k.engine.Fail(err)
			}
		case <-hup:
			h.reload(load)
		case <-h.core.Load().engine.Failed():
			if !h.reopen(ctx) {
				return h.close()
			}
		case err := <-h.failed:
			return errors.Join(err, h.close())
		case <-ctx.Done():
			return h.close()
		}
	}
}

// storeLookEvery is how often the store is asked whether it has failed.
const storeLookEvery = 200 * time.Millisecond

// house is everything the server consists of.
type house struct {
	config   *config
	log      zerolog.Logger
	core     atomic.Pointer[core] // replaced when its store failed
	reopened atomic.Uint64        // how often it was
	faces    *ingress.Server
	admin    *admin.Server
	mail     *mail.Gateway // nil without one
	listen   net.Listener
	manage   net.Listener
	failed   chan error // of the servers
	running  sync.WaitGroup
}

// openHouse builds and starts everything, in the order of the data path's end to its beginning.
func openHouse(c *config, log zerolog.Logger) (_ *house, err error) {
	h := &house{config: c, log: log, failed: make(chan error, 2)}
	var undo []func()
	defer func() {
		if err != nil {
			for i := len(undo) - 1; i >= 0; i-- {
				undo[i]()
			}
		}
	}()
	// Ports first: a second start on the same machine says so before it touches the store.
	if h.listen, err = net.Listen("tcp", c.Listen); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	undo = append(undo, func() { _ = h.listen.Close() })
	if h.manage, err = net.Listen("tcp", c.Admin); err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	undo = append(undo, func() { _ = h.manage.Close() })
	if c.PublicURL == "" {
		c.PublicURL = "http://" + h.listen.Addr().String()
	}
	if h.mail, err = c.SNS.Gateways.Email.openMail(log); err != nil {
		return nil, err
	}
	if h.mail != nil {
		c.mailURL = h.mail.URL()
		undo = append(undo, func() { _ = h.mail.Close(context.Background()) })
	}
	c.keys = auth.NewKeyring(c.credentials())
	if err := c.openSigner(log); err != nil {
		return nil, err
	}
	k, err := openCore(c, log)
	if err != nil {
		return nil, err
	}
	if err := c.prepareSigner(); err != nil {
		return nil, errors.Join(err, k.store.Close())
	}
	h.core.Store(k)
	k.start()
	h.faces = ingress.New(ingress.Options{Log: log, ConnectionsMax: c.Limits.Connections}, faces(k.engine, c, log)...)
	h.admin = admin.New(admin.Options{Ready: func() error { return h.core.Load().engine.Ready() }, Metrics: metricsHandler(h.figures)})
	h.running.Go(func() { h.serve("faces", h.faces.Serve, h.listen) })
	h.running.Go(func() { h.serve("admin", h.admin.Serve, h.manage) })
	return h, nil
}

func (h *house) serve(name string, serve func(net.Listener) error, ln net.Listener) {
	if err := serve(ln); err != nil {
		h.failed <- fmt.Errorf("%s: %w", name, err)
	}
}

// announce says where the server listens, and what to try first.
func (h *house) announce() {
	url := "http://" + h.listen.Addr().String()
	try := fmt.Sprintf("curl -X PUT %s/v1/topics/demo && curl -d hello %s/v1/topics/demo/messages", url, url)
	event := h.log.Info().Str("listen", h.listen.Addr().String()).Str("admin", h.manage.Addr().String()).
		Str("durability", h.config.Durability)
	if h.config.Durability != string(engine.DurabilityMemory) {
		event = event.Str("data", h.config.Data)
	}
	if isatty.IsTerminal(os.Stderr.Fd()) {
		event.Msg("listening")
		fmt.Fprintf(os.Stderr, "\nFanfare listens on %s. Try:\n\n    %s\n\n", url, try)
	} else {
		event.Str("try", try).Msg("listening")
	}
	h.announceCredentials()
}

// close stops everything in the order of the data path: nothing new comes in, what was accepted is
// committed and answered, pushes under way are settled, progress is saved.
func (h *house) close() error {
	h.log.Info().Dur("grace", time.Duration(h.config.Grace)).Msg("draining")
	h.admin.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(h.config.Grace))
	defer cancel()
	var errs []error
	step := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
			h.log.Warn().Err(err).Msg(what + " did not end in order")
			return
		}
		h.log.Debug().Msg(what + " ended")
	}
	h.core.Load().engine.ReleaseReceivers() // they would wait on while the faces wait for their answers
	step("faces", h.faces.Shutdown(ctx))
	_ = h.listen.Close() // a server that had not begun to accept would not know that it is to end
	// Slow clients may have used up the grace period: the pushes get a second at least. What is cut off all the
	// same stays owed: that is no failure.
	left := time.Second
	if deadline, ok := ctx.Deadline(); ok {
		left = max(left, time.Until(deadline))
	}
	k := h.core.Load()
	if err := k.drain(left); err != nil {
		h.log.Warn().Err(err).Msg("not every push had ended")
	}
	if h.mail != nil {
		step("mail", h.mail.Close(ctx))
	}
	step("admin", h.admin.Shutdown(ctx))
	_ = h.manage.Close()
	if k.store.Err() == nil {
		step("store", k.store.Close())
	} else if err := k.store.Close(); err != nil {
		h.log.Warn().Err(err).Msg("the store had failed before")
	}
	h.running.Wait()
	h.log.Info().Msg("ended")
	return errors.Join(errs...)
}
