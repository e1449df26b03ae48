package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// duplicatesMax is how many messages of one topic are remembered at a time: more within the window are refused.
const duplicatesMax = 1_000_000

// duplicates are the messages a FIFO topic had within the window. The committer's only.
type duplicates struct {
	seen    map[[16]byte]publication
	order   []remembered // as they were published; those before head are forgotten
	head    int
	trimmed Sequence // the states up to here are trimmed
	scratch []byte   // for a state: an array would be allocated, since a batch is an interface
}

// publication is the first message with a key.
type publication struct {
	id       MessageID
	sequence Sequence
	at       int64
}

type remembered struct {
	key      [16]byte
	sequence Sequence
	at       int64 // ms since 1970
}

// The value of a StatePublished, little-endian.
//
//	offset size
//	     0    1  version, publishedVersion
//	     1   16  key
//	    17   16  id of the message
//	    33    8  published at, ms since 1970
//	    41    4  checksum: the low half of xxhash64 of the bytes before it
const (
	publishedVersion = 1
	publishedSize    = 45
)

func appendPublished(dst []byte, key [16]byte, p *publication) []byte {
	start := len(dst)
	dst = append(append(append(dst, publishedVersion), key[:]...), p.id[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.at))
	return appendSum(dst, start)
}

// ParsePublished reads a stored StatePublished.
func ParsePublished(seq Sequence, value []byte) (key [16]byte, id MessageID, at int64, err error) {
	if len(value) != publishedSize || value[0] != publishedVersion || !sumHolds(value) {
		return key, id, 0, fmt.Errorf("engine: publication %d: %w", seq, ErrRecordDamaged)
	}
	return [16]byte(value[1:]), MessageID(value[17:]), int64(binary.LittleEndian.Uint64(value[33:])), nil
}

// setKey computes by what a FIFO topic finds duplicates of the message.
func (m *Message) setKey(fifo *FIFO) {
	m.key = [16]byte{}
	id := m.Get(FieldDeduplicationID)
	var hash [2 * sha256.Size]byte
	if len(id) == 0 {
		if !fifo.ByContent {
			return
		}
		sum := sha256.Sum256(m.content())
		hex.Encode(hash[:], sum[:])
		id = hash[:]
	}
	var few [512]byte
	text := few[:0]
	if fifo.PerGroup {
		group := m.Get(FieldGroup)
		text = binary.LittleEndian.AppendUint32(text, uint32(len(group)))
		text = append(text, group...)
	}
	sum := sha256.Sum256(append(text, id...))
	m.key = [16]byte(sum[:])
}

// content is what the publisher sent for a body: an object of bodies by protocol says more than the one for all.
func (m *Message) content() []byte {
	if m.Has(FieldStructure) {
		return m.Get(FieldStructure)
	}
	return m.Body()
}

// find makes the message a duplicate if the topic had one with its key within the window, which begins anew with a purge,
// and reports whether it did.
func (d *duplicates) find(m *Message, now, purged int64) bool {
	p, ok := d.seen[m.key]
	if !ok || p.at <= max(now-DeduplicationWindow.Milliseconds(), purged) {
		return false
	}
	m.SetID(p.id)
	m.setSequence(p.sequence)
	m.duplicate = true
	return true
}

// full reports whether no further message can be remembered.
func (d *duplicates) full() bool { return len(d.seen) >= duplicatesMax }

// remember adds a message that got its sequence.
func (d *duplicates) remember(b Batch, t *Topic, m *Message, now int64) {
	p := publication{m.ID(), m.Sequence(), now}
	d.add(m.key, p)
	d.scratch = appendPublished(d.scratch[:0], m.key, &p)
	b.PutState(t.ID, StatePublished, p.sequence, d.scratch)
}

func (d *duplicates) add(key [16]byte, p publication) {
	if d.seen == nil {
		d.seen = map[[16]byte]publication{}
	}
	d.seen[key] = p
	d.order = append(d.order, remembered{key, p.sequence, p.at})
}

// trimStates is how many states are trimmed together.
const trimStates = 256

// forget drops what left the window, and trims the states of it now and then.
func (d *duplicates) forget(b Batch, t *Topic, now int64) {
	for d.head < len(d.order) && d.order[d.head].at <= now-DeduplicationWindow.Milliseconds() {
		r := &d.order[d.head]
		if d.seen[r.key].sequence == r.sequence {
			delete(d.seen, r.key)
		}
		d.head++
	}
	if d.head < trimStates || d.head < len(d.order)/2 {
		return
	}
	through := d.order[d.head-1].sequence
	b.TrimStates(t.ID, StatePublished, d.trimmed, through)
	d.trimmed = through
	d.order = append(d.order[:0], d.order[d.head:]...)
	d.head = 0
}

// loadDuplicates reads what a FIFO topic remembers.
func (e *Engine) loadDuplicates(t *Topic) error {
	if t.Config().FIFO == nil {
		return nil
	}
	return e.opts.Store.ReadStates(t.ID, StatePublished, 0, func(seq Sequence, value []byte) bool {
		key, id, at, err := ParsePublished(seq, value)
		if err != nil {
			e.opts.Log.Error().Err(err).Str("topic", t.Name()).Msg("what a FIFO topic had cannot be read; a message may be taken twice")
			return true
		}
		t.duplicates.add(key, publication{id, seq, at})
		return true
	})
}
