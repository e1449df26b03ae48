package engine

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// receivedState is what is stored of a message that was received and is not deleted: the value of a StateReceived.
// Little-endian.
//
//	offset size
//	     0    1  version, receivedVersion
//	     1    4  how often it was received
//	     5    8  when it was first, ms since 1970
//	    13    8  hidden until, ms since 1970
//	    21    8  sent at, ms since 1970
//	    29    4  checksum: the low half of xxhash64 of the bytes before it
type receivedState struct {
	receives               uint32
	firstAt, until, sentAt int64
}

const (
	receivedVersion = 1
	receivedSize    = 33
)

func (r *receivedState) appendTo(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, receivedVersion)
	dst = binary.LittleEndian.AppendUint32(dst, r.receives)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.firstAt))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.until))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.sentAt))
	return appendSum(dst, start)
}

func parseReceived(b []byte) (r receivedState, ok bool) {
	if len(b) != receivedSize || b[0] != receivedVersion || !sumHolds(b) {
		return r, false
	}
	r.receives = binary.LittleEndian.Uint32(b[1:])
	r.firstAt = int64(binary.LittleEndian.Uint64(b[5:]))
	r.until = int64(binary.LittleEndian.Uint64(b[13:]))
	r.sentAt = int64(binary.LittleEndian.Uint64(b[21:]))
	return r, true
}

// QueueProgress is how far a queue has come; it is stored where subscriptions have their progress. Little-endian.
//
//	offset size
//	     0    1  version, queueProgressVersion
//	     1    8  next
//	     9    8  gone
//	    17    8  high
//	    25    4  checksum: the low half of xxhash64 of the bytes before it
type QueueProgress struct {
	Next Sequence // what lies before it was received, and has a StateReceived or is gone; in a FIFO queue, is gone
	Gone uint64   // messages that were deleted, purged or moved, or became too old
	High Sequence // the last one that was ever given
}

const (
	queueProgressVersion = 1
	queueProgressSize    = 29
)

// AppendBytes appends the stored form.
func (p *QueueProgress) AppendBytes(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, queueProgressVersion)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.Next))
	dst = binary.LittleEndian.AppendUint64(dst, p.Gone)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.High))
	return appendSum(dst, start)
}

// ParseQueueProgress reads the stored form; that of a new queue is empty.
func ParseQueueProgress(b []byte) (p QueueProgress, ok bool) {
	if len(b) == 0 {
		return QueueProgress{Next: 1}, true
	}
	if len(b) != queueProgressSize || b[0] != queueProgressVersion || !sumHolds(b) {
		return QueueProgress{Next: 1}, false
	}
	p.Next = Sequence(binary.LittleEndian.Uint64(b[1:]))
	p.Gone = binary.LittleEndian.Uint64(b[9:])
	p.High = Sequence(binary.LittleEndian.Uint64(b[17:]))
	return p, p.Next >= 1
}

// CheckReceived says whether the value of a StateReceived is sound.
func CheckReceived(value []byte) error {
	if _, ok := parseReceived(value); !ok {
		return ErrRecordDamaged
	}
	return nil
}

func appendSum(dst []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(dst, uint32(xxhash.Sum64(dst[start:])))
}

// sumHolds reports whether the checksum at the end is that of the bytes before it.
func sumHolds(b []byte) bool {
	end := len(b) - 4
	return binary.LittleEndian.Uint32(b[end:]) == uint32(xxhash.Sum64(b[:end]))
}
