package egress

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine"
)

// A worker owns the lanes of a share of the topics. Its dispatch is called by the dispatchers of their shards; beside it
// run two goroutines: the ledger writes down what lanes settled, and the feeder reads for lanes that lag.
type worker struct {
	egress *Egress

	mu     sync.Mutex
	notes  []note                     // guarded by mu: to be written by the ledger
	dirty  []*lane                    // guarded by mu: with progress to save
	quiet  map[*engine.Topic]struct{} // guarded by mu: got messages that not every subscription was offered, if there is one
	paused []*lane                    // guarded by mu: waiting for their probe
	lag    []*lane                    // guarded by mu: waiting for the feeder
	ended  bool                       // guarded by mu: the ledger writes no more

	asked atomic.Pointer[engine.Topic] // one that is in quiet, so that it need not be put there again

	wake     chan struct{} // the ledger has notes
	feedWake chan struct{} // the feeder has lanes

	// The ledger's own.
	batch   engine.Batch
	writing []note
	saving  []*lane
	settled []*lane                    // whose progress goes with the notes
	topics  map[*engine.Topic]struct{} // that may be trimmed
	passed  []*engine.Topic            // that got messages which not every lane was offered
	kept    map[*engine.Topic]struct{} // that keep settled messages for a while
	scratch []byte
	record  []byte
	trimAt  time.Time
	trimmed uint64    // bytes that were committed at the last trim
	keptAt  time.Time // the next look at those that keep
	lookAt  time.Time // at the paused lanes
}

const (
	trimInterval   = time.Second
	trimBytes      = 2 << 20               // committed since the last trim, after which the next does not wait for that,
	trimTopicBytes = 32 << 10              // if they are so many for each of the topics
	keptInterval   = 5 * time.Second       // of looks at topics that keep settled messages
	probeInterval  = 25 * time.Millisecond // of looks at a lane while its probe is under way
)

func newWorker(e *Egress) *worker {
	return &worker{
		egress:   e,
		quiet:    map[*engine.Topic]struct{}{},
		topics:   map[*engine.Topic]struct{}{},
		kept:     map[*engine.Topic]struct{}{},
		wake:     make(chan struct{}, 1),
		feedWake: make(chan struct{}, 1),
		batch:    e.engine.Store().NewBatch(),
	}
}

// dispatch offers a durable message to the lanes of its topic.
func (w *worker) dispatch(m *engine.Message) {
	t := m.Topic()
	if t.Finds() {
		w.dispatchFound(t, m)
		return
	}
	subs := t.Subscriptions()
	for _, s := range subs {
		s.Receiver().Offer(m)
	}
	if len(subs) == 0 && w.asked.Load() != t {
		w.revisit(t)
	}
}

// dispatchFound offers a message to those lanes of its topic that it may concern.
func (w *worker) dispatchFound(t *engine.Topic, m *engine.Message) {
	memory, _ := w.egress.interested.Get().(*[]*engine.Subscription)
	if memory == nil {
		memory = new([]*engine.Subscription)
	}
	subs, all := t.Interested((*memory)[:0], m)
	for _, s := range subs {
		s.Receiver().Offer(m)
	}
	if all {
		clear((*memory)[:cap(*memory)]) // what was found before it was given up
	} else {
		clear(subs)
		*memory = subs[:0]
		t.SetPassed(m.Sequence()) // before the look at asked: who took the topic off before sees it
		if w.asked.Load() != t {
			w.revisit(t)
		}
	}
	w.egress.interested.Put(memory)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (w *worker) pause(l *lane) {
	w.mu.Lock()
	if !slices.Contains(w.paused, l) {
		w.paused = append(w.paused, l)
	}
	w.mu.Unlock()
	signal(w.wake)
}

// resume takes a lane off the list of the paused ones. The caller holds the lane's mutex, so that the list
// is right whenever nobody holds it.
func (w *worker) resume(l *lane) {
	w.mu.Lock()
	w.paused = slices.DeleteFunc(w.paused, func(o *lane) bool { return o == l })
	w.mu.Unlock()
}

func (w *worker) feed(l *lane) {
	w.mu.Lock()
	w.lag = append(w.lag, l)
	w.mu.Unlock()
	signal(w.feedWake)
}

// probe lets one push through on every paused lane whose time has come, and returns the next such time,
// zero for none.
func (w *worker) probe(now time.Time) (next time.Time) {
	begin := time.Now() // saving may lie between now and here
	if begin.Before(w.lookAt) {
		return w.lookAt
	}
	w.mu.Lock()
	paused := slices.Clone(w.paused)
	w.mu.Unlock()
	if len(paused) == 0 {
		return time.Time{}
	}
	for _, l := range paused {
		if still, at := l.probe(now); still && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	// With very many paused lanes a look takes long; it gets a twentieth of the time at the most.
	w.lookAt = begin.Add(20 * time.Since(begin))
	if next.Before(now) && !next.IsZero() {
		return now.Add(probeInterval) // a probe is under way
	}
	return next
}
