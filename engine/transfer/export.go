package transfer

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"fanfare/engine"
)

// ErrIncomplete says that a store does not hold what it should: see what is damaged before it is moved.
var ErrIncomplete = errors.New("transfer: messages of the store are missing")

// Export writes everything a store holds to w. The function progress, if there is one, is told now and then.
func Export(store engine.Store, w io.Writer, progress func(Counts)) (Counts, error) {
	out, err := newWriter(w)
	if err != nil {
		return Counts{}, err
	}
	e := &export{store: store, out: out, progress: progress}
	if err := e.run(); err != nil {
		return out.counts, fmt.Errorf("transfer: export: %w", err)
	}
	return out.counts, nil
}

type export struct {
	store    engine.Store
	out      *writer
	progress func(Counts)
	err      error // of writing, inside a read of the store
}

func (e *export) run() error {
	logs, subscriptions, err := e.catalog()
	if err != nil {
		return err
	}
	for _, l := range logs {
		write := e.topic
		if l.queue {
			write = e.queue
		}
		if err := write(l.id); err != nil {
			return err
		}
		if err := e.states(l.id); err != nil {
			return err
		}
	}
	for _, id := range subscriptions {
		if err := e.subscription(engine.SubscriptionID(id)); err != nil {
			return err
		}
	}
	if err := e.timers(); err != nil {
		return err
	}
	return e.out.finish()
}

// put writes an entry and reports whether the read of the store is to go on.
func (e *export) put(kind byte, rest []byte) bool {
	if e.err == nil {
		e.err = e.out.end(kind, rest)
	}
	tell(e.progress, &e.out.counts)
	return e.err == nil
}

// tell tells of progress once in a thousand messages or so.
func tell(progress func(Counts), c *Counts) {
	if progress != nil && (c.Messages+c.Timers+c.DeadLetters+c.Catalog)%1024 == 0 {
		progress(*c)
	}
}

func (e *export) read(err error) error { return errors.Join(err, e.err) }

// aLog is a topic or a queue.
type aLog struct {
	id    engine.TopicID
	queue bool
}

// catalog writes the catalog and returns the topics and queues, and the subscriptions, by id.
func (e *export) catalog() (logs []aLog, subscriptions []uint64, err error) {
	err = e.store.ReadCatalog(func(key string, value []byte) error {
		if len(key) > math.MaxUint16 {
			return fmt.Errorf("a key of the catalog has %d bytes", len(key))
		}
		e.out.payload = binary.BigEndian.AppendUint16(e.out.payload[:0], uint16(len(key)))
		e.out.payload = append(e.out.payload, key...)
		e.put(kindCatalog, value)
		switch kind, id := catalogID(key); kind {
		case "t", "q":
			logs = append(logs, aLog{engine.TopicID(id), kind == "q"})
		case "s":
			subscriptions = append(subscriptions, id)
		}
		return e.err
	})
	slices.SortFunc(logs, func(a, b aLog) int { return cmp.Compare(a.id, b.id) })
	slices.Sort(subscriptions)
	return logs, subscriptions, err
}

// catalogID tells what a catalog entry is of: "t" a topic, "q" a queue, "s" a subscription, "" neither.
func catalogID(key string) (kind string, id uint64) {
	kind, number, _ := strings.Cut(key, "/")
	id, err := strconv.ParseUint(number, 10, 64)
	if err != nil || kind != "t" && kind != "q" && kind != "s" || id == 0 || number != strconv.FormatUint(id, 10) {
		return "", 0
	}
	return kind, id
}

func (e *export) topic(id engine.TopicID) error {
	high, err := e.store.HighWater(id)
	if err != nil {
		return err
	}
	first := high + 1
	err = e.store.ReadTopic(id, 0, high, func(seq engine.Sequence, _ []byte) bool {
		first = seq
		return false
	})
	if err != nil {
		return err
	}
	e.out.begin(uint64(id), uint64(first), uint64(high))
	e.put(kindTopic, nil)
	next := first
	err = e.store.ReadTopic(id, first, high, func(seq engine.Sequence, record []byte) bool {
		if seq != next {
			return false
		}
		next++
		e.out.begin(uint64(id), uint64(seq))
		return e.put(kindMessage, record)
	})
	if err = e.read(err); err != nil {
		return err
	}
	if next != high+1 {
		return fmt.Errorf("%w: message %d of topic %d is not there", ErrIncomplete, next, id)
	}
	return e.read(e.store.ReadMarks(id, func(m engine.Mark) {
		e.out.begin(uint64(id), uint64(m.Sequence), uint64(m.At), m.Bytes)
		e.put(kindMark, nil)
	}))
}

func (e *export) subscription(id engine.SubscriptionID) error {
	progress, err := e.store.ReadProgress(id)
	if err != nil {
		return err
	}
	e.out.begin(uint64(id))
	e.put(kindProgress, progress)
	return e.read(e.store.ReadDeadLetters(id, 0, func(seq engine.Sequence, value []byte) bool {
		e.out.begin(uint64(id), uint64(seq))
		return e.put(kindDeadLetter, value)
	}))
}

// timerMin sorts before every other key.
var timerMin = engine.TimerKey{Due: math.MinInt64}

func (e *export) timers() error {
	var value []byte
	return e.read(e.store.ReadTimers(timerMin, engine.TimerKeyMax, func(k engine.TimerKey) bool {
		v, ok, err := e.store.ReadTimer(k, value[:0])
		if value = v; err != nil || !ok {
			e.err = err
			return err == nil // one that is gone is none
		}
		e.out.payload = k.AppendBytes(e.out.payload[:0])
		return e.put(kindTimer, v)
	}))
}
