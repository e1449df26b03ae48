package schedule

import (
	"cmp"
	"encoding/binary"
	"math"
)

// Key names an entry of the durable timer. The zero key names none.
type Key struct {
	Due int64  // ms since 1970
	ID  uint64 // tells entries of one millisecond apart
}

// Max sorts behind every other key.
var Max = Key{Due: math.MaxInt64, ID: math.MaxUint64}

// lowest sorts before every other key.
var lowest = Key{Due: math.MinInt64}

// IsZero reports whether the key names no entry.
func (k Key) IsZero() bool { return k == Key{} }

// Less orders keys by due time, then by id.
func (k Key) Less(o Key) bool { return k.Due < o.Due || k.Due == o.Due && k.ID < o.ID }

func (k Key) compare(o Key) int {
	if c := cmp.Compare(k.Due, o.Due); c != 0 {
		return c
	}
	return cmp.Compare(k.ID, o.ID)
}

// next is the key behind this one.
func (k Key) next() Key {
	switch {
	case k.ID < math.MaxUint64:
		return Key{k.Due, k.ID + 1}
	case k.Due < math.MaxInt64:
		return Key{Due: k.Due + 1}
	}
	return k
}

// AppendBytes appends the key's 16 bytes; they sort as the keys do.
func (k Key) AppendBytes(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(k.Due)^(1<<63))
	return binary.BigEndian.AppendUint64(dst, k.ID)
}

// ParseKey reads what AppendBytes wrote.
func ParseKey(b []byte) (k Key, ok bool) {
	if len(b) != 16 {
		return Key{}, false
	}
	return Key{Due: int64(binary.BigEndian.Uint64(b) ^ (1 << 63)), ID: binary.BigEndian.Uint64(b[8:])}, true
}

// span is the keys from one, included, to another, excluded. It is empty when the first is not the lesser one.
type span struct{ from, to Key }

func (s span) empty() bool { return !s.from.Less(s.to) }

// cover returns the smallest span that holds both.
func (s span) cover(o span) span {
	switch {
	case s.empty():
		return o
	case o.empty():
		return s
	}
	if o.from.Less(s.from) {
		s.from = o.from
	}
	if s.to.Less(o.to) {
		s.to = o.to
	}
	return s
}
