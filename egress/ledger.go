package egress

import (
	"time"

	"fanfare/engine"
)

// note is something for the ledger to write.
type note struct {
	kind   noteKind
	lane   *lane
	d      delivery
	due    time.Time         // retry
	letter engine.DeadLetter // bury
	rewind *rewind           // rewind

	parked engine.TimerKey // the entry it became
	err    error           // of a rewind
}

type noteKind uint8

const (
	noteRetry  noteKind = iota // try again later
	noteBury                   // dead letter
	noteForget                 // a delivery from the timer is settled
	noteDrop                   // the subscription was deleted
	noteRewind                 // the subscription is set back, or on
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
func (w *worker) bury(l *lane, d delivery, letter engine.DeadLetter) {
	letter.At, letter.Attempts = time.Now().UnixMilli(), d.attempts
	w.note(note{kind: noteBury, lane: l, d: d, letter: letter})
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
	w.asked.Store(t)
	w.mu.Unlock()
	signal(w.wake)
}

// runLedger writes until stop is closed, and then what is left, with a wait for the disk.
func (w *worker) runLedger(stop <-chan struct{}) {
	tick := time.NewTimer(time.Hour)
	defer tick.Stop()
	var saveAt time.Time
	for {
		select {
		case <-stop:
			w.mu.Lock()
			w.ended = true // behind this nobody waits for a note any more
			w.mu.Unlock()
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
	} else if len(w.kept) > 0 {
		next = w.keptAt
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
	durable := false
	for i := range w.writing {
		n := &w.writing[i]
		w.settle(n)
		w.collect(n)
		durable = durable || n.kind == noteRewind
	}
	for _, l := range w.settled {
		l.noted = false
		w.saveProgress(l)
	}
	clear(w.settled)
	w.settled = w.settled[:0]
	err := w.batch.Apply(durable)
	if err == nil && durable {
		err = w.batch.Wait()
	}
	if err != nil {
		w.egress.engine.Fail(err)
		w.answerRewinds(engine.ErrUnavailable)
		clear(w.writing)
		return // the deliveries stay held: the store takes nothing any more
	}
	w.answerRewinds(nil)
	for i := range w.writing {
		n := &w.writing[i]
		if !n.d.entry.IsZero() {
			w.egress.engine.TimerSettled(n.d.entry)
		}
		if !n.parked.IsZero() {
			w.egress.engine.TimerAdded(n.parked)
		}
		if l := n.lane; l != nil && n.kind != noteDrop && n.kind != noteRewind {
			l.mu.Lock()
			l.dropLocked(n.d)
			if n.d.group != nil {
				l.startLocked() // it goes on behind its dead letter
			}
			l.feedLocked()
			l.mu.Unlock()
		}
	}
	clear(w.writing)
}

// settle counts the delivery of a note as settled, unless it came from the timer and was before.
func (w *worker) settle(n *note) {
	l := n.lane
	if l == nil || n.kind == noteDrop || n.kind == noteRewind || !n.d.entry.IsZero() {
		return
	}
	l.mu.Lock()
	if !l.closed && n.d.epoch == l.epoch {
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
		w.scratch = engine.AppendDeliveryHead(w.scratch[:0], n.lane.sub.ID, engine.Parked{
			Attempts: n.d.attempts, Since: n.d.since, Dead: n.d.dead,
		})
		w.batch.PutTimer(n.parked, w.scratch, n.d.m.Record())
	case noteBury:
		// A message of the subscription protocol is nobody's loss.
		if n.d.m.Type() == engine.Notification && !n.lane.sub.Deleted() {
			w.egress.stats.buried.Add(1)
			w.collectLetter(n)
		}
	case noteRewind:
		n.err = w.applyRewind(n)
	case noteDrop:
		// The deletion did this already; what the ledger was about to write at that moment came behind it.
		w.batch.DropSubscription(n.lane.sub.ID)
	case noteForget:
	}
}

// save writes the progress of the lanes that settled something, and trims their topics now and then.
func (w *worker) save(now time.Time, last bool) {
	w.mu.Lock()
	for t := range w.quiet {
		w.topics[t] = struct{}{}
		w.passed = append(w.passed, t)
	}
	clear(w.quiet)
	w.asked.Store(nil)
	w.mu.Unlock()
	w.pass()
	w.mu.Lock()
	w.dirty, w.saving = w.saving[:0], w.dirty
	w.mu.Unlock()
	w.batch.Reset()
	for _, l := range w.saving {
		l.mu.Lock()
		l.passLocked(l.sub.Topic.Passed()) // it may have caught up since the topic was passed
		l.dirty = false
		l.mu.Unlock()
		w.saveProgress(l)
		w.topics[l.sub.Topic] = struct{}{}
	}
	clear(w.saving)
	if !now.Before(w.keptAt) {
		w.keptAt = now.Add(keptInterval)
		for t := range w.kept {
			w.topics[t] = struct{}{}
		}
	}
	// What is trimmed before its table is written is never written at all; but each trim of a topic costs as much as a
	// few messages.
	committed := w.egress.engine.Committed()
	if last || !now.Before(w.trimAt) || committed-w.trimmed >= max(trimBytes, trimTopicBytes*uint64(len(w.topics))) {
		w.trimAt, w.trimmed = now.Add(trimInterval), committed
		for t := range w.topics {
			w.trim(t, now)
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

// pass moves the lanes that were not offered what does not concern them.
func (w *worker) pass() {
	for _, t := range w.passed {
		for _, s := range t.Subscriptions() {
			s.Receiver().(*lane).pass()
		}
	}
	clear(w.passed)
	w.passed = w.passed[:0]
}

// trim forgets the messages of a topic that every subscription has settled and that its retention does not keep.
// It is in one batch with the progress that says so.
func (w *worker) trim(t *engine.Topic, now time.Time) {
	if t.Deleted() {
		delete(w.kept, t)
		w.batch.DropTopic(t.ID) // once more: a group may have been committed at the moment of the deletion
		return
	}
	// The high-water mark first: a subscription made behind it starts no lower.
	floor := t.Releasable(now)
	for _, s := range t.Subscriptions() {
		floor = min(floor, s.Receiver().(*lane).saved)
	}
	if t.Config().Retention.IsZero() {
		delete(w.kept, t)
	} else {
		w.kept[t] = struct{}{}
	}
	if trimmed := t.Trimmed(); floor > trimmed {
		// Behind a start nobody knows how far the topic was trimmed: a look is cheaper than a deletion of nothing.
		if trimmed > 0 || floor > t.Found() || w.stores(t, floor) {
			w.batch.TrimTopic(t.ID, trimmed, floor)
		}
		t.SetTrimmed(floor)
	}
}

// stores reports whether the store holds a message of the topic up to a sequence.
func (w *worker) stores(t *engine.Topic, last engine.Sequence) bool {
	found := false
	err := w.egress.engine.Store().ReadTopic(t.ID, 0, last, func(engine.Sequence, []byte) bool {
		found = true
		return false
	})
	return found || err != nil
}

// answerRewinds tells those who asked for a rewind what became of it.
func (w *worker) answerRewinds(err error) {
	for i := range w.writing {
		n := &w.writing[i]
		if n.kind != noteRewind {
			continue
		}
		if n.err == nil {
			n.err = err
		}
		n.rewind.done <- n.err
	}
}
