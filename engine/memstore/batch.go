package memstore

import (
	"slices"

	"fanfare/engine"
)

// write is one write of a batch.
type write struct {
	kind     writeKind
	topic    engine.TopicID
	sub      engine.SubscriptionID
	sequence engine.Sequence
	key      engine.TimerKey
	name     string
	mark     engine.Mark
	state    engine.StateKind
	after    engine.Sequence
	value    []byte // of appendMessage, the caller's; of putState, the batch's; else the store's from here on
}

type writeKind uint8

const (
	appendMessage writeKind = iota
	trimTopic
	deleteMessage
	putState
	trimStates
	dropTopic
	saveProgress
	dropSubscription
	putTimer
	deleteTimer
	putDeadLetter
	deleteDeadLetter
	putMark
	putCatalog
	deleteCatalog
)

// batch is an engine.Batch.
type batch struct {
	store  *Store
	writes []write
	states []byte // the values of states
}

// NewBatch returns an empty batch.
func (s *Store) NewBatch() engine.Batch { return &batch{store: s} }

func (b *batch) add(w write) { b.writes = append(b.writes, w) }

func (b *batch) AppendMessage(topic engine.TopicID, s engine.Sequence, record []byte) {
	b.add(write{kind: appendMessage, topic: topic, sequence: s, value: record})
}

func (b *batch) TrimTopic(topic engine.TopicID, _, through engine.Sequence) {
	b.add(write{kind: trimTopic, topic: topic, sequence: through})
}

func (b *batch) DeleteMessage(topic engine.TopicID, s engine.Sequence) {
	b.add(write{kind: deleteMessage, topic: topic, sequence: s})
}

func (b *batch) PutState(topic engine.TopicID, kind engine.StateKind, s engine.Sequence, value []byte) {
	start := len(b.states)
	b.states = append(b.states, value...)
	b.add(write{kind: putState, topic: topic, state: kind, sequence: s, value: b.states[start:]})
}

func (b *batch) DeleteState(topic engine.TopicID, kind engine.StateKind, s engine.Sequence) {
	b.TrimStates(topic, kind, s-1, s)
}

func (b *batch) TrimStates(topic engine.TopicID, kind engine.StateKind, after, through engine.Sequence) {
	b.add(write{kind: trimStates, topic: topic, state: kind, after: after, sequence: through})
}

func (b *batch) DropTopic(topic engine.TopicID) { b.add(write{kind: dropTopic, topic: topic}) }

func (b *batch) SaveProgress(sub engine.SubscriptionID, progress []byte) {
	b.add(write{kind: saveProgress, sub: sub, value: slices.Clone(progress)})
}

func (b *batch) DropSubscription(sub engine.SubscriptionID) {
	b.add(write{kind: dropSubscription, sub: sub})
}

func (b *batch) PutTimer(k engine.TimerKey, head, record []byte) {
	b.add(write{kind: putTimer, key: k, value: slices.Concat(head, record)})
}

func (b *batch) DeleteTimer(k engine.TimerKey) { b.add(write{kind: deleteTimer, key: k}) }

func (b *batch) PutDeadLetter(sub engine.SubscriptionID, s engine.Sequence, head, record []byte) {
	b.add(write{kind: putDeadLetter, sub: sub, sequence: s, value: slices.Concat(head, record)})
}

func (b *batch) DeleteDeadLetter(sub engine.SubscriptionID, s engine.Sequence) {
	b.add(write{kind: deleteDeadLetter, sub: sub, sequence: s})
}

func (b *batch) PutMark(topic engine.TopicID, m engine.Mark) {
	b.add(write{kind: putMark, topic: topic, mark: m})
}

func (b *batch) PutCatalog(key string, value []byte) {
	b.add(write{kind: putCatalog, name: key, value: slices.Clone(value)})
}

func (b *batch) DeleteCatalog(key string) { b.add(write{kind: deleteCatalog, name: key}) }

func (b *batch) Len() int { return len(b.writes) }

func (b *batch) Apply(bool) error {
	s := b.store
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.writes {
		s.apply(&b.writes[i])
	}
	s.full.Store(s.bytes > s.opts.BytesMax)
	return nil
}

func (s *Store) apply(w *write) {
	switch w.kind {
	case appendMessage:
		s.append(w.topic, w.sequence, w.value)
	case trimTopic:
		s.trim(w.topic, w.sequence)
		if marks := s.marks[w.topic]; len(marks) > 0 {
			s.marks[w.topic] = slices.DeleteFunc(marks, func(m engine.Mark) bool { return m.Sequence <= w.sequence })
		}
	case deleteMessage:
		s.remove(w.topic, w.sequence)
	case putState:
		s.states.put(stateKey{w.topic, w.state}, w.sequence, w.value)
	case trimStates:
		s.states.trim(stateKey{w.topic, w.state}, w.after, w.sequence)
	case dropTopic:
		s.states.drop(w.topic)
		if l := s.logs[w.topic]; l != nil {
			s.trim(w.topic, l.high)
			delete(s.logs, w.topic)
		}
		delete(s.marks, w.topic)
	case saveProgress:
		s.progress[w.sub] = w.value
	case dropSubscription:
		delete(s.progress, w.sub)
		delete(s.dead, w.sub)
	case putTimer:
		if at, found := slices.BinarySearchFunc(s.due, w.key, compareKeys); !found {
			s.due = slices.Insert(s.due, at, w.key)
		}
		s.timers[w.key] = w.value
	case deleteTimer:
		if at, found := slices.BinarySearchFunc(s.due, w.key, compareKeys); found {
			s.due = slices.Delete(s.due, at, at+1)
		}
		delete(s.timers, w.key)
	case putDeadLetter:
		if s.dead[w.sub] == nil {
			s.dead[w.sub] = map[engine.Sequence][]byte{}
		}
		s.dead[w.sub][w.sequence] = w.value
	case deleteDeadLetter:
		delete(s.dead[w.sub], w.sequence)
	case putMark:
		s.marks[w.topic] = append(s.marks[w.topic], w.mark)
	case putCatalog:
		s.catalog[w.name] = w.value
	case deleteCatalog:
		delete(s.catalog, w.name)
	}
}

func (b *batch) Wait() error { return nil }

func (b *batch) Reset() {
	clear(b.writes)
	b.writes, b.states = b.writes[:0], b.states[:0]
}
