package crashtest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"fanfare/engine"
)

// This file is the only one that knows how the engine and the egress keep their state in a store.

// The kinds of timer entries, and the size of what stands before the record; see engine/timers.go.
const (
	timerPublish  = 1
	timerDeliver  = 2
	timerHeld     = 3
	timerHeadSize = 25
)

// state is what a store holds, with messages, topics and subscriptions by the numbers of their lives.
type state struct {
	topics map[int]*storedTopic
	subs   map[int]*storedSub

	parked  map[pair]int // retries on the timer
	waiting map[int]int  // messages that are due later
	held    map[int]engine.TimerKey
	strays  []string // what the history knows nothing of
}

type storedTopic struct {
	id   engine.TopicID
	name string
	high engine.Sequence
	log  []stored // in the order of the sequences
}

type stored struct {
	seq     engine.Sequence
	message int
}

type storedSub struct {
	id       engine.SubscriptionID
	topic    engine.TopicID
	name     string
	revision int
	tag      string
	progress engine.Progress
	dead     map[int]deadLetter
}

type deadLetter struct {
	seq engine.Sequence
	engine.DeadLetter
}

// pair is one subscription and one message.
type pair struct{ sub, message int }

// inspect reads all of a store.
func inspect(store engine.Store, h *history) (*state, error) {
	s := &state{
		topics: map[int]*storedTopic{}, subs: map[int]*storedSub{},
		parked: map[pair]int{}, waiting: map[int]int{}, held: map[int]engine.TimerKey{},
	}
	if err := s.readCatalog(store); err != nil {
		return nil, err
	}
	for _, t := range s.topics {
		if err := s.readTopic(store, h, t); err != nil {
			return nil, err
		}
	}
	for index, sub := range s.subs {
		if err := s.readSub(store, h, index, sub); err != nil {
			return nil, err
		}
	}
	return s, s.readTimers(store, h)
}

func (s *state) stray(format string, args ...any) {
	s.strays = append(s.strays, fmt.Sprintf(format, args...))
}

func (s *state) readCatalog(store engine.Store) error {
	return store.ReadCatalog(func(key string, value []byte) error {
		kind, number, _ := strings.Cut(key, "/")
		id, err := strconv.ParseUint(number, 10, 64)
		switch {
		case err != nil: // the last id given
		case kind == "t":
			var config engine.TopicConfig
			if err := json.Unmarshal(value, &config); err != nil {
				return err
			}
			life, err := strconv.Atoi(config.Labels[lifeLabel])
			if err != nil || s.topics[life] != nil {
				s.stray("topic %q has no life of its own", config.Name)
			}
			s.topics[life] = &storedTopic{id: engine.TopicID(id), name: config.Name}
		case kind == "s":
			var entry struct {
				Topic  engine.TopicID            `json:"topic"`
				Config engine.SubscriptionConfig `json:"config"`
			}
			if err := json.Unmarshal(value, &entry); err != nil {
				return err
			}
			life, ok := lifeOf(entry.Config.Endpoint)
			revision, err := strconv.Atoi(entry.Config.Labels[revisionLabel])
			if !ok || err != nil || s.subs[life] != nil {
				s.stray("subscription %q has no life of its own", entry.Config.Name)
			}
			s.subs[life] = &storedSub{
				id: engine.SubscriptionID(id), topic: entry.Topic, name: entry.Config.Name,
				revision: revision, tag: tagOf(&entry.Config), dead: map[int]deadLetter{},
			}
		}
		return nil //nolint:nilerr // the key "id" has no number, and is of no interest here
	})
}

// recognise finds the life of a record and compares it with what was published; -1 for a stranger.
func (s *state) recognise(h *history, record []byte, where string) (int, engine.Sequence) {
	m, err := engine.DecodeMessage(record)
	if err != nil {
		s.stray("%s: %v", where, err)
		return -1, 0
	}
	defer m.Release()
	number, _, _ := bytes.Cut(m.Body(), []byte(" "))
	index, err := strconv.Atoi(string(number))
	life := h.message(index)
	if err != nil || life == nil || m.ID() != life.id || !bytes.Equal(m.Body(), life.body()) ||
		string(m.Tag()) != life.tag || m.DeliverAt() != life.deliverAt || m.ExpiresAt() != life.expiresAt {
		s.stray("%s: a message that nobody published: %.20q", where, m.Body())
		return -1, 0
	}
	return index, m.Sequence()
}

