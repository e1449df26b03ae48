package jsontext

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	digitsLower = "0123456789abcdef"
	digitsUpper = "0123456789ABCDEF"
)

// AppendEscaped appends text as the inside of a JSON string. Only what has to be escaped is: '"', '\' and
// control characters; not '<', '>', '&' or '/'. Bytes that are not UTF-8 become U+FFFD one by one.
func AppendEscaped(dst, text []byte) []byte { return appendEscaped(dst, text, digitsLower) }

// AppendEscapedUpper is AppendEscaped with upper-case digits in the escapes of control characters.
func AppendEscapedUpper(dst, text []byte) []byte { return appendEscaped(dst, text, digitsUpper) }

// AppendString appends text as a JSON string with its quotes; see AppendEscaped.
func AppendString(dst, text []byte) []byte {
	return append(AppendEscaped(append(dst, '"'), text), '"')
}

func appendEscaped(dst, text []byte, digits string) []byte {
	if !utf8.Valid(text) {
		return appendRepaired(dst, text, digits)
	}
	for {
		i := IndexSpecial(text)
		dst = append(dst, text[:i]...)
		if i == len(text) {
			return dst
		}
		dst = appendEscape(dst, text[i], digits)
		text = text[i+1:]
	}
}

func appendRepaired(dst, text []byte, digits string) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == '"' || r == '\\' || r < ' ' {
			dst = appendEscape(dst, byte(r), digits)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		text = text[n:]
	}
	return dst
}

func appendEscape(dst []byte, c byte, digits string) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// IndexSpecial returns the index of the first '"', '\' or control character, the length of the text when there is
// none. It looks at eight bytes at a time: subtracting 1 from a byte that is zero sets its high bit, and so does
// subtracting 0x20 from one below it; the borrow can only spoil bytes above the first hit.
func IndexSpecial(text []byte) int {
	at := 0
	for ; at+8 <= len(text); at += 8 {
		x := binary.LittleEndian.Uint64(text[at:])
		quote := x ^ ones*'"'
		slash := x ^ ones*'\\'
		hit := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((x - ones*' ') &^ x)
		if hit &= highs; hit != 0 {
			return at + bits.TrailingZeros64(hit)/8
		}
	}
	for ; at < len(text); at++ {
		if c := text[at]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return at
}

// AppendUnescaped appends the inside of a JSON string with its escapes replaced. Half a surrogate pair becomes
// U+FFFD, and so does a \u without four digits; the '\' of an escape that is none is dropped.
func AppendUnescaped(dst, literal []byte) []byte {
	for {
		i := bytes.IndexByte(literal, '\\')
		if i < 0 || i+1 == len(literal) {
			return append(dst, literal...)
		}
		dst = append(dst, literal[:i]...)
		c := literal[i+1]
		literal = literal[i+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			r, literal = unicodeEscape(literal)
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
}

// unicodeEscape reads what follows a \u, and the second half of a surrogate pair with it.
func unicodeEscape(text []byte) (r rune, rest []byte) {
	r, rest = hex4(text)
	if !utf16.IsSurrogate(r) {
		return r, rest
	}
	if len(rest) > 1 && rest[0] == '\\' && rest[1] == 'u' {
		low, behind := hex4(rest[2:])
		if pair := utf16.DecodeRune(r, low); pair != unicode.ReplacementChar {
			return pair, behind
		}
	}
	return unicode.ReplacementChar, rest
}

// hex4 reads four hex digits.
func hex4(text []byte) (r rune, rest []byte) {
	n := min(4, len(text))
	for _, c := range text[:n] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return unicode.ReplacementChar, text[n:]
		}
		r = r<<4 | rune(c)
	}
	if n < 4 {
		return unicode.ReplacementChar, nil
	}
	return r, text[n:]
}
