package memstore

import (
	"cmp"
	"slices"

	"fanfare/engine"
)

type stateKey struct {
	topic engine.TopicID
	kind  engine.StateKind
}

// state is what lies beside one message. The values are small: those that are stored are parts of a list then, and cost no
// memory of their own.
type state struct {
	sequence engine.Sequence
	small    [smallState]byte
	size     int    // of the value in small
	large    []byte // the value, if it is not in small
}

const smallState = 48

func newState(seq engine.Sequence, value []byte) state {
	s := state{sequence: seq}
	if len(value) > smallState {
		s.large = slices.Clone(value)
	} else {
		s.size = copy(s.small[:], value)
	}
	return s
}

func (s *state) value() []byte {
	if s.large != nil {
		return s.large
	}
	return s.small[:s.size]
}

// states holds them, in the order of the sequences.
type states map[stateKey][]state

func find(all []state, seq engine.Sequence) (at int, found bool) {
	return slices.BinarySearchFunc(all, seq, func(s state, seq engine.Sequence) int { return cmp.Compare(s.sequence, seq) })
}

func (s states) put(key stateKey, seq engine.Sequence, value []byte) {
	all := s[key]
	at, found := find(all, seq)
	if found {
		all[at] = newState(seq, value)
		return
	}
	s[key] = slices.Insert(all, at, newState(seq, value))
}

// trim forgets those behind one sequence up to another.
func (s states) trim(key stateKey, after, through engine.Sequence) {
	all := s[key]
	from, _ := find(all, after+1)
	to, found := find(all, through)
	if found {
		to++
	}
	if to <= from {
		return
	}
	if all = slices.Delete(all, from, to); len(all) == 0 {
		delete(s, key)
		return
	}
	s[key] = all
}

func (s states) drop(topic engine.TopicID) {
	for key := range s {
		if key.topic == topic {
			delete(s, key)
		}
	}
}

// ReadStates calls fn with the states of a kind from a sequence on.
func (s *Store) ReadStates(topic engine.TopicID, kind engine.StateKind, first engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	s.mu.Lock()
	all := s.states[stateKey{topic, kind}]
	from, _ := find(all, first)
	all = slices.Clone(all[from:])
	s.mu.Unlock()
	for i := range all {
		if !fn(all[i].sequence, all[i].value()) {
			break
		}
	}
	return nil
}
