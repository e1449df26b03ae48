package scan

import "encoding/binary"

// Eight bytes of a text, read as a little-endian integer, are looked at in one step: the top bit of each byte says
// what was found there.
const (
	wordOnes = 0x0101010101010101
	wordTops = 0x8080808080808080
)

// wordEqual marks the bytes that are c, and no others: 0x7f is added to the lower seven bits of each, which reaches the
// top bit unless they are zero, and never the next byte.
func wordEqual(w uint64, c byte) uint64 {
	x := w ^ wordOnes*uint64(c)
	return ^((x&^wordTops + ^uint64(wordTops)) | x) & wordTops
}

// hasControl reports whether there is a byte below a space: subtracting that sets the top bit, and so may a borrow from
// the byte below, which then is one.
func hasControl(text []byte) bool {
	var found uint64
	for len(text) >= 8 {
		w := binary.LittleEndian.Uint64(text)
		found |= (w - wordOnes*' ') &^ w
		text = text[8:]
	}
	for _, c := range text {
		found |= uint64(c-' ') &^ uint64(c)
	}
	return found&wordTops != 0
}
