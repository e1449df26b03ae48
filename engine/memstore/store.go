package memstore

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"fanfare/engine"
)

// Options of a Store. The zero value works.
type Options struct {
	BytesMax int64 // of messages; default 1 GiB
}

// Store is an engine.Store in memory. Use New.
type Store struct {
	opts Options
	full atomic.Bool

	mu       sync.Mutex
	logs     map[engine.TopicID]*log
	current  *chunk
	free     []*chunk
	bytes    int64
	progress map[engine.SubscriptionID][]byte
	timers   map[engine.TimerKey][]byte
	due      []engine.TimerKey // the keys of timers, sorted
	dead     map[engine.SubscriptionID]map[engine.Sequence][]byte
	marks    map[engine.TopicID][]engine.Mark
	states   states
	catalog  map[string][]byte
}

// New returns an empty store.
func New(opts Options) *Store {
	if opts.BytesMax == 0 {
		opts.BytesMax = 1 << 30
	}
	return &Store{
		opts:     opts,
		logs:     map[engine.TopicID]*log{},
		progress: map[engine.SubscriptionID][]byte{},
		timers:   map[engine.TimerKey][]byte{},
		dead:     map[engine.SubscriptionID]map[engine.Sequence][]byte{},
		marks:    map[engine.TopicID][]engine.Mark{},
		states:   states{},
		catalog:  map[string][]byte{},
	}
}

// Full returns an error while the bound is reached: publishes are to be refused until something was trimmed.
func (s *Store) Full() error {
	if s.full.Load() {
		return errFull
	}
	return nil
}

var errFull = errors.New("memstore: as much is stored as may be")

// ReadMarks calls fn with the marks of a topic.
func (s *Store) ReadMarks(topic engine.TopicID, fn func(engine.Mark)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.marks[topic] {
		fn(m)
	}
	return nil
}

// ReadTopic calls fn with the records of a topic from sequence first to last.
func (s *Store) ReadTopic(topic engine.TopicID, first, last engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	var buf []byte
	for seq := first; seq <= last; seq++ {
		s.mu.Lock()
		l := s.logs[topic]
		i := 0
		if l != nil {
			i = l.find(seq)
		}
		if l == nil || i == l.len || l.at(i).sequence > last {
			s.mu.Unlock()
			return nil
		}
		e := l.at(i)
		seq = e.sequence
		if e.chunk == nil { // it was deleted
			s.mu.Unlock()
			continue
		}
		buf = append(buf[:0], e.chunk.buf[e.from:e.to]...)
		s.mu.Unlock()
		if !fn(seq, buf) {
			return nil
		}
	}
	return nil
}

// HighWater returns the highest sequence the topic ever had.
func (s *Store) HighWater(topic engine.TopicID) (engine.Sequence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.logs[topic]; l != nil {
		return l.high, nil
	}
	return 0, nil
}

// ReadProgress returns what SaveProgress wrote last.
func (s *Store) ReadProgress(sub engine.SubscriptionID) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.progress[sub]), nil
}

// ReadTimers calls fn with the timer's keys from first to last, which is excluded.
func (s *Store) ReadTimers(first, last engine.TimerKey, fn func(engine.TimerKey) bool) error {
	s.mu.Lock()
	from, _ := slices.BinarySearchFunc(s.due, first, compareKeys)
	to, _ := slices.BinarySearchFunc(s.due, last, compareKeys)
	keys := slices.Clone(s.due[from:max(from, to)])
	s.mu.Unlock()
	for _, k := range keys {
		if !fn(k) {
			break
		}
	}
	return nil
}

func compareKeys(a, b engine.TimerKey) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}

// ReadTimer appends the value of a timer entry to dst.
func (s *Store) ReadTimer(k engine.TimerKey, dst []byte) (value []byte, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.timers[k]
	return append(dst, v...), ok, nil
}

// ReadDeadLetters calls fn with a subscription's dead letters behind a sequence.
func (s *Store) ReadDeadLetters(sub engine.SubscriptionID, after engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	s.mu.Lock()
	letters := maps.Clone(s.dead[sub])
	s.mu.Unlock()
	for _, seq := range slices.Sorted(maps.Keys(letters)) {
		if seq > after && !fn(seq, letters[seq]) {
			break
		}
	}
	return nil
}

// ReadCatalog calls fn with every entry of the catalog.
func (s *Store) ReadCatalog(fn func(key string, value []byte) error) error {
	s.mu.Lock()
	catalog := maps.Clone(s.catalog)
	s.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(catalog)) {
		if err := fn(key, catalog[key]); err != nil {
			return err
		}
	}
	return nil
}

// Err is nil: memory does not fail.
func (s *Store) Err() error { return nil }

// Close does nothing.
func (s *Store) Close() error { return nil }
