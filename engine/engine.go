package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Egress is what the engine hands durable messages to. It is attached before Run.
type Egress interface {
	// Check reports what is wrong with a subscription's kind and envelope; it may fill in their defaults.
	Check(config *SubscriptionConfig) error
	// Open makes the receiver of a subscription, which has settled what progress says.
	Open(s *Subscription, progress Progress) Receiver
	// Update tells that a subscription has new settings.
	Update(s *Subscription)
	// Close tells that a subscription was deleted.
	Close(s *Subscription)
	// Dispatch hands a durable message to the receivers of its topic's subscriptions. It is called by the
	// dispatcher of the topic's shard, in the order of the sequences, and must Retain what it keeps.
	Dispatch(m *Message)
	// Due hands over one more try of a delivery that failed before. It takes ownership of the message if
	// it returns true; the entry is settled by deleting it and calling Engine.TimerSettled, or snoozed.
	Due(s *Subscription, m *Message, parked Parked) bool
}

// Engine owns the topics, the shards and the durable timer. Use New, Attach, Run and Close, in this order.
type Engine struct {
	opts    Options
	catalog catalog
	shards  []*shard
	ledgers []*queueLedger // of the shards
	timers  *timers
	egress  Egress
	bounded Bounded // the store, if it is

	state   atomicState
	failed  chan struct{}         // closed with the first failed write
	failure atomic.Pointer[error] // why the state is failed
	running sync.WaitGroup
	stop    chan struct{} // closed when the committers may end

	replayed, purged atomic.Uint64 // dead letters

	moves moves

	queueHeld   atomic.Int64  // bytes of the messages that queues keep in memory
	receivers   atomic.Int64  // that wait
	released    chan struct{} // closed when receivers wait no more
	releaseOnce sync.Once

	received, queueDeleted, queueExpired, queueMoved atomic.Uint64 // messages of queues
}

type state int32

const (
	stateNew state = iota
	stateRunning
	stateClosing
	stateFailed // a write of the store failed: nothing is accepted until it is opened anew
)

func (s state) err() error {
	switch s {
	case stateRunning:
		return nil
	case stateFailed:
		return ErrUnavailable
	default:
		return ErrClosed
	}
}

type atomicState struct{ v atomic.Int32 }

func (a *atomicState) Load() state { return state(a.v.Load()) }

// move changes the state if it is the old one.
func (a *atomicState) move(from, to state) { a.v.CompareAndSwap(int32(from), int32(to)) }

// New loads the catalog from the store. Nothing runs before Run.
func New(opts Options) (*Engine, error) {
	opts.setDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	e := &Engine{opts: opts, stop: make(chan struct{}), failed: make(chan struct{}), released: make(chan struct{})}
	e.catalog.topics = map[TopicID]*Topic{}
	e.catalog.subscriptions = map[SubscriptionID]*Subscription{}
	e.catalog.tokens = map[string]*Subscription{}
	e.moves.running = map[string]*mover{}
	e.catalog.queues = map[TopicID]*Queue{}
	e.catalog.documents.values = map[string][]byte{}
	e.bounded, _ = opts.Store.(Bounded)
	e.timers = newTimers(e)
	for i := range opts.Shards {
		e.shards = append(e.shards, newShard(e, i))
		e.ledgers = append(e.ledgers, newQueueLedger(e))
	}
	if err := e.load(); err != nil {
		return nil, err
	}
	return e, nil
}

// Attach connects the egress and opens a receiver for every subscription of the catalog.
func (e *Engine) Attach(egress Egress) error {
	e.egress = egress
	for _, s := range e.Subscriptions() {
		stored, err := e.opts.Store.ReadProgress(s.ID)
		if err != nil {
			return err
		}
		progress, ok := ParseProgress(stored)
		if !ok {
			// Without its progress all that is still stored is owed to it: at least once.
			e.opts.Log.Error().Str("subscription", s.Name()).Msg("progress is missing or damaged; delivering everything that is stored")
			progress = Progress{}
		}
		s.receiver = egress.Open(s, progress)
	}
	return nil
}

// Start begins to accept publishes.
func (e *Engine) Start() {
	for _, s := range e.shards {
		s.run(&e.running, e.stop)
	}
	for _, l := range e.ledgers {
		e.running.Go(func() { l.run(e.stop) })
	}
	e.running.Go(func() { e.sweepQueues(e.stop) })
	e.state.move(stateNew, stateRunning)
	e.resumeMoves()
}

// Run fires the timer until the context ends. Start comes before it.
func (e *Engine) Run(ctx context.Context) { e.timers.run(ctx) }

