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

// state is what lies beside one message.
type state struct {
	sequence engine.Sequence
	value    []byte
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
		all[at].value = value
		return
	}
	s[key] = slices.Insert(all, at, state{seq, value})
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
	for _, state := range all {
		if !fn(state.sequence, state.value) {
			break
		}
	}
	return nil
}
