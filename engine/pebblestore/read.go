package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"fanfare/engine"
	"fanfare/engine/schedule"

	"github.com/cockroachdb/pebble/v2"
)

// scan calls fn with the keys from first to end, which is excluded, until fn returns false.
func (s *Store) scan(first, end []byte, fn func(key, value []byte) (bool, error)) error {
	if !s.users.enter() {
		return errClosed
	}
	defer s.users.leave()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: end})
	if err != nil {
		return fmt.Errorf("pebblestore: read: %w", err)
	}
	for valid := it.First(); valid; valid = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(fmt.Errorf("pebblestore: read: %w", err), it.Close())
		}
		more, err := fn(it.Key(), value)
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !more {
			break
		}
	}
	if err := it.Close(); err != nil {
		return fmt.Errorf("pebblestore: read: %w", err)
	}
	return nil
}

// get appends the value of a key to dst.
func (s *Store) get(key, dst []byte) (value []byte, ok bool, err error) {
	if !s.users.enter() {
		return dst, false, errClosed
	}
	defer s.users.leave()
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, fmt.Errorf("pebblestore: read: %w", err)
	}
	dst = append(dst, v...)
	return dst, true, closer.Close()
}

// ReadTopic calls fn with the records of a topic from sequence first to last.
func (s *Store) ReadTopic(topic engine.TopicID, first, last engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	end := uint64(last) + 1
	if last == math.MaxUint64 {
		end = math.MaxUint64
	}
	return s.scan(messageKey(topic, first), appendKey2(nil, prefixMessage, uint64(topic), end),
		func(key, value []byte) (bool, error) {
			return fn(engine.Sequence(lastNumber(key)), value), nil
		})
}

// HighWater returns the highest sequence the topic ever had.
func (s *Store) HighWater(topic engine.TopicID) (engine.Sequence, error) {
	if !s.users.enter() {
		return 0, errClosed
	}
	defer s.users.leave()
	var high engine.Sequence
	value, ok, err := s.get(appendKey1(nil, prefixHighWater, uint64(topic)), nil)
	if err != nil {
		return 0, err
	}
	if ok && len(value) == 8 {
		high = engine.Sequence(binary.BigEndian.Uint64(value))
	}
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: messageKey(topic, high+1),
		UpperBound: messageKey(topic, math.MaxUint64),
	})
	if err != nil {
		return 0, fmt.Errorf("pebblestore: read: %w", err)
	}
	if it.Last() {
		high = engine.Sequence(lastNumber(it.Key()))
	}
	if err := it.Close(); err != nil {
		return 0, fmt.Errorf("pebblestore: read: %w", err)
	}
	return high, nil
}

// ReadProgress returns what SaveProgress wrote last.
func (s *Store) ReadProgress(sub engine.SubscriptionID) ([]byte, error) {
	value, _, err := s.get(appendKey1(nil, prefixProgress, uint64(sub)), nil)
	return value, err
}

// ReadTimers calls fn with the timer's keys from first to last, which is excluded.
func (s *Store) ReadTimers(first, last engine.TimerKey, fn func(engine.TimerKey) bool) error {
	return s.scan(appendTimerKey(nil, first), appendTimerKey(nil, last), func(key, _ []byte) (bool, error) {
		k, ok := schedule.ParseKey(key[1:])
		if !ok {
			return false, fmt.Errorf("pebblestore: timer key %x: %w", key, engine.ErrRecordDamaged)
		}
		return fn(k), nil
	})
}

// ReadTimer appends the value of a timer entry to dst.
func (s *Store) ReadTimer(k engine.TimerKey, dst []byte) (value []byte, ok bool, err error) {
	return s.get(appendTimerKey(nil, k), dst)
}

// ReadDeadLetters calls fn with a subscription's dead letters behind a sequence.
func (s *Store) ReadDeadLetters(sub engine.SubscriptionID, after engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	if after == math.MaxUint64 {
		return nil
	}
	return s.scan(appendKey2(nil, prefixDeadLetter, uint64(sub), uint64(after)+1), appendKey2(nil, prefixDeadLetter, uint64(sub), math.MaxUint64),
		func(key, value []byte) (bool, error) {
			return fn(engine.Sequence(lastNumber(key)), value), nil
		})
}

// ReadStates calls fn with the states of a kind from a sequence on.
func (s *Store) ReadStates(topic engine.TopicID, kind engine.StateKind, first engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	return s.scan(appendStateKey(nil, topic, kind, uint64(first)), appendStateKey(nil, topic, kind+1, 0),
		func(key, value []byte) (bool, error) {
			return fn(engine.Sequence(lastNumber(key)), value), nil
		})
}

// ReadMarks calls fn with the marks of a topic.
func (s *Store) ReadMarks(topic engine.TopicID, fn func(engine.Mark)) error {
	return s.scan(appendKey2(nil, prefixMark, uint64(topic), 0), appendKey2(nil, prefixMark, uint64(topic), math.MaxUint64),
		func(key, value []byte) (bool, error) {
			if len(value) != 16 {
				return false, fmt.Errorf("pebblestore: mark %x: %w", key, engine.ErrRecordDamaged)
			}
			fn(engine.Mark{
				Sequence: engine.Sequence(lastNumber(key)),
				At:       int64(binary.BigEndian.Uint64(value)), Bytes: binary.BigEndian.Uint64(value[8:]),
			})
			return true, nil
		})
}

// ReadCatalog calls fn with every entry of the catalog.
func (s *Store) ReadCatalog(fn func(key string, value []byte) error) error {
	return s.scan([]byte{prefixCatalog}, []byte{prefixCatalog + 1}, func(key, value []byte) (bool, error) {
		return true, fn(string(key[1:]), value)
	})
}
