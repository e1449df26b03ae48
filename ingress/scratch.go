package ingress

import (
	"sync"

	"fanfare/engine"
)

// scratchBytesKept is the largest buffer that goes back to the pool.
const scratchBytesKept = 64 << 10

// Scratch is memory for one reply. It belongs to whoever got it until Put.
type Scratch struct{ B []byte }

var scratchPool = sync.Pool{New: func() any { return &Scratch{B: make([]byte, 0, 1024)} }}

// GetScratch returns an empty buffer.
func GetScratch() *Scratch {
	s := scratchPool.Get().(*Scratch)
	s.B = s.B[:0]
	return s
}

// Put gives the buffer back.
func (s *Scratch) Put() {
	if cap(s.B) <= scratchBytesKept {
		scratchPool.Put(s)
	}
}

// RequestID is the id of one request; each face prints as much of it, and as it likes.
type RequestID [16]byte

// NewRequestID returns a random id in the form of a version 4 UUID.
func NewRequestID() RequestID { return RequestID(engine.NewMessageID()) }

// AppendHex appends the id as 32 lower-case hex digits.
func (id RequestID) AppendHex(dst []byte) []byte { return engine.MessageID(id).AppendHexLower(dst) }

// AppendHexUpper appends the first n bytes of the id as upper-case hex digits.
func (id RequestID) AppendHexUpper(dst []byte, n int) []byte {
	return engine.AppendHexUpper(dst, id[:n])
}

// AppendUUID appends the id as a lower-case UUID.
func (id RequestID) AppendUUID(dst []byte) []byte { return engine.MessageID(id).AppendUUID(dst) }