func (s *state) readTopic(store engine.Store, h *history, t *storedTopic) (err error) {
	if t.high, err = store.HighWater(t.id); err != nil {
		return err
	}
	return store.ReadTopic(t.id, 1, math.MaxUint64, func(seq engine.Sequence, record []byte) bool {
		index, inside := s.recognise(h, record, fmt.Sprintf("topic %s, sequence %d", t.name, seq))
		if index >= 0 && inside != seq {
			s.stray("topic %s: the record at sequence %d says %d", t.name, seq, inside)
		}
		t.log = append(t.log, stored{seq, index})
		return true
	})
}

func (s *state) readSub(store engine.Store, h *history, index int, sub *storedSub) error {
	value, err := store.ReadProgress(sub.id)
	if err != nil {
		return err
	}
	var ok bool
	if sub.progress, ok = engine.ParseProgress(value); !ok {
		s.stray("subscription %d (life %d) has no progress", sub.id, index)
	}
	return store.ReadDeadLetters(sub.id, 0, func(seq engine.Sequence, value []byte) bool {
		letter, m, err := engine.ParseDeadLetter(seq, value)
		if err != nil {
			s.stray("dead letter %d of subscription life %d: %v", seq, index, err)
			return true
		}
		defer m.Release()
		life, inside := s.recognise(h, m.Record(), fmt.Sprintf("dead letter %d of subscription life %d", seq, index))
		if life < 0 {
			return true
		}
		if inside != seq {
			s.stray("dead letter %d of subscription life %d holds sequence %d", seq, index, inside)
		}
		if _, twice := sub.dead[life]; twice {
			s.stray("message %d is twice in the dead letters of subscription life %d", life, index)
		}
		sub.dead[life] = deadLetter{seq, letter}
		return true
	})
}

func (s *state) readTimers(store engine.Store, h *history) error {
	var keys []engine.TimerKey
	err := store.ReadTimers(engine.TimerKey{}, engine.TimerKeyMax, func(k engine.TimerKey) bool {
		keys = append(keys, k)
		return true
	})
	if err != nil {
		return err
	}
	topics := map[engine.TopicID]int{}
	for life, t := range s.topics {
		topics[t.id] = life
	}
	subs := map[engine.SubscriptionID]int{}
	for life, sub := range s.subs {
		subs[sub.id] = life
	}
	for _, k := range keys {
		value, ok, err := store.ReadTimer(k, nil)
		if err != nil {
			return err
		}
		if !ok {
			continue // a store that is at work
		}
		if len(value) < timerHeadSize {
			s.stray("timer entry %v is damaged", k)
			continue
		}
		index, seq := s.recognise(h, value[timerHeadSize:], fmt.Sprintf("timer entry %v", k))
		if index < 0 {
			continue
		}
		s.addTimer(k, value[0], binary.BigEndian.Uint64(value[1:]), index, seq, topics, subs, h)
	}
	return nil
}

func (s *state) addTimer(k engine.TimerKey, kind byte, id uint64, index int, seq engine.Sequence,
	topics map[engine.TopicID]int, subs map[engine.SubscriptionID]int, h *history,
) {
	switch kind {
	case timerDeliver:
		if life, ok := subs[engine.SubscriptionID(id)]; ok { // else its subscription is gone: nobody's
			s.parked[pair{life, index}]++
			if seq == 0 {
				s.stray("a retry of message %d has no sequence", index)
			}
		}
		return
	case timerPublish:
		s.waiting[index]++
	case timerHeld:
		if _, twice := s.held[index]; twice {
			s.stray("message %d is held twice", index)
		}
		s.held[index] = k
	default:
		s.stray("timer entry %v is of kind %d", k, kind)
		return
	}
	if life, ok := topics[engine.TopicID(id)]; ok && h.message(index).topic.index != life {
		s.stray("message %d waits for topic life %d", index, life)
	}
	if seq != 0 {
		s.stray("message %d waits and has sequence %d", index, seq)
	}
}
