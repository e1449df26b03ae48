package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"fanfare/engine"

	"github.com/cockroachdb/pebble/v2"
)

// batchBytesKept is how much memory a batch keeps from one use to the next.
const batchBytesKept = 8 << 20

// batch is an engine.Batch. Writes go straight into Pebble's representation, without a copy in between.
type batch struct {
	store *Store
	b     *pebble.Batch
	err   error // of collecting
	syncs bool  // Wait has to wait for the disk
}

// NewBatch returns an empty batch.
func (s *Store) NewBatch() engine.Batch {
	return &batch{store: s, b: s.db.NewBatch(pebble.WithMaxRetainedSizeBytes(batchBytesKept))}
}

// set writes a key of fixed size with a value in two parts.
func (b *batch) set(prefix byte, k1, k2 uint64, keySize int, head, tail []byte) {
	op := b.b.SetDeferred(keySize, len(head)+len(tail))
	key := append(op.Key[:0], prefix)
	key = binary.BigEndian.AppendUint64(key, k1)
	if keySize == keySizeMax {
		binary.BigEndian.AppendUint64(key, k2)
	}
	copy(op.Value[copy(op.Value, head):], tail)
	b.keep(op.Finish())
}

func (b *batch) keep(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *batch) AppendMessage(topic engine.TopicID, s engine.Sequence, record []byte) {
	b.set(prefixMessage, uint64(topic), uint64(s), 17, record, nil)
}

func (b *batch) TrimTopic(topic engine.TopicID, after, through engine.Sequence) {
	b.store.trims.add(topic, uint64(after)+1, uint64(through)+1)
	b.dropMessages(topic, uint64(after)+1, uint64(through)+1)
	b.dropMarks(topic, uint64(through)+1)
	var value [8]byte
	binary.BigEndian.PutUint64(value[:], uint64(through))
	b.set(prefixHighWater, uint64(topic), 0, 9, value[:], nil)
}

// pointsMax is how many messages are deleted one by one: a range deletion is dear where very many topics are trimmed by a
// message or two each.
const pointsMax = 4

// dropMessages deletes the messages from one sequence to another, which is excluded.
func (b *batch) dropMessages(topic engine.TopicID, first, end uint64) {
	if end-first > pointsMax {
		b.dropRange(prefixMessage, uint64(topic), first, end)
		return
	}
	for s := first; s < end; s++ {
		op := b.b.DeleteDeferred(keySizeMax)
		appendKey2(op.Key[:0], prefixMessage, uint64(topic), s)
		b.keep(op.Finish())
	}
}

func (b *batch) DeleteMessage(topic engine.TopicID, s engine.Sequence) {
	b.store.trims.add(topic, uint64(s), uint64(s)+1)
	b.dropMessages(topic, uint64(s), uint64(s)+1)
}

func (b *batch) PutState(topic engine.TopicID, kind engine.StateKind, s engine.Sequence, value []byte) {
	b.store.stated.add(topic)
	op := b.b.SetDeferred(stateKeySize, len(value))
	appendStateKey(op.Key[:0], topic, kind, uint64(s))
	copy(op.Value, value)
	b.keep(op.Finish())
}

func (b *batch) DeleteState(topic engine.TopicID, kind engine.StateKind, s engine.Sequence) {
	op := b.b.DeleteDeferred(stateKeySize)
	appendStateKey(op.Key[:0], topic, kind, uint64(s))
	b.keep(op.Finish())
}

func (b *batch) TrimStates(topic engine.TopicID, kind engine.StateKind, after, through engine.Sequence) {
	first, end := uint64(after)+1, uint64(through)+1
	if end-first <= pointsMax {
		for s := first; s < end; s++ {
			b.DeleteState(topic, kind, engine.Sequence(s))
		}
		return
	}
	op := b.b.DeleteRangeDeferred(stateKeySize, stateKeySize)
	appendStateKey(op.Key[:0], topic, kind, first)
	appendStateKey(op.Value[:0], topic, kind, end)
	b.keep(op.Finish())
}

func (b *batch) DropTopic(topic engine.TopicID) {
	if b.store.stated.has(topic) {
		op := b.b.DeleteRangeDeferred(stateKeySize, stateKeySize)
		appendStateKey(op.Key[:0], topic, 0, 0)
		appendStateKey(op.Value[:0], topic, math.MaxUint8, math.MaxUint64)
		b.keep(op.Finish())
	}
	b.store.trims.add(topic, 0, math.MaxUint64)
	b.dropRange(prefixMessage, uint64(topic), 0, math.MaxUint64)
	b.dropMarks(topic, math.MaxUint64)
	b.drop(appendKey1(nil, prefixHighWater, uint64(topic)))
}

