package sqs

import (
	"encoding/base64"
	"encoding/binary"

	"fanfare/engine"

	"github.com/cespare/xxhash/v2"
)

// A receipt handle is the base64 text, in the alphabet of URLs and without padding, of
//
//	offset size
//	     0    1  version, handleVersion
//	     1    8  topic of the queue, big-endian
//	     9    8  sequence of the message
//	    17    4  how often it had been received
//	    21    6  the upper bytes of the xxhash64 of what stands before
//
// The checksum finds handles that were cut off or made up; it is no secret.
const (
	handleVersion  = 1
	handleHashed   = 21
	handleBytes    = 27
	handleTextSize = 36
)

// appendHandle appends the handle of a receipt.
func appendHandle(dst []byte, r engine.Receipt) []byte {
	var b [handleHashed + 8]byte
	b[0] = handleVersion
	binary.BigEndian.PutUint64(b[1:], uint64(r.Topic))
	binary.BigEndian.PutUint64(b[9:], uint64(r.Sequence))
	binary.BigEndian.PutUint32(b[17:], r.Receives)
	binary.BigEndian.PutUint64(b[handleHashed:], xxhash.Sum64(b[:handleHashed]))
	return base64.RawURLEncoding.AppendEncode(dst, b[:handleBytes])
}

// parseHandle reads a handle; ok is false when it is none.
func parseHandle(text []byte) (r engine.Receipt, ok bool) {
	var b [handleBytes]byte
	if len(text) != handleTextSize {
		return r, false
	}
	if n, err := base64.RawURLEncoding.Decode(b[:], text); err != nil || n != handleBytes || b[0] != handleVersion {
		return r, false
	}
	var sum [8]byte
	binary.BigEndian.PutUint64(sum[:], xxhash.Sum64(b[:handleHashed]))
	if string(sum[:handleBytes-handleHashed]) != string(b[handleHashed:]) {
		return r, false
	}
	return engine.Receipt{
		Topic:    engine.TopicID(binary.BigEndian.Uint64(b[1:])),
		Sequence: engine.Sequence(binary.BigEndian.Uint64(b[9:])),
		Receives: binary.BigEndian.Uint32(b[17:]),
	}, true
}

// receipt reads the handle in an entry.
func (c *call) receipt(e *entry) (engine.Receipt, error) {
	raw := e.values[paramReceipt]
	if raw == nil {
		return engine.Receipt{}, missing("ReceiptHandle")
	}
	text, err := c.text(raw)
	if err != nil {
		return engine.Receipt{}, err
	}
	r, ok := parseHandle(text)
	if !ok {
		return r, errReceipt
	}
	return r, nil
}
