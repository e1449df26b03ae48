package egress

import (
	"slices"
	"sync"
	"time"

	"fanfare/engine"
)

// A worker belongs to one shard. Its dispatch is called by the shard's dispatcher; beside it run two
// goroutines: the ledger writes down what lanes settled, and the feeder reads for lanes that lag.
type worker struct {
	egress *Egress

	mu     sync.Mutex
	notes  []note                     // guarded by mu: to be written by the ledger
	dirty  []*lane                    // guarded by mu: with progress to save
	quiet  map[*engine.Topic]struct{} // guarded by mu: got messages but have no subscription
	paused []*lane                    // guarded by mu: waiting for their probe
	lag    []*lane                    // guarded by mu: waiting for the feeder

	wake     chan struct{} // the ledger has notes
	feedWake chan struct{} // the feeder has lanes

	// The ledger's own.
	batch   engine.Batch
	writing []note
	saving  []*lane
	settled []*lane                    // whose progress goes with the notes
	topics  map[*engine.Topic]struct{} // that may be trimmed
	scratch []byte
	trimAt  time.Time
	lookAt  time.Time // at the paused lanes
}

const (
	trimInterval  = time.Second
	probeInterval = 25 * time.Millisecond // of looks at a lane while its probe is under way
)

func newWorker(e *Egress) *worker {
	return &worker{
		egress:   e,
		quiet:    map[*engine.Topic]struct{}{},
		topics:   map[*engine.Topic]struct{}{},
		wake:     make(chan struct{}, 1),
		feedWake: make(chan struct{}, 1),
		batch:    e.engine.Store().NewBatch(),
	}
}

