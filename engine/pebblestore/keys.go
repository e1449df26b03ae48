package pebblestore

import (
	"encoding/binary"

	"fanfare/engine"
)

// The key space. Numbers are big-endian, so that keys sort as the numbers do.
//
//	prefix  rest                       value
//	  c     catalog key, as text       JSON
//	  d     subscription 8, sequence 8 dead letter: head and record
//	  f                                number of the last position that the fence may claim, 8
//	  h     topic 8                    highest sequence trimmed, 8
//	  i     topic 8, sequence 8        mark: at 8, bytes 8
//	  m     topic 8, sequence 8        record
//	  p     subscription 8             progress
//	  s     topic 8, kind 1, sequence 8 state of a message
//	  t     due 8, id 8                timer entry: head and record
//	  v                                version of this layout, one byte
const (
	prefixCatalog    = 'c'
	prefixDeadLetter = 'd'
	prefixFence      = 'f'
	prefixHighWater  = 'h'
	prefixMark       = 'i'
	prefixMessage    = 'm'
	prefixProgress   = 'p'
	prefixState      = 's'
	prefixTimer      = 't'
	prefixVersion    = 'v'

	layoutVersion = 3

	keySizeMax   = 17 // of the keys of fixed size with two numbers
	stateKeySize = keySizeMax + 1
)

func appendKey1(dst []byte, prefix byte, a uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefix), a)
}

func appendKey2(dst []byte, prefix byte, a, b uint64) []byte {
	return binary.BigEndian.AppendUint64(appendKey1(dst, prefix, a), b)
}

func messageKey(topic engine.TopicID, s engine.Sequence) []byte {
	return appendKey2(nil, prefixMessage, uint64(topic), uint64(s))
}

// appendStateKey appends the key of a state, or of the place behind all of its kind for the highest sequence.
func appendStateKey(dst []byte, topic engine.TopicID, kind engine.StateKind, s uint64) []byte {
	return binary.BigEndian.AppendUint64(append(appendKey1(dst, prefixState, uint64(topic)), byte(kind)), s)
}

func appendTimerKey(dst []byte, k engine.TimerKey) []byte {
	return k.AppendBytes(append(dst, prefixTimer))
}

// lastNumber reads the number at the end of a key.
func lastNumber(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }
