package aws

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"fanfare/engine"
)

const (
	attributeNameBytesMax = 256
	orderBytesMax         = 128

	// sequenceBase makes a position a SequenceNumber of 20 digits, as the services' are. 8e18 messages fit.
	sequenceBase = 10_000_000_000_000_000_000
)

// AttributeNameFault says what is wrong with the name of a message attribute, "" for nothing. Which names are reserved is
// another matter.
func AttributeNameFault(name []byte) string {
	switch {
	case len(name) == 0:
		return "Message attribute name can not be empty."
	case len(name) > attributeNameBytesMax:
		return "Length of message attribute name must be less than 256 bytes."
	case name[0] == '.':
		return "Invalid message attribute name starting with character '.' was found."
	case name[len(name)-1] == '.':
		return "Invalid message attribute name ending with character '.' was found."
	case bytes.Contains(name, []byte("..")):
		return "Message attribute name can not have successive '.' character."
	}
	for i, b := range name {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.' {
			continue
		}
		r, _ := utf8.DecodeRune(name[i:])
		return fmt.Sprintf("Invalid non-alphanumeric character '#x%02X' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.", r)
	}
	return ""
}

// AttributeBase returns what stands before the first dot of a data type: String, Number or Binary, "" for anything else.
func AttributeBase(dataType []byte) string {
	base, suffix, dotted := bytes.Cut(dataType, []byte("."))
	if !utf8.Valid(dataType) || dotted && len(suffix) == 0 {
		return ""
	}
	switch string(base) {
	case "String":
		return "String"
	case "Number":
		return "Number"
	case "Binary":
		return "Binary"
	}
	return ""
}

// HasPrefixFold compares a prefix with a lower-case word in ASCII.
func HasPrefixFold(text []byte, lower string) bool {
	if len(text) < len(lower) {
		return false
	}
	for i := range len(lower) {
		b := text[i]
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}

// IsNumber reports whether the text is a decimal number, with an exponent if need be.
func IsNumber(text []byte) bool {
	whole, rest := skipDigits(skipSign(text))
	fraction := 0
	if len(rest) > 0 && rest[0] == '.' {
		fraction, rest = skipDigits(rest[1:])
	}
	if whole+fraction == 0 {
		return false
	}
	if len(rest) > 0 && rest[0]|0x20 == 'e' {
		exponent, end := skipDigits(skipSign(rest[1:]))
		if exponent == 0 {
			return false
		}
		rest = end
	}
	return len(rest) == 0
}

func skipSign(text []byte) []byte {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		return text[1:]
	}
	return text
}

func skipDigits(text []byte) (n int, rest []byte) {
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n, text[n:]
}

// IsOrderID reports whether the id of a group, or one that duplicates are found by, is 1 to 128 letters, digits and ASCII
// punctuation.
func IsOrderID(id []byte) bool {
	for _, b := range id {
		if b <= ' ' || b >= 0x7f {
			return false
		}
	}
	return len(id) > 0 && len(id) <= orderBytesMax
}

// AppendSequence appends the SequenceNumber of a message.
func AppendSequence(dst []byte, s engine.Sequence) []byte {
	return strconv.AppendUint(dst, sequenceBase+uint64(s), 10)
}

// Shorten bounds what a reply repeats of a request.
func Shorten[T string | []byte](text T) string {
	const limit = 256
	if len(text) > limit {
		return string(text[:limit]) + "..."
	}
	return string(text)
}
