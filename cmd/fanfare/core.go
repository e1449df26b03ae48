package main

import (
	"context"
	"sync"
	"time"

	"fanfare/egress"
	"fanfare/engine"

	"github.com/rs/zerolog"
)

// core is what is opened anew, as a whole, when the store failed: what is in memory may then be ahead of the disk.
type core struct {
	log    zerolog.Logger
	store  engine.Store
	engine *engine.Engine
	egress *egress.Egress
	stop   func() // ends the engine's timer, and waits for it
}

// openCore opens the store and builds what stands on it. Nothing runs before start.
func openCore(c *config, log zerolog.Logger) (_ *core, err error) {
	k := &core{log: log, stop: func() {}}
	if k.store, err = openStore(c, log); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = k.store.Close()
		}
	}()
	if k.engine, err = engine.New(c.engineOptions(k.store, log)); err != nil {
		return nil, err
	}
	if k.egress, err = egress.New(k.engine, c.egressOptions(k.engine, log)); err != nil {
		return nil, err
	}
	return k, k.declare(c)
}

func (k *core) start() {
	k.egress.Start()
	k.engine.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var timer sync.WaitGroup
	timer.Go(func() { k.engine.Run(ctx) })
	k.stop = func() {
		cancel()
		timer.Wait()
	}
}

// drain commits and answers what was accepted, lets the pushes under way end within a time, and saves progress.
func (k *core) drain(pushes time.Duration) error {
	k.stop()
	k.engine.Close()
	ctx, cancel := context.WithTimeout(context.Background(), pushes)
	defer cancel()
	return k.egress.Drain(ctx)
}

// The waits between attempts to open a store that failed.
const (
	reopenDelayMin = 100 * time.Millisecond
	reopenDelayMax = 5 * time.Second
)

// reopen replaces the core whose store failed. Publishes are answered "unavailable" by the old one meanwhile. What
// was acknowledged is in the store; what was not is answered as such, and may be there or not. It reports false
// when the context ended first.
func (h *house) reopen(ctx context.Context) bool {
	old := h.core.Load()
	if err := old.drain(time.Second); err != nil {
		h.log.Warn().Err(err).Msg("not every push had ended")
	}
	if err := old.store.Close(); err != nil {
		h.log.Warn().Err(err).Msg("closing the failed store")
	}
	delay := reopenDelayMin
	for {
		k, err := openCore(h.config, h.log)
		if err == nil {
			h.core.Store(k)
			k.start()
			h.faces.SetFaces(faces(k.engine, h.config, h.log)...)
			h.reopened.Add(1)
			h.log.Warn().Msg("the store was opened anew; messages are accepted again")
			return true
		}
		h.log.Error().Err(err).Dur("again", delay).Msg("opening the failed store anew did not succeed")
		select {
		case <-ctx.Done():
			return false
		case <-time.After(delay):
		}
		delay = min(2*delay, reopenDelayMax)
	}
}