// ReleaseReceivers answers all who wait for a message of a queue, and lets nobody wait any more.
func (e *Engine) ReleaseReceivers() { e.releaseOnce.Do(func() { close(e.released) }) }

// Close refuses further publishes, commits and dispatches those that were accepted, and returns. It must
// come after Run has returned, and before the egress and the store are closed. It is idempotent.
func (e *Engine) Close() {
	e.state.move(stateNew, stateClosing)
	e.state.move(stateRunning, stateClosing)
	e.ReleaseReceivers()
	// A publish adds its bytes before it looks at the state, so zero here means none will be pushed any more.
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for _, s := range e.shards {
		for s.waiting.Load() > 0 {
			<-look.C
		}
	}
	select {
	case <-e.stop:
	default:
		close(e.stop)
	}
	e.running.Wait()
	e.catalog.mu.Lock()
	defer e.catalog.mu.Unlock()
	for _, q := range e.catalog.queues {
		q.mu.Lock()
		q.waiters.silenceLocked()
		q.mu.Unlock()
	}
}

// fail records the first failed write; from then on nothing is accepted. A sync is never tried again: what a
// failed one left behind is known only when the store is opened anew.
func (e *Engine) fail(err error) {
	e.state.move(stateRunning, stateFailed)
	if first := e.opts.Store.Err(); first != nil {
		err = first // whatever came of it
	}
	if e.failure.CompareAndSwap(nil, &err) {
		e.opts.Log.Error().Err(err).Msg("a write of the store failed; nothing is accepted until it is opened anew")
		close(e.failed)
	}
}

// Failed is closed when a write of the store has failed: the engine, its egress and the store have to be closed,
// and all three opened anew.
func (e *Engine) Failed() <-chan struct{} { return e.failed }

// Fail tells the engine that a write of the egress failed.
func (e *Engine) Fail(err error) { e.fail(err) }

// full returns why the store has no room for messages now, nil when it has.
func (e *Engine) full() error {
	if e.bounded == nil {
		return nil
	}
	return e.bounded.Full()
}

// Ready returns nil while publishes are accepted, and otherwise why not.
func (e *Engine) Ready() error {
	if err := e.failure.Load(); err != nil {
		return *err
	}
	if err := e.state.Load().err(); err != nil {
		return err
	}
	if err := e.opts.Store.Err(); err != nil {
		return err
	}
	return e.full()
}

// Store is the store, for the egress: progress, retries and dead letters.
func (e *Engine) Store() Store { return e.opts.Store }

// NewTimerKey returns a key for a timer entry due at a time, in ms since 1970.
func (e *Engine) NewTimerKey(due int64) TimerKey { return e.timers.NewKey(due) }

// TimerAdded tells that an entry the egress put was applied.
func (e *Engine) TimerAdded(k TimerKey) { e.timers.Added(k) }

// TimerSettled tells that the deletion of a fired entry was applied.
func (e *Engine) TimerSettled(k TimerKey) { e.timers.Settled(k) }

// TimerSnooze makes a fired entry fire again at a time, in ms since 1970.
func (e *Engine) TimerSnooze(k TimerKey, at int64) { e.timers.Snooze(k, at) }

// Notify delivers a message of the subscription protocol, such as a confirmation request, to one
// subscription alone. It is durable when Notify returns and is retried like a delivery.
func (e *Engine) Notify(s *Subscription, m *Message) error {
	if err := e.state.Load().err(); err != nil {
		return err
	}
	m.topic = s.Topic
	m.seal()
	k := e.timers.NewKey(time.Now().UnixMilli())
	b := e.opts.Store.NewBatch()
	b.PutTimer(k, AppendDeliveryHead(nil, s.ID, Parked{}), m.buf)
	if err := e.write(b); err != nil {
		return err
	}
	e.timers.Added(k)
	return nil
}

// ReadTopic calls fn with the messages of a topic from sequence first to last, in order, until fn returns
// false. A record that is damaged is reported and handed over as nil. The message is valid until fn returns,
// unless fn retains it. Only durable sequences may be asked for.
func (e *Engine) ReadTopic(t *Topic, first, last Sequence, fn func(Sequence, *Message) bool) error {
	return e.opts.Store.ReadTopic(t.ID, first, last, func(seq Sequence, record []byte) bool {
		m, err := DecodeMessage(record)
		if err == nil && m.Sequence() != seq {
			m.Release()
			err = ErrRecordDamaged
		}
		if err != nil {
			e.opts.Log.Error().Err(err).Str("topic", t.Name()).Uint64("sequence", uint64(seq)).Msg("a stored message cannot be read")
			return fn(seq, nil)
		}
		defer m.Release()
		m.topic = t
		return fn(seq, m)
	})
}
