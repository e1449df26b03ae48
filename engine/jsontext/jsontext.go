package jsontext

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
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
// none. Where they are many the next is near, so the first bytes are looked at one by one; behind them, eight in one
// step. Flipping bit 1 of a byte makes '"' a space and space a '"', so that all below 0x21 is special. Subtracting
// that from a byte below it, or 1 from one that is zero, sets its high bit; the borrow can only spoil bytes above the
// first hit.
func IndexSpecial(text []byte) int {
	at := 0
	for ; at < len(text) && at < 4; at++ {
		if special[text[at]] {
			return at
		}
	}
	for ; at+8 <= len(text); at += 8 {
		x := binary.LittleEndian.Uint64(text[at:])
		low := x ^ ones*('"'^' ')
		slash := x ^ ones*'\\'
		hit := (low-ones*'!')&^low | (slash-ones)&^slash
		if hit &= highs; hit != 0 {
			return at + bits.TrailingZeros64(hit)/8
		}
	}
	for ; at < len(text); at++ {
		if special[text[at]] {
			break
		}
	}
	return at
}

var special = func() (t [256]bool) {
	for c := range ' ' {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// AppendUnescaped appends the inside of a JSON string with its escapes replaced. Half a surrogate pair becomes
// U+FFFD, and so does a \u without four digits; the '\' of an escape that is none is dropped.
func AppendUnescaped(dst, literal []byte) []byte {
	escapes := bytes.Count(literal, backslash)
	if escapes == 0 {
		return append(dst, literal...)
	}
	// Where escapes are rare, what lies between them is copied whole; where they are many, as in JSON inside of JSON,
	// that costs more than to look at each byte.
	rare := escapes < len(literal)/16
	n := len(dst)
	dst = slices.Grow(dst, len(literal)+1) // a \u at the very end may grow by a byte
	dst = dst[:cap(dst)]
	for i := 0; ; {
		if rare {
			run := bytes.IndexByte(literal[i:], '\\')
			if run < 0 {
				run = len(literal) - i
			}
			n += copy(dst[n:], literal[i:i+run])
			i += run
		}
		for ; i < len(literal) && literal[i] != '\\'; i, n = i+1, n+1 {
			dst[n] = literal[i]
		}
		if len(literal)-i < 2 {
			return append(dst[:n], literal[i:]...)
		}
		if c := literal[i+1]; c != 'u' {
			dst[n] = escapeMeaning[c]
			i, n = i+2, n+1
			continue
		}
		r, rest := unicodeEscape(literal[i+2:])
		n += utf8.EncodeRune(dst[n:], r)
		i = len(literal) - len(rest)
	}
}

var backslash = []byte{'\\'}

// escapeMeaning is the byte that a '\' and a byte mean.
var escapeMeaning = func() (t [256]byte) {
	for c := range t {
		t[c] = byte(c)
	}
	t['b'], t['f'], t['n'], t['r'], t['t'] = '\b', '\f', '\n', '\r', '\t'
	return t
}()

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