// dispatch offers a durable message to the lanes of its topic.
func (w *worker) dispatch(m *engine.Message) {
	subs := m.Topic().Subscriptions()
	for _, s := range subs {
		s.Receiver().Offer(m)
	}
	if len(subs) == 0 {
		w.revisit(m.Topic())
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// note is something for the ledger to write.
type note struct {
	kind   noteKind
	lane   *lane
	d      delivery
	due    time.Time // retry
	reason string    // bury
	status int       // bury
	answer []byte    // bury

	parked engine.TimerKey // retry: the entry it became
}

type noteKind uint8

const (
	noteRetry  noteKind = iota // try again later
	noteBury                   // dead letter
	noteForget                 // a delivery from the timer is settled
	noteDrop                   // the subscription was deleted
)

func (w *worker) note(n note) {
	w.mu.Lock()
	w.notes = append(w.notes, n)
	w.mu.Unlock()
	signal(w.wake)
}

// retry parks a delivery on the timer. Behind the write it counts as settled for the progress.
func (w *worker) retry(l *lane, d delivery, due time.Time) {
	w.note(note{kind: noteRetry, lane: l, d: d, due: due})
}

// bury writes a dead letter.
func (w *worker) bury(l *lane, d delivery, reason string, status int, answer []byte) {
	w.note(note{kind: noteBury, lane: l, d: d, reason: reason, status: status, answer: answer})
}

// forget deletes the timer entry of a settled delivery.
func (w *worker) forget(k engine.TimerKey) {
	w.note(note{kind: noteForget, d: delivery{entry: k}})
}

// drop forgets what the ledger may have written of a subscription while it was deleted.
func (w *worker) drop(l *lane) { w.note(note{kind: noteDrop, lane: l}) }

func (w *worker) markDirty(l *lane) {
	w.mu.Lock()
	w.dirty = append(w.dirty, l)
	w.mu.Unlock()
	signal(w.wake)
}

// revisit makes the ledger look whether the topic can be trimmed.
func (w *worker) revisit(t *engine.Topic) {
	w.mu.Lock()
	w.quiet[t] = struct{}{}
	w.mu.Unlock()
	signal(w.wake)
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

// runLedger writes until stop is closed, and then what is left, with a wait for the disk.
func (w *worker) runLedger(stop <-chan struct{}) {
	tick := time.NewTimer(time.Hour)
	defer tick.Stop()
	var saveAt time.Time
	for {
		select {
		case <-stop:
			w.write()
			w.save(time.Now(), true)
			return
		case <-w.wake:
		case <-tick.C:
		}
		w.write()
		now := time.Now()
		if !now.Before(saveAt) {
			w.save(now, false)
			// With very many lanes saving takes long; it gets a twentieth of the time at the most.
			saveAt = now.Add(max(w.egress.opts.ProgressInterval, 20*time.Since(now)))
		}
		probeAt := w.probe(now)
		tick.Reset(w.nextTick(now, saveAt, probeAt))
	}
}

// nextTick is when the ledger has something to do without being woken.
func (w *worker) nextTick(now, saveAt, probeAt time.Time) time.Duration {
	w.mu.Lock()
	pending := len(w.dirty) > 0 || len(w.quiet) > 0
	w.mu.Unlock()
	next := now.Add(time.Hour)
	if pending {
		next = saveAt
	} else if len(w.topics) > 0 {
		next = w.trimAt
	}
	if !probeAt.IsZero() && probeAt.Before(next) {
		next = probeAt
	}
	return max(next.Sub(now), time.Millisecond)
}

// write writes the notes in one batch, without waiting for the disk: what a crash takes back is delivered
// again. The progress that counts a parked delivery as settled is in the same batch, so that a crash finds it
// either owed or parked, never both. Only when all is in the store do the lanes let go of the deliveries.
func (w *worker) write() {
	w.mu.Lock()
	w.notes, w.writing = w.writing[:0], w.notes
	w.mu.Unlock()
	if len(w.writing) == 0 {
		return
	}
	w.batch.Reset()
	for i := range w.writing {
		w.settle(&w.writing[i])
		w.collect(&w.writing[i])
	}
	for _, l := range w.settled {
		l.noted = false
		w.saveProgress(l)
	}
	clear(w.settled)
	w.settled = w.settled[:0]
	if err := w.batch.Apply(false); err != nil {
		w.egress.engine.Fail(err)
		clear(w.writing)
		return // the deliveries stay held: the store takes nothing any more
	}
	for i := range w.writing {
		n := &w.writing[i]
		if !n.d.entry.IsZero() {
			w.egress.engine.TimerSettled(n.d.entry)
		}
		if !n.parked.IsZero() {
			w.egress.engine.TimerAdded(n.parked)
		}
		if l := n.lane; l != nil && n.kind != noteDrop {
			l.mu.Lock()
			l.dropLocked(n.d)
			l.feedLocked()
			l.mu.Unlock()
		}
	}
	clear(w.writing)
}

// settle counts the delivery of a note as settled, unless it came from the timer and was before.
func (w *worker) settle(n *note) {
	l := n.lane
	if l == nil || n.kind == noteDrop || !n.d.entry.IsZero() {
		return
	}
	l.mu.Lock()
	if !l.closed {
		l.settleLocked(n.d.m.Sequence())
	}
	l.mu.Unlock()
	if !l.noted {
		l.noted = true
		w.settled = append(w.settled, l)
	}
}

// saveProgress adds the lane's progress to the batch.
func (w *worker) saveProgress(l *lane) {
	l.mu.Lock()
	closed := l.closed
	if !closed {
		w.scratch = l.progress.AppendBytes(w.scratch[:0])
		l.saved = l.progress.Floor
	}
	l.mu.Unlock()
	if !closed {
		w.batch.SaveProgress(l.sub.ID, w.scratch)
	}
}

// collect adds what a note asks for to the batch.
func (w *worker) collect(n *note) {
	if !n.d.entry.IsZero() {
		w.batch.DeleteTimer(n.d.entry)
	}
	switch n.kind {
	case noteRetry:
		n.parked = w.egress.engine.NewTimerKey(n.due.UnixMilli())
		w.scratch = engine.AppendDeliveryHead(w.scratch[:0], n.lane.sub.ID, n.d.attempts)
		w.batch.PutTimer(n.parked, w.scratch, n.d.m.Record())
	case noteBury:
		// A message of the subscription protocol is nobody's loss.
		if n.d.m.Type() == engine.Notification && !n.lane.sub.Deleted() {
			w.egress.stats.buried.Add(1)
			w.scratch = n.letter().appendHead(w.scratch[:0])
			w.batch.PutDeadLetter(n.lane.sub.ID, n.d.m.Sequence(), w.scratch, n.d.m.Record())
		}
	case noteDrop:
		// The deletion did this already; what the ledger was about to write at that moment came behind it.
		w.batch.DropSubscription(n.lane.sub.ID)
	case noteForget:
	}
}

// save writes the progress of the lanes that settled something, and trims their topics now and then.
func (w *worker) save(now time.Time, last bool) {
	w.mu.Lock()
	w.dirty, w.saving = w.saving[:0], w.dirty
	for t := range w.quiet {
		w.topics[t] = struct{}{}
	}
	clear(w.quiet)
	w.mu.Unlock()
	w.batch.Reset()
	for _, l := range w.saving {
		l.mu.Lock()
		l.dirty = false
		l.mu.Unlock()
		w.saveProgress(l)
		w.topics[l.sub.Topic] = struct{}{}
	}
	clear(w.saving)
	if last || !now.Before(w.trimAt) {
		w.trimAt = now.Add(trimInterval)
		for t := range w.topics {
			w.trim(t)
		}
		clear(w.topics)
	}
	if w.batch.Len() == 0 {
		return
	}
	err := w.batch.Apply(last)
	if err == nil && last {
		err = w.batch.Wait()
	}
	if err != nil {
		w.egress.engine.Fail(err)
	}
}

// trim forgets the messages of a topic that every subscription has settled. It is in one batch with the
// progress that says so.
func (w *worker) trim(t *engine.Topic) {
	if t.Deleted() {
		w.batch.DropTopic(t.ID) // once more: a group may have been committed at the moment of the deletion
		return
	}
	// The high-water mark first: a subscription made behind it starts no lower.
	floor := t.High()
	for _, s := range t.Subscriptions() {
		floor = min(floor, s.Receiver().(*lane).saved)
	}
	if trimmed := t.Trimmed(); floor > trimmed {
		w.batch.TrimTopic(t.ID, trimmed, floor)
		t.SetTrimmed(floor)
	}
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

// feedMessages is how many messages the feeder reads for a lane before it turns to the next.
const feedMessages = 256

// runFeeder reads for lagging lanes, one after the other, until stop is closed.
func (w *worker) runFeeder(stop <-chan struct{}) {
	for {
		w.mu.Lock()
		var l *lane
		if len(w.lag) > 0 {
			l = w.lag[0]
			w.lag = append(w.lag[:0], w.lag[1:]...)
		}
		w.mu.Unlock()
		if l != nil {
			w.read(l)
			continue
		}
		select {
		case <-stop:
			return
		case <-w.feedWake:
		}
	}
}

// read takes the next messages of a lagging lane from the store.
func (w *worker) read(l *lane) {
	l.mu.Lock()
	first, last := l.next, min(l.seen, l.next+feedMessages-1)
	l.mu.Unlock()
	// Only a read that came to its end says that what it did not show is not there.
	whole := first <= last && !w.egress.draining.Load()
	var err error
	if whole {
		err = w.egress.engine.ReadTopic(l.sub.Topic, first, last, func(seq engine.Sequence, m *engine.Message) bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.closed || l.paused || w.egress.draining.Load() {
				whole = false
				return false
			}
			l.skipLocked(seq)
			if m == nil {
				l.skipLocked(seq + 1)
			} else {
				whole = l.takeLocked(m)
			}
			return whole
		})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		// It stays in the feeder's hands and is tried again with the next wake-up.
		w.egress.opts.Log.Error().Err(err).Str("topic", l.sub.Topic.Name()).Msg("reading for a lagging subscription failed")
		time.AfterFunc(time.Second, func() { w.feed(l) })
		return
	case whole && !l.closed:
		l.skipLocked(last + 1) // what is not in the store any more, if anything
	}
	l.feeding = false
	l.feedLocked()
}