// dropMarks deletes the marks of a topic below a sequence, if there are any: a range deletion costs even where
// it finds nothing, and so does the look.
func (b *batch) dropMarks(topic engine.TopicID, end uint64) {
	if !b.store.marked.has(topic) {
		return
	}
	found := false
	err := b.store.scan(appendKey2(nil, prefixMark, uint64(topic), 0), appendKey2(nil, prefixMark, uint64(topic), end),
		func(_, _ []byte) (bool, error) {
			found = true
			return false, nil
		})
	if found || err != nil { // what cannot be looked for can be deleted all the same
		b.dropRange(prefixMark, uint64(topic), 0, end)
	}
}

// dropRange deletes the keys of a prefix and number from one second number to another, which is excluded.
func (b *batch) dropRange(prefix byte, number, first, end uint64) {
	op := b.b.DeleteRangeDeferred(keySizeMax, keySizeMax)
	appendKey2(op.Key[:0], prefix, number, first)
	appendKey2(op.Value[:0], prefix, number, end)
	b.keep(op.Finish())
}

func (b *batch) drop(key []byte) { b.keep(b.b.Delete(key, nil)) }

func (b *batch) SaveProgress(sub engine.SubscriptionID, progress []byte) {
	b.set(prefixProgress, uint64(sub), 0, 9, progress, nil)
}

func (b *batch) DropSubscription(sub engine.SubscriptionID) {
	b.drop(appendKey1(nil, prefixProgress, uint64(sub)))
	b.dropRange(prefixDeadLetter, uint64(sub), 0, math.MaxUint64)
}

func (b *batch) PutTimer(k engine.TimerKey, head, record []byte) {
	op := b.b.SetDeferred(keySizeMax, len(head)+len(record))
	appendTimerKey(op.Key[:0], k)
	copy(op.Value[copy(op.Value, head):], record)
	b.keep(op.Finish())
}

func (b *batch) DeleteTimer(k engine.TimerKey) {
	op := b.b.DeleteDeferred(keySizeMax)
	appendTimerKey(op.Key[:0], k)
	b.keep(op.Finish())
}

func (b *batch) PutDeadLetter(sub engine.SubscriptionID, s engine.Sequence, head, record []byte) {
	b.set(prefixDeadLetter, uint64(sub), uint64(s), 17, head, record)
}

func (b *batch) DeleteDeadLetter(sub engine.SubscriptionID, s engine.Sequence) {
	b.drop(appendKey2(nil, prefixDeadLetter, uint64(sub), uint64(s)))
}

func (b *batch) PutMark(topic engine.TopicID, m engine.Mark) {
	b.store.marked.add(topic)
	var value [16]byte
	binary.BigEndian.PutUint64(value[:], uint64(m.At))
	binary.BigEndian.PutUint64(value[8:], m.Bytes)
	b.set(prefixMark, uint64(topic), uint64(m.Sequence), 17, value[:], nil)
}

func (b *batch) PutCatalog(key string, value []byte) {
	b.keep(b.b.Set(append([]byte{prefixCatalog}, key...), value, nil))
}

func (b *batch) DeleteCatalog(key string) {
	b.drop(append([]byte{prefixCatalog}, key...))
}

func (b *batch) Len() int { return int(b.b.Count()) }

func (b *batch) Apply(durable bool) error {
	if b.err != nil {
		return b.err
	}
	if err := b.store.Err(); err != nil {
		return err
	}
	if !b.store.users.enter() {
		return errClosed
	}
	defer b.store.users.leave()
	if !b.store.written.Load() {
		b.store.written.Store(true)
	}
	b.syncs = durable && b.store.opts.Durability == engine.DurabilitySync
	if b.syncs && b.b.Empty() { // Pebble would sync nothing, while what was applied before is waited for
		if err := b.b.LogData(nil, nil); err != nil {
			return err
		}
	}
	var err error
	if b.syncs {
		err = b.store.db.ApplyNoSyncWait(b.b, pebble.Sync)
	} else {
		err = b.store.db.Apply(b.b, pebble.NoSync)
	}
	if err != nil {
		b.syncs = false
		return b.store.fail(fmt.Errorf("pebblestore: apply: %w", err))
	}
	return nil
}

func (b *batch) Wait() error {
	if !b.syncs {
		return b.store.Err()
	}
	b.syncs = false
	if err := b.store.wait(b.b); err != nil {
		b.b = nil // Pebble may still hold it
		return err
	}
	return nil
}

func (b *batch) Reset() {
	if b.syncs {
		panic("BUG: pebblestore: Reset of a batch that is being synced")
	}
	b.err = nil
	if b.b == nil {
		b.err = errors.New("pebblestore: the store has failed")
		b.b = b.store.db.NewBatch()
	}
	b.b.Reset()
}
