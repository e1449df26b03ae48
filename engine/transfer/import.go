package transfer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"fanfare/engine"
	"fanfare/engine/schedule"
)

// ErrNotEmpty says that the store to import into holds something already.
var ErrNotEmpty = errors.New("transfer: the store is not empty")

// How much is written in one batch.
const (
	batchBytesMax   = 4 << 20
	batchEntriesMax = 4096
)

// Import reads what Export wrote into a store, which must be empty. When it returns everything is durable. The catalog comes in
// the last batch, so that whatever was cut off is never taken for a whole; when something fails, what was written is
// taken back, or the error says that it could not be. The function progress, if there is one, is told now and then.
func Import(store engine.Store, r io.Reader, progress func(Counts)) (Counts, error) {
	if err := requireEmpty(store); err != nil {
		return Counts{}, err
	}
	in, err := newReader(r)
	if err != nil {
		return Counts{}, err
	}
	i := &importer{store: store, in: in, batch: store.NewBatch(), progress: progress, topics: map[engine.TopicID]bool{}, queues: map[engine.TopicID]bool{}, subscriptions: map[engine.SubscriptionID]bool{}}
	if err := i.run(); err != nil {
		err = fmt.Errorf("transfer: import: %w", err)
		if undo := i.undo(); undo != nil {
			err = fmt.Errorf("%w; what was imported before could not be taken back, delete the store: %w", err, undo)
		}
		return in.counts, err
	}
	return in.counts, nil
}

func requireEmpty(store engine.Store) error {
	empty := true
	err := store.ReadCatalog(func(string, []byte) error { empty = false; return nil })
	if err == nil {
		err = store.ReadTimers(timerMin, engine.TimerKeyMax, func(engine.TimerKey) bool { empty = false; return false })
	}
	if err == nil && !empty {
		err = ErrNotEmpty
	}
	return err
}

type entry struct {
	key   string
	value []byte
}

type importer struct {
	store    engine.Store
	in       *reader
	batch    engine.Batch
	size     int
	records  []byte // of the messages in the batch: they must stay unchanged until Apply
	progress func(Counts)

	catalog       []entry
	topics        map[engine.TopicID]bool        // in the catalog; true once their entry was read
	queues        map[engine.TopicID]bool        // likewise
	subscriptions map[engine.SubscriptionID]bool // likewise

	topic      engine.TopicID // the current one, or queue
	queue      bool           // it is one: its messages may have gaps
	part       int            // what of it was read last: 0 messages, 1 marks, 2 states
	next, high engine.Sequence
	state      engine.StateKind      // of the last state
	stated     engine.Sequence       // likewise
	sub        engine.SubscriptionID // the current one
	letter     engine.Sequence       // its last dead letter
	timer      engine.TimerKey       // the last
	mark       engine.Sequence       // the topic's last
	phase      int                   // position of the last entry's kind in the order
}

func (i *importer) run() error {
	for {
		kind, payload, err := i.in.next()
		if err != nil {
			return err
		}
		if kind == kindEnd {
			return i.finish()
		}
		if err := i.entry(kind, payload); err != nil {
			return err
		}
		tell(i.progress, &i.in.counts)
		if i.size >= batchBytesMax || i.batch.Len() >= batchEntriesMax {
			if err := i.flush(false); err != nil {
				return err
			}
		}
	}
}

func malformed(kind byte) error {
	return fmt.Errorf("%w: an entry of the kind %q is not as it must be, or not where it must be", ErrFormat, kind)
}

// phases is the order of the kinds; those of one number alternate.
func phase(kind byte) int {
	switch kind {
	case kindCatalog:
		return 0
	case kindTopic, kindQueue, kindMessage, kindMark, kindState:
		return 1
	case kindProgress, kindDeadLetter:
		return 2
	}
	return 3
}

func (i *importer) entry(kind byte, payload []byte) error {
	ok := phase(kind) >= i.phase
	i.phase = phase(kind)
	i.size += len(payload)
	if ok {
		switch kind {
		case kindCatalog:
			ok = i.catalogEntry(payload)
		case kindTopic:
			ok = i.topicEntry(payload)
		case kindQueue:
			ok = i.queueEntry(payload)
		case kindMessage:
			ok = i.message(payload)
		case kindMark:
			ok = i.markEntry(payload)
		case kindState:
			ok = i.stateEntry(payload)
		case kindProgress:
			ok = i.progressEntry(payload)
		case kindDeadLetter:
			ok = i.deadLetter(payload)
		case kindTimer:
			ok = i.timerEntry(payload)
		}
	}
	if !ok {
		return malformed(kind)
	}
	return nil
}

func (i *importer) catalogEntry(payload []byte) bool {
	if len(payload) < 2 {
		return false
	}
	end := 2 + int(binary.BigEndian.Uint16(payload))
	if end > len(payload) {
		return false
	}
	key := string(payload[2:end])
	if n := len(i.catalog); n > 0 && i.catalog[n-1].key >= key {
		return false
	}
	i.catalog = append(i.catalog, entry{key, append([]byte(nil), payload[end:]...)})
	switch kind, id := catalogID(key); kind {
	case "q":
		i.queues[engine.TopicID(id)] = false
	case "t":
		i.topics[engine.TopicID(id)] = false
		return !i.isQueue(id)
	case "s":
		i.subscriptions[engine.SubscriptionID(id)] = false
		return !i.isQueue(id)
	}
	return true
}

