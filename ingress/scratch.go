package ingress

import (
	"encoding/hex"
	"math/rand/v2"
	"sync"
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
func NewRequestID() (id RequestID) {
	hi, lo := rand.Uint64(), rand.Uint64()
	for i := range 8 {
		id[i], id[8+i] = byte(hi>>(8*i)), byte(lo>>(8*i))
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// AppendHex appends the id as 32 lower-case hex digits.
func (id RequestID) AppendHex(dst []byte) []byte { return hex.AppendEncode(dst, id[:]) }

// AppendHexUpper appends the first n bytes of the id as upper-case hex digits.
func (id RequestID) AppendHexUpper(dst []byte, n int) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range id[:n] {
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

// AppendUUID appends the id as a lower-case UUID.
func (id RequestID) AppendUUID(dst []byte) []byte {
	dst = hex.AppendEncode(dst, id[:4])
	dst = hex.AppendEncode(append(dst, '-'), id[4:6])
	dst = hex.AppendEncode(append(dst, '-'), id[6:8])
	dst = hex.AppendEncode(append(dst, '-'), id[8:10])
	return hex.AppendEncode(append(dst, '-'), id[10:])
}
