package transfer

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A stream is a title and entries. All integers are big-endian.
//
//	title   "fanfare export\n", version (1)
//	entry   kind (1), length of the payload (4), payload, checksum (8)
//
// The checksum is the xxhash64 of the checksum before it, 0 at first, and of kind, length and payload: an entry that was
// changed, moved, left out or put in fails it. The entries come in this order, and the last is the end:
//
//	c  length of the key (2), key, value         of the catalog, in the order of the keys
//	t  topic (8), first (8), high (8)            a topic of the catalog, by id: first is the sequence of its first stored
//	                                             message, high the highest there ever was; behind it its
//	m  topic (8), sequence (8), record           messages, from first to high without a gap, and
//	i  topic (8), sequence (8), at (8), bytes (8)  marks, in order, and
//	s  topic (8), kind (8), sequence (8), value  states, in the order of kinds and sequences
//	q  queue (8), next (8), gone (8), high (8)   a queue of the catalog, by id among the topics: how far it has come; behind it
//	                                             its messages, m, with gaps where they were deleted, and its states, s
//	p  subscription (8), progress                of a subscription, by id; behind it its
//	d  subscription (8), sequence (8), value     dead letters, in order
//	w  due (8), id (8), value                    of the timer, in order; due is signed, its sign bit flipped
//	e  count (8) of each kind, as kindsOf has them  nothing comes behind it
//
// A stream of version 1 has neither queues nor states; it can still be read.
const (
	title      = "fanfare export\n"
	version    = 2
	versionMin = 1

	kindCatalog    = 'c'
	kindTopic      = 't'
	kindQueue      = 'q'
	kindMessage    = 'm'
	kindMark       = 'i'
	kindState      = 's'
	kindProgress   = 'p'
	kindDeadLetter = 'd'
	kindTimer      = 'w'
	kindEnd        = 'e'

	payloadBytesMax = 256 << 20
)

// kindsOf are the kinds of a version's entries but for the end, in the order of their counts.
func kindsOf(version byte) string {
	if version == 1 {
		return "ctmipdw"
	}
	return "ctqmispdw"
}

// ErrFormat says that a stream is not one that Export wrote, or not all of it.
var ErrFormat = errors.New("transfer: the export is damaged or cut off")

// Counts says how many entries of each kind were moved.
type Counts struct {
	Catalog, Topics, Queues, Messages, Marks, States, Progress, DeadLetters, Timers uint64
	Bytes                                                                           uint64 // of the stream
}

// of returns the count of a kind, nil for the end.
func (c *Counts) of(kind byte) *uint64 {
	switch kind {
	case kindCatalog:
		return &c.Catalog
	case kindTopic:
		return &c.Topics
	case kindQueue:
		return &c.Queues
	case kindMessage:
		return &c.Messages
	case kindMark:
		return &c.Marks
	case kindState:
		return &c.States
	case kindProgress:
		return &c.Progress
	case kindDeadLetter:
		return &c.DeadLetters
	case kindTimer:
		return &c.Timers
	}
	return nil
}

func (c *Counts) appendPayload(dst []byte, kinds string) []byte {
	for i := range len(kinds) {
		dst = binary.BigEndian.AppendUint64(dst, *c.of(kinds[i]))
	}
	return dst
}

func checksum(before uint64, head, payload []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], before)
	_, _ = d.Write(b[:])
	_, _ = d.Write(head)
	_, _ = d.Write(payload)
	return d.Sum64()
}

// writer writes a stream.
type writer struct {
	w       *bufio.Writer
	sum     uint64
	counts  Counts
	payload []byte
}

func newWriter(w io.Writer) (*writer, error) {
	wr := &writer{w: bufio.NewWriterSize(w, 64<<10)}
	n, err := wr.w.WriteString(title + string(rune(version)))
	wr.counts.Bytes = uint64(n)
	return wr, err
}

// begin starts a payload with numbers.
func (w *writer) begin(numbers ...uint64) {
	w.payload = w.payload[:0]
	for _, n := range numbers {
		w.payload = binary.BigEndian.AppendUint64(w.payload, n)
	}
}

