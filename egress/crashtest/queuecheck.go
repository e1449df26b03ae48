package crashtest

import (
	"fmt"
	"math"
	"time"

	"fanfare/engine"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// emptied is what was received from the queues of a disk until they were empty.
type emptied struct {
	where    map[int]copyKey // message: where it lay
	receives map[int]int     // message: how often it had been received there
	last     map[lane]engine.Sequence
	life     int // of the temporary queue; -1: it is not there
	temps    []string
	probes   int // messages sent again behind the cut
}

// lane is a group of a queue.
type lane struct {
	place int
	group string
}

// examine starts a world on a disk, empties it and compares what came with what the model allows. The model is one of
// the cut alone, and is changed.
func examine(fs vfs.FS, m *queueModel, shape queueShape, exact bool) (*emptied, []string) {
	w, err := bootQueues(fs, m, shape, nil)
	if err != nil {
		return nil, []string{"start: " + err.Error()}
	}
	e := &emptied{where: map[int]copyKey{}, receives: map[int]int{}, last: map[lane]engine.Sequence{}}
	e.probe(w)
	w.wait(hiddenMax + 2) // the delayed and hidden ones
	e.drain(w)
	e.temp(w)
	e.leftovers(w)
	if err := w.stop(); err != nil {
		m.fault("stop: %v", err)
	}
	e.compare(m, exact)
	return e, m.wrong
}

const probesMax = 20

// probe sends once more what may be a duplicate, the newest first, and one message to each queue.
func (e *emptied) probe(w *queueWorld) {
	l := &queueWorker{queueLoad: &queueLoad{world: w}, rng: newRand(1, 1)}
	seen, last := map[string]bool{}, len(w.model.sends)-1
	for i := last; i >= 0 && len(seen) < probesMax; i-- {
		s := w.model.sends[i]
		if s.key == "" || seen[s.key] {
			continue
		}
		seen[s.key] = true
		again := l.draw(fifo)
		again.group, again.key = s.group, s.key
		e.send(l, again)
	}
	e.send(l, l.draw(jobs))
	e.send(l, l.draw(fifo))
}

func (e *emptied) send(l *queueWorker, s *sendLife) {
	e.probes++
	l.sendAll(s.place, []*sendLife{s}, []*engine.Message{l.record(s)})
}

// passesMax is how often is looked for what is on its way.
const passesMax = 500

func (e *emptied) drain(w *queueWorld) {
	quiet := 0
	for range passesMax {
		n := 0
		for place := range places {
			for more := true; more; {
				got := e.take(w, place)
				n += got
				more = got > 0
			}
		}
		if quiet++; n > 0 || !w.idle() {
			quiet = 0
		}
		if quiet == 2 {
			return
		}
		w.wait(1)
	}
	for place, q := range w.queues {
		w.model.fault("%s does not become empty: %+v", placeNames[place], q.Counts())
	}
}

// idle reports whether nothing is hidden, on the timer, or on its way from there.
func (w *queueWorld) idle() bool {
	timers := 0
	err := w.store.ReadTimers(engine.TimerKey{}, engine.TimerKeyMax, func(engine.TimerKey) bool {
		timers++
		return false
	})
	for _, q := range w.queues {
		if q.Counts() != (engine.QueueCounts{}) || w.records(q) > 0 {
			return false
		}
	}
	return err == nil && timers == 0
}

// records counts what the store has of a queue, be it durable or not.
func (w *queueWorld) records(q *engine.Queue) (n int) {
	err := w.store.ReadTopic(q.Topic().ID, 1, math.MaxUint64, func(engine.Sequence, []byte) bool { n++; return true })
	if err != nil {
		w.model.fault("reading the messages of a queue: %v", err)
	}
	return n
}

// take receives messages and deletes them.
func (e *emptied) take(w *queueWorld, place int) int {
	got, err := w.queues[place].Receive(engine.ReceiveRequest{Max: engine.ReceiveMessagesMax, Visibility: time.Hour}, nil)
	if err != nil {
		w.model.fault("receiving from %s: %v", placeNames[place], err)
	}
	receipts, errs := make([]engine.Receipt, len(got)), make([]error, len(got))
	for i, g := range got {
		receipts[i] = g.Receipt
		e.found(w.model, copyKey{place, g.Receipt.Sequence}, g.Message, g.Receives-1)
		g.Message.Release()
	}
	w.queues[place].Delete(receipts, errs)
	for i, err := range errs {
		if err != nil {
			w.model.fault("deleting sequence %d of %s: %v", receipts[i].Sequence, placeNames[place], err)
		}
	}
	return len(got)
}

func (e *emptied) found(m *queueModel, key copyKey, message *engine.Message, receives int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sendLocked(message.Body())
	if s == nil {
		m.faultLocked("sequence %d of %s is nothing that was sent", key.sequence, placeNames[key.place])
		return
	}
	if other, twice := e.where[s.index]; twice {
		m.faultLocked("%v is there twice: %v and %v", s, other, key)
	}
	e.where[s.index], e.receives[s.index] = key, receives
	c := m.copyLocked(key, s, m.tick())
	for _, d := range c.deletes {
		if d.end != 0 {
			m.faultLocked("%v was deleted and is there again", s)
		}
	}
	if !isFIFO(key.place) {
		return
	}
	group := lane{key.place, s.group}
	if string(message.Get(engine.FieldGroup)) != s.group || e.last[group] >= key.sequence {
		m.faultLocked("%v comes behind sequence %d of its group", s, e.last[group])
	}
	e.last[group] = key.sequence
}

// leftovers looks whether the store holds anything of an empty queue.
func (e *emptied) leftovers(w *queueWorld) {
	for place, q := range w.queues {
		id := q.Topic().ID
		records, states := w.records(q), 0
		err := w.store.ReadStates(id, engine.StateReceived, 0, func(engine.Sequence, []byte) bool { states++; return true })
		if err != nil || records+states > 0 {
			w.model.fault("%s is empty, and the store has %d messages and %d states of it: %v", placeNames[place], records, states, err)
		}
	}
}

// compare is what the model says of each message. Exact: the world came to an orderly end.
func (e *emptied) compare(m *queueModel, exact bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sends {
		if at, there := e.where[s.index]; there {
			e.there(m, s, at, exact)
		} else if s.stored() && !s.gone && !m.excused(s) {
			m.faultLocked("%v was acknowledged and is nowhere", s)
		}
	}
	for i, a := range m.sends {
		for _, b := range m.sends[i+1:] {
			m.orderLocked(a, b)
			e.deadOrder(m, a, b)
			if a.key != "" && a.key == b.key {
				e.together(m, a, b)
			}
		}
	}
	for _, s := range m.sends {
		if s.outcome == accepted && s.duplicate {
			m.originalLocked(s)
		}
	}
}

// there compares a message that was found.
func (e *emptied) there(m *queueModel, s *sendLife, at copyKey, exact bool) {
	movable := m.movable(s)
	switch {
	case s.gone:
		m.faultLocked("%v was nowhere behind a power cut and is there again", s)
	case s.outcome == refused:
		m.faultLocked("%v was refused and is there", s)
	case s.outcome == accepted && s.duplicate:
		m.faultLocked("%v was answered as a duplicate and is there", s)
	case at.place != s.place && (at.place != s.place+1 || isDead(s.place) || !movable):
		m.faultLocked("%v lies in %s", s, placeNames[at.place])
	case at.place == s.place && s.sequence != 0 && s.sequence != at.sequence && !movable:
		m.faultLocked("%v lies at sequence %d", s, at.sequence)
	case m.purged(s) && !movable:
		m.faultLocked("%v was purged and is there", s)
	}
	if c := m.copies[at]; c.send == s {
		n, noted := e.receives[s.index], c.received()
		if n > noted+m.moves+m.failed || exact && n != noted && m.moves == 0 {
			m.faultLocked("%v was received %d times, and %d are stored", s, noted, n)
		}
	}
}

// purged reports whether a purge certainly took the message, if it was where it was sent to.
func (m *queueModel) purged(s *sendLife) bool {
	for _, p := range m.purges {
		if p.end != 0 && p.place == s.place && s.end != 0 && s.end <= p.begin && (s.due == 0 || s.to < p.from && s.due > p.to) {
			return true
		}
	}
	return false
}

// excused reports whether the message may be gone: somebody deleted it, or purged a queue that it may have been in.
func (m *queueModel) excused(s *sendLife) bool {
	for _, c := range m.copies {
		if c.send == s && len(c.deletes) > 0 {
			return true
		}
	}
	for _, p := range m.purges {
		in := p.place == s.place || p.place == s.place+1 && m.movable(s)
		if in && (p.end == 0 || s.begin <= p.end) {
			return true
		}
	}
	return false
}

// orderLocked compares two messages of which one was sent behind the other's answer.
func (m *queueModel) orderLocked(a, b *sendLife) {
	if a.place != b.place || a.sequence == 0 || b.sequence == 0 || a.duplicate || b.duplicate {
		return
	}
	if a.end <= b.begin && a.sequence >= b.sequence || b.end <= a.begin && b.sequence >= a.sequence {
		m.faultLocked("%v and %v were sent one behind the other", a, b)
	}
}

// deadOrder compares two messages of a group that were moved together with their order.
func (e *emptied) deadOrder(m *queueModel, a, b *sendLife) {
	at, ok := e.where[a.index]
	bt, too := e.where[b.index]
	if !ok || !too || a.group != b.group || at.place != fifoDead || bt.place != fifoDead || m.moves > 0 || a.sequence == 0 || b.sequence == 0 {
		return
	}
	if (a.sequence < b.sequence) != (at.sequence < bt.sequence) {
		m.faultLocked("%v and %v lie in %s the other way round", a, b, placeNames[fifoDead])
	}
}

const window = 5 * 60 * 1000 // ms

// together compares two messages of one key: within the window, which a purge begins anew, one of them was stored.
func (e *emptied) together(m *queueModel, a, b *sendLife) {
	near := a.to-b.from < window && b.to-a.from < window && a.to != 0 && b.to != 0 && m.forgot[a.place] < min(a.from, b.from)
	if near && e.stored(a) && e.stored(b) {
		m.faultLocked("%v and %v are duplicates, and both were taken", a, b)
	}
}

func (e *emptied) stored(s *sendLife) bool {
	_, there := e.where[s.index]
	return there || s.stored()
}

// originalLocked looks for the message that one was said to be a duplicate of.
func (m *queueModel) originalLocked(s *sendLife) {
	for _, o := range m.sends {
		if o.key != s.key || o.place != s.place || o.id != s.answered || o == s {
			continue
		}
		if o.begin < s.end && s.from-o.to < window && (o.sequence == 0 || o.sequence == s.sequence) {
			return
		}
		m.faultLocked("%v was answered as a duplicate of %v", s, o)
		return
	}
	m.faultLocked("%v was answered as a duplicate of nothing that was sent", s)
}

func (k copyKey) String() string { return fmt.Sprintf("%s/%d", placeNames[k.place], k.sequence) }
