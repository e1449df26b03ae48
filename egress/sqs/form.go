package sqs

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"fanfare/engine"
)

const (
	queueNameMax  = 80
	fifoSuffix    = ".fifo"
	attributesMax = 10
)

// encodingAttribute says how a text is encoded that SQS would not take.
const encodingAttribute = "fanfare.encoding"

func isFIFO(queue string) bool { return strings.HasSuffix(queue, fifoSuffix) }

// carried reports whether there are attributes and every one is of a form that SQS takes.
func carried(m *engine.Message, room int) bool {
	n := 0
	for it := m.Attributes(); it.Next(); n++ {
		base, _, _ := bytes.Cut(it.Type, dot)
		fits := string(base) == "Binary" && it.Binary ||
			(string(base) == "String" || string(base) == "Number") && !it.Binary && sayable(it.Value)
		if n == room || !fits || len(it.Value) == 0 || !isAttributeName(it.Name) || !sayable(it.Type) {
			return false
		}
	}
	return n > 0
}

var (
	dot     = []byte(".")
	twoDots = []byte("..")
)

func isAttributeName(name []byte) bool {
	if len(name) == 0 || len(name) > 256 || name[0] == '.' || name[len(name)-1] == '.' || bytes.Contains(name, twoDots) {
		return false
	}
	for _, c := range name {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return string(name) != encodingAttribute && !hasPrefixFold(name, "aws.") && !hasPrefixFold(name, "amazon.")
}

func hasPrefixFold(text []byte, lower string) bool {
	if len(text) < len(lower) {
		return false
	}
	for i := range len(lower) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// sayable reports whether SQS takes the text: UTF-8 of characters that XML 1.0 has.
func sayable(text []byte) bool {
	for len(text) > 0 {
		if len(text) >= 8 && isPlain(binary.LittleEndian.Uint64(text)) {
			text = text[8:]
			continue
		}
		if c := text[0]; c < utf8.RuneSelf {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
				return false
			}
			text = text[1:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			return false
		}
		text = text[n:]
	}
	return true
}

// isPlain reports whether eight bytes are all from ' ' to 0x7f.
func isPlain(word uint64) bool {
	const high, spaces = 0x8080808080808080, 0x2020202020202020
	return (word|(word-spaces))&high == 0
}
