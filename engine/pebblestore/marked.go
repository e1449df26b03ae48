package pebblestore

import (
	"encoding/binary"
	"math"
	"sync"

	"fanfare/engine"
)

// marked is the topics that may have something in the store that few have, such as marks, or states: a look into the
// store costs more than a message.
type marked struct {
	mu     sync.Mutex
	topics map[engine.TopicID]struct{} // guarded by mu
	all    bool                        // guarded by mu: which ones could not be found out
}

func (k *marked) add(topic engine.TopicID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.topics == nil {
		k.topics = map[engine.TopicID]struct{}{}
	}
	k.topics[topic] = struct{}{}
}

func (k *marked) has(topic engine.TopicID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.topics[topic]
	return ok || k.all
}

// loadMarked finds the topics that have something under a prefix, with one look for each.
func (s *Store) loadMarked(k *marked, prefix byte) {
	next := []byte{prefix}
	for next != nil {
		from := next
		next = nil
		err := s.scan(from, []byte{prefix + 1}, func(key, _ []byte) (bool, error) {
			if len(key) < keySizeMax {
				return false, engine.ErrRecordDamaged
			}
			topic := binary.BigEndian.Uint64(key[1:])
			k.add(engine.TopicID(topic))
			if topic < math.MaxUint64 {
				next = appendKey1(nil, prefix, topic+1)
			}
			return false, nil
		})
		if err != nil {
			k.mu.Lock()
			k.all = true
			k.mu.Unlock()
			return
		}
	}
}
