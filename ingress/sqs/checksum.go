package sqs

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"fanfare/engine"
)

// Source: Amazon SQS developer guide, "Calculating the MD5 message digest for message attributes".

// attributeView is an attribute of a message; views of the message.
type attributeView struct {
	name, dataType, value []byte
	binary                bool
}

// sorted returns the attributes of a message that are wanted, in the order of their names. Valid until the next call.
func (c *call) sorted(m *engine.Message, wanted *attributeFilter) []attributeView {
	list := c.sorting[:0]
	for it := m.Attributes(); it.Next(); {
		if wanted.matches(it.Name) {
			list = append(list, attributeView{it.Name, it.Type, it.Value, it.Binary})
		}
	}
	slices.SortFunc(list, func(a, b attributeView) int { return bytes.Compare(a.name, b.name) })
	c.sorting = list
	return list
}

// What stands before a value that is hashed.
const (
	hashedText   = 1
	hashedBinary = 2
)

// checksum is the MD5 of attributes that are sorted: of each, name, type and value, with their lengths before them.
func (c *call) checksum(attributes []attributeView) [md5.Size]byte {
	text := c.scratch[:0]
	for _, a := range attributes {
		text = appendLengthed(text, a.name)
		text = appendLengthed(text, a.dataType)
		if a.binary {
			text = append(text, hashedBinary)
		} else {
			text = append(text, hashedText)
		}
		text = appendLengthed(text, a.value)
	}
	c.scratch = text
	return md5.Sum(text)
}

func appendLengthed(dst, text []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(text))), text...)
}

// writeMD5 writes a checksum.
func (w *writer) writeMD5(name string, sum [md5.Size]byte) {
	w.begin(name)
	w.buf = hex.AppendEncode(w.buf, sum[:])
	w.end(name)
}
