package egress

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine"
)

// Egress pushes committed messages to the subscriptions of an engine. Use New, Start, Drain, in this order.
type Egress struct {
	engine    *engine.Engine
	opts      Options
	kinds     map[string]Kind // immutable
	workers   []*worker       // immutable
	endpoints endpoints
	dialer    *dialer
	pushers   sync.Pool
	groups    groupMemory

	interested sync.Pool // of *[]*engine.Subscription, while a message is dispatched

	context   context.Context // of connecting; ends when draining is over
	cancel    context.CancelFunc
	draining  atomic.Bool
	running   sync.WaitGroup // pushers
	workersWG sync.WaitGroup // ledgers, feeders and the janitor
	stop      chan struct{}
	once      sync.Once

	held    atomic.Int64  // bytes of messages in all lanes
	drained chan struct{} // closed when draining begins

	idleConns   atomic.Int64
	janitorWake chan struct{}
	stats       counters
}

// New returns the egress of an engine, which must not run yet, and attaches it.
func New(e *engine.Engine, opts Options) (*Egress, error) {
	opts.setDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	g := &Egress{
		engine:      e,
		opts:        opts,
		kinds:       map[string]Kind{},
		endpoints:   endpoints{all: map[string]*endpoint{}},
		dialer:      newDialer(opts.ConnectTimeout, opts.TLS),
		stop:        make(chan struct{}),
		drained:     make(chan struct{}),
		janitorWake: make(chan struct{}, 1),
	}
	g.context, g.cancel = context.WithCancel(context.Background())
	g.pushers.New = g.newPusher
	for _, k := range opts.Kinds {
		g.kinds[k.Name()] = k
	}
	for range opts.Workers {
		g.workers = append(g.workers, newWorker(g))
	}
	if err := e.Attach(g); err != nil {
		return nil, err
	}
	return g, nil
}

// Start begins to push. What was owed when the process ended last is fed first.
func (g *Egress) Start() {
	for _, w := range g.workers {
		g.workersWG.Go(func() { w.runLedger(g.stop) })
		g.workersWG.Go(func() { w.runFeeder(g.stop) })
	}
	g.workersWG.Go(g.runJanitor)
	for _, s := range g.engine.Subscriptions() {
		s.Receiver().(*lane).worker.revisit(s.Topic) // the lane itself has waited for the feeder since Open
	}
}

// Drain starts no further pushes, waits for those under way, saves progress and stops. When the context
// ends first, the pushes that are left are given up; they stay owed. It comes after Engine.Close.
func (g *Egress) Drain(ctx context.Context) error {
	var err error
	g.once.Do(func() {
		g.draining.Store(true)
		close(g.drained)
		// Whoever starts a pusher holds its lane: behind this loop nobody does who has not seen the flag.
		for _, s := range g.engine.Subscriptions() {
			l := s.Receiver().(*lane)
			l.mu.Lock()
			queue := l.redrive
			l.silenceLocked()
			l.mu.Unlock()
			if queue != nil {
				queue.mu.Lock()
				queue.mu.Unlock() //nolint:staticcheck // an empty section is the point
			}
		}
		done := make(chan struct{})
		go func() {
			g.running.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-ctx.Done():
			err = fmt.Errorf("egress: drain: %w; the pushes under way are given up and stay owed", ctx.Err())
		}
		g.cancel()
		close(g.stop)
		g.workersWG.Wait()
		g.endpoints.closeIdle(time.Time{})
	})
	return err
}