// isQueue reports whether an id is a queue's, which then is no topic's, nor a subscription's.
func (i *importer) isQueue(id uint64) bool {
	_, queue := i.queues[engine.TopicID(id)]
	return queue
}

// whole reports whether the current topic has all its messages; a queue has whatever it has.
func (i *importer) whole() bool { return i.topic == 0 || i.queue || i.next == i.high+1 }

// begin turns to the next topic or queue.
func (i *importer) begin(id engine.TopicID, queue bool, first, high engine.Sequence) {
	i.topic, i.queue, i.next, i.high = id, queue, first, high
	i.part, i.mark, i.state, i.stated = 0, 0, 0, 0
}

func (i *importer) topicEntry(payload []byte) bool {
	n, rest, ok := numbers(payload, 3)
	id, first, high := engine.TopicID(n[0]), engine.Sequence(n[1]), engine.Sequence(n[2])
	seen, known := i.topics[id]
	if !ok || len(rest) > 0 || !known || seen || !i.whole() || id <= i.topic || first == 0 || high+1 == 0 || first > high+1 {
		return false
	}
	i.topics[id] = true
	i.begin(id, false, first, high)
	switch {
	case high == 0:
	case first > high:
		// A store knows how far a topic without messages was from a message that is gone.
		i.batch.AppendMessage(id, high, nil)
		i.batch.TrimTopic(id, high-1, high)
	case first > 1:
		i.batch.TrimTopic(id, first-2, first-1)
	}
	return true
}

func (i *importer) message(payload []byte) bool {
	n, record, ok := numbers(payload, 2)
	seq := engine.Sequence(n[1])
	if !ok || engine.TopicID(n[0]) != i.topic || i.topic == 0 || i.part > 0 || seq < i.next || seq > i.high || seq > i.next && !i.queue {
		return false
	}
	i.next = seq + 1
	from := len(i.records)
	i.records = append(i.records, record...)
	i.batch.AppendMessage(i.topic, seq, i.records[from:])
	return true
}

func (i *importer) markEntry(payload []byte) bool {
	n, rest, ok := numbers(payload, 4)
	m := engine.Mark{Sequence: engine.Sequence(n[1]), At: int64(n[2]), Bytes: n[3]}
	if !ok || len(rest) > 0 || i.topic == 0 || engine.TopicID(n[0]) != i.topic || i.queue || i.part > 1 || !i.whole() || m.Sequence <= i.mark {
		return false
	}
	i.part, i.mark = 1, m.Sequence
	i.batch.PutMark(i.topic, m)
	return true
}

func (i *importer) progressEntry(payload []byte) bool {
	n, progress, ok := numbers(payload, 1)
	id := engine.SubscriptionID(n[0])
	seen, known := i.subscriptions[id]
	if !ok || !known || seen || !i.whole() || id <= i.sub {
		return false
	}
	i.subscriptions[id] = true
	i.sub, i.letter = id, 0
	if len(progress) > 0 {
		i.batch.SaveProgress(id, progress)
	}
	return true
}

func (i *importer) deadLetter(payload []byte) bool {
	n, value, ok := numbers(payload, 2)
	seq := engine.Sequence(n[1])
	if !ok || i.sub == 0 || engine.SubscriptionID(n[0]) != i.sub || seq <= i.letter {
		return false
	}
	i.letter = seq
	i.batch.PutDeadLetter(i.sub, seq, value, nil)
	return true
}

func (i *importer) timerEntry(payload []byte) bool {
	if len(payload) < 16 {
		return false
	}
	k, ok := schedule.ParseKey(payload[:16])
	if !ok || i.in.counts.Timers > 1 && !i.timer.Less(k) || !k.Less(engine.TimerKeyMax) {
		return false
	}
	i.timer = k
	i.batch.PutTimer(k, payload[16:], nil)
	return true
}

// finish writes what is left and the catalog, and waits for all of it.
func (i *importer) finish() error {
	for _, seen := range i.topics {
		if !seen || !i.whole() {
			return malformed(kindTopic)
		}
	}
	for _, seen := range i.queues {
		if !seen {
			return malformed(kindQueue)
		}
	}
	for _, seen := range i.subscriptions {
		if !seen {
			return malformed(kindProgress)
		}
	}
	for _, e := range i.catalog {
		i.batch.PutCatalog(e.key, e.value)
	}
	return i.flush(true)
}

func (i *importer) flush(durable bool) error {
	err := i.batch.Apply(durable)
	if err == nil && durable {
		err = i.batch.Wait()
	}
	if err == nil {
		i.batch.Reset()
	}
	i.size, i.records = 0, i.records[:0]
	return err
}

// undo takes back what was written. The catalog was not.
func (i *importer) undo() error {
	b := i.store.NewBatch()
	for id := range i.topics {
		b.DropTopic(id)
	}
	for id := range i.queues {
		b.DropTopic(id)
		b.DropSubscription(engine.SubscriptionID(id))
	}
	for id := range i.subscriptions {
		b.DropSubscription(id)
	}
	for _, e := range i.catalog {
		b.DeleteCatalog(e.key)
	}
	err := i.store.ReadTimers(timerMin, engine.TimerKeyMax, func(k engine.TimerKey) bool { b.DeleteTimer(k); return true })
	if err == nil {
		err = b.Apply(true)
	}
	if err == nil {
		err = b.Wait()
	}
	return err
}