// end writes the entry whose payload was begun, with the rest of it.
func (w *writer) end(kind byte, rest []byte) error {
	w.payload = append(w.payload, rest...)
	if len(w.payload) > payloadBytesMax {
		return fmt.Errorf("transfer: an entry has %d bytes, more than %d", len(w.payload), payloadBytesMax)
	}
	var head [5]byte
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(w.payload)))
	w.sum = checksum(w.sum, head[:], w.payload)
	var tail [8]byte
	binary.BigEndian.PutUint64(tail[:], w.sum)
	for _, part := range [][]byte{head[:], w.payload, tail[:]} {
		if _, err := w.w.Write(part); err != nil {
			return err
		}
		w.counts.Bytes += uint64(len(part))
	}
	if n := w.counts.of(kind); n != nil {
		*n++
	}
	return nil
}

func (w *writer) finish() error {
	w.begin()
	if err := w.end(kindEnd, w.counts.appendPayload(nil, kindsOf(version))); err != nil {
		return err
	}
	return w.w.Flush()
}

// reader reads a stream, and believes nothing of it before its checksum.
type reader struct {
	r       *bufio.Reader
	kinds   string // of the entries but for the end
	sum     uint64
	counts  Counts
	payload bytes.Buffer
}

func newReader(r io.Reader) (*reader, error) {
	rd := &reader{r: bufio.NewReaderSize(r, 64<<10)}
	got := make([]byte, len(title)+1)
	if _, err := io.ReadFull(rd.r, got); err != nil {
		return nil, cut(err)
	}
	if string(got[:len(title)]) != title {
		return nil, fmt.Errorf("%w: it does not begin as an export does", ErrFormat)
	}
	v := got[len(title)]
	if v < versionMin || v > version {
		return nil, fmt.Errorf("%w: its version is %d, this program knows versions %d to %d", ErrFormat, v, versionMin, version)
	}
	rd.kinds = kindsOf(v)
	rd.counts.Bytes = uint64(len(got))
	return rd, nil
}

// cut makes the end of the stream before its end entry an ErrFormat.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends before its end", ErrFormat)
	}
	return err
}

// next returns the next entry; the payload is valid until the next call. At the end, the kind is that of the end.
func (r *reader) next() (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return 0, nil, cut(err)
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > payloadBytesMax {
		return 0, nil, fmt.Errorf("%w: an entry of %d bytes", ErrFormat, size)
	}
	r.payload.Reset()
	if _, err := io.CopyN(&r.payload, r.r, int64(size)); err != nil { // grows with what is there, not with what is claimed
		return 0, nil, cut(err)
	}
	var tail [8]byte
	if _, err := io.ReadFull(r.r, tail[:]); err != nil {
		return 0, nil, cut(err)
	}
	payload = r.payload.Bytes()
	r.sum = checksum(r.sum, head[:], payload)
	if binary.BigEndian.Uint64(tail[:]) != r.sum {
		return 0, nil, fmt.Errorf("%w: the checksum of an entry is wrong, behind %d bytes", ErrFormat, r.counts.Bytes)
	}
	r.counts.Bytes += uint64(len(head)+len(tail)) + uint64(size)
	if head[0] == kindEnd {
		return kindEnd, nil, r.finish(payload)
	}
	if strings.IndexByte(r.kinds, head[0]) < 0 {
		return 0, nil, fmt.Errorf("%w: an entry of the unknown kind %q", ErrFormat, head[0])
	}
	*r.counts.of(head[0])++
	return head[0], payload, nil
}

func (r *reader) finish(payload []byte) error {
	if !bytes.Equal(payload, r.counts.appendPayload(nil, r.kinds)) {
		return fmt.Errorf("%w: it does not have as many entries as it says", ErrFormat)
	}
	if _, err := r.r.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something comes behind its end", ErrFormat)
	}
	return nil
}

// numbers splits numbers off a payload.
func numbers(payload []byte, count int) (n [4]uint64, rest []byte, ok bool) {
	if len(payload) < 8*count {
		return n, nil, false
	}
	for i := range count {
		n[i] = binary.BigEndian.Uint64(payload[8*i:])
	}
	return n, payload[8*count:], true
}
