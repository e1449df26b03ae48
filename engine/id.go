package engine

import (
	"encoding/binary"
	"math/rand/v2"
)

// NewMessageID returns a random id in the form of a version 4 UUID: every cloud's id fits in it, and no two nodes
// need agree.
func NewMessageID() (id MessageID) {
	hi, lo := rand.Uint64(), rand.Uint64()
	binary.BigEndian.PutUint64(id[:], hi&^0xf000|0x4000)
	binary.BigEndian.PutUint64(id[8:], lo&^(3<<62)|2<<62)
	return id
}

const (
	hexLower = "0123456789abcdef"
	hexUpper = "0123456789ABCDEF"
)

// AppendHexLower appends the id as 32 lower-case hex digits.
func (id MessageID) AppendHexLower(dst []byte) []byte { return appendHex(dst, id[:], hexLower) }

// AppendHexUpper appends the id as 32 upper-case hex digits.
func (id MessageID) AppendHexUpper(dst []byte) []byte { return AppendHexUpper(dst, id[:]) }

// AppendHexUpper appends bytes as upper-case hex digits, which encoding/hex does not.
func AppendHexUpper(dst, b []byte) []byte { return appendHex(dst, b, hexUpper) }

// AppendUUID appends the id as a lower-case UUID.
func (id MessageID) AppendUUID(dst []byte) []byte {
	dst = appendHex(dst, id[:4], hexLower)
	dst = appendHex(append(dst, '-'), id[4:6], hexLower)
	dst = appendHex(append(dst, '-'), id[6:8], hexLower)
	dst = appendHex(append(dst, '-'), id[8:10], hexLower)
	return appendHex(append(dst, '-'), id[10:], hexLower)
}

// String is the UUID form.
func (id MessageID) String() string { return string(id.AppendUUID(nil)) }

func appendHex(dst, b []byte, digits string) []byte {
	for _, c := range b {
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}