// Check fills in the defaults of a kind and reports what is wrong with a subscription's kind and envelope.
func (g *Egress) Check(c *engine.SubscriptionConfig) error {
	c.Kind = cmp.Or(c.Kind, "webhook")
	k := g.kinds[c.Kind]
	if k == nil {
		return &engine.FieldError{Field: "kind", Reason: fmt.Sprintf("%q is not a kind of subscriber", c.Kind)}
	}
	if err := CheckKind(k, c); err != nil {
		return err
	}
	if queue := c.DeadLetters.Queue; queue != "" {
		if g.opts.Queue == nil {
			return &engine.FieldError{Field: "dead_letters.queue", Reason: "no queue is served"}
		}
		if reason := g.opts.Queue.CheckQueue(queue); reason != "" {
			return &engine.FieldError{Field: "dead_letters.queue", Reason: reason}
		}
		if forbiddenURL(queue) {
			return &engine.FieldError{Field: "dead_letters.queue", Reason: "pushes to this address are forbidden"}
		}
	}
	if forbiddenURL(c.Endpoint) {
		return &engine.FieldError{Field: "endpoint", Reason: "pushes to this address are forbidden"}
	}
	return nil
}

// forbiddenURL reports whether the host is an address that nothing is pushed to. A name is judged when it is dialled.
func forbiddenURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && !addressAllowed(a)
}

// CheckKind fills in a kind's defaults, its retry policy among them, and reports what is wrong.
func CheckKind(k Kind, c *engine.SubscriptionConfig) error {
	if _, ok := engine.QueueOf(c.Endpoint); ok {
		if _, ok := k.(QueueKind); !ok {
			return &engine.FieldError{Field: "endpoint", Reason: "a queue takes nothing of the kind " + k.Name()}
		}
	}
	if r, ok := k.(DefaultRetrier); ok {
		c.Retry.Complete(r.DefaultRetry())
	}
	return k.Check(c)
}

// Open makes the lane of a subscription.
func (g *Egress) Open(s *engine.Subscription, progress engine.Progress) engine.Receiver {
	l := &lane{
		egress:   g,
		worker:   g.workerOf(s.Topic),
		sub:      s,
		settings: g.newSettings(s),
		next:     progress.Floor + 1,
		seen:     s.Topic.High(),
		progress: progress,
		saved:    progress.Floor,
	}
	l.window = l.windowMin()
	l.mu.Lock()
	l.feedLocked() // what was committed since the progress was read; nothing may come that would have it fed
	l.mu.Unlock()
	return l
}

// Update takes over a subscription's new settings.
func (g *Egress) Update(s *engine.Subscription) { s.Receiver().(*lane).update(g.newSettings(s)) }

// Close drops a subscription's lane.
func (g *Egress) Close(s *engine.Subscription) {
	l := s.Receiver().(*lane)
	l.close()
	l.worker.drop(l)
	l.worker.revisit(s.Topic)
}

// Dispatch offers a durable message to the lanes of its topic's subscriptions.
func (g *Egress) Dispatch(m *engine.Message) { g.workerOf(m.Topic()).dispatch(m) }

func (g *Egress) workerOf(t *engine.Topic) *worker {
	return g.workers[uint64(t.ID)%uint64(len(g.workers))]
}

// Due takes one more try of a delivery from the timer.
func (g *Egress) Due(s *engine.Subscription, m *engine.Message, p engine.Parked) bool {
	l := s.Receiver().(*lane)
	d := delivery{m: m, attempts: p.Attempts, since: p.Since, entry: p.Entry, dead: p.Dead}
	if p.Dead {
		to := l.queueLane()
		if to == nil { // the queue was taken away, or the subscription: the list has to do
			l.buryDue(d)
			return true
		}
		l = to
	}
	at, ok := l.due(d)
	if !ok {
		m.Release()
		g.engine.TimerSnooze(p.Entry, at.UnixMilli())
	}
	return true
}

func (g *Egress) wakeJanitor() { signal(g.janitorWake) }

// runJanitor closes connections that are idle for too long. It sleeps while there are none.
func (g *Egress) runJanitor() {
	for {
		select {
		case <-g.stop:
			return
		case <-g.janitorWake:
		}
		for g.idleConns.Load() > 0 {
			select {
			case <-g.stop:
				return
			case <-time.After(g.opts.IdleConnTimeout / 4):
			}
			g.endpoints.closeIdle(time.Now().Add(-g.opts.IdleConnTimeout))
		}
	}
}
