package filter

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"fanfare/engine/jsontext"
)

// literal is a text where it stands: as it is, or as the inside of a JSON string with escapes.
type literal struct {
	text    []byte
	escaped bool
}

// chunk returns the next piece of the text and moves behind it: what stands before an escape, or what an escape stands for.
func (l *literal) chunk(buf *[utf8.UTFMax * 2]byte) []byte {
	i := bytes.IndexByte(l.text, '\\')
	switch {
	case i < 0:
		i = len(l.text)
	case i == 0:
		n := l.escapeLength()
		piece := jsontext.AppendUnescaped(buf[:0], l.text[:n])
		l.text = l.text[n:]
		return piece
	}
	piece := l.text[:i]
	l.text = l.text[i:]
	return piece
}

// escapeLength is the length of the escape at the beginning. The two halves of a surrogate pair are one.
func (l *literal) escapeLength() int {
	t := l.text
	switch {
	case len(t) < 2 || t[1] != 'u':
		return min(2, len(t))
	case len(t) >= 12 && t[6] == '\\' && t[7] == 'u' && isSurrogate(t[2:], "89abAB") && isSurrogate(t[8:], "cdefCDEF"):
		return 12
	}
	return min(6, len(t))
}

// isSurrogate reports whether hex digits are of a half of a surrogate pair, by the digits that the second may be.
func isSurrogate(digits []byte, half string) bool {
	return digits[0]|0x20 == 'd' && strings.IndexByte(half, digits[1]) >= 0
}

func (l literal) equals(want string) bool {
	if !l.escaped {
		return string(l.text) == want
	}
	return l.within(want, 0) == len(want)
}

func (l literal) hasPrefix(want string) bool {
	if !l.escaped {
		return len(l.text) >= len(want) && string(l.text[:len(want)]) == want
	}
	var buf [utf8.UTFMax * 2]byte
	for want != "" && len(l.text) > 0 {
		piece := l.chunk(&buf)
		n := min(len(piece), len(want))
		if string(piece[:n]) != want[:n] {
			return false
		}
		want = want[n:]
	}
	return want == ""
}

func (l literal) hasSuffix(want string) bool {
	if !l.escaped {
		return len(l.text) >= len(want) && string(l.text[len(l.text)-len(want):]) == want
	}
	var buf [utf8.UTFMax * 2]byte
	skip := l.length() - len(want)
	if skip < 0 {
		return false
	}
	for len(l.text) > 0 {
		piece := l.chunk(&buf)
		if skip >= len(piece) {
			skip -= len(piece)
			continue
		}
		piece, skip = piece[skip:], 0
		if string(piece) != want[:len(piece)] {
			return false
		}
		want = want[len(piece):]
	}
	return true
}

// length is how many bytes the text has without escapes.
func (l literal) length() (n int) {
	var buf [utf8.UTFMax * 2]byte
	for len(l.text) > 0 {
		n += len(l.chunk(&buf))
	}
	return n
}

// equalsFold compares without regard to case, as strings.EqualFold does.
func (l literal) equalsFold(want string) bool {
	var buf [utf8.UTFMax * 2]byte
	for len(l.text) > 0 {
		piece := l.text
		if l.escaped {
			piece = l.chunk(&buf)
		} else {
			l.text = nil
		}
		for len(piece) > 0 {
			if want == "" {
				return false
			}
			a, n := utf8.DecodeRune(piece)
			b, k := utf8.DecodeRuneInString(want)
			if !sameFold(a, b) {
				return false
			}
			piece, want = piece[n:], want[k:]
		}
	}
	return want == ""
}

func sameFold(a, b rune) bool {
	if a == b {
		return true
	}
	if a < utf8.RuneSelf && b < utf8.RuneSelf {
		return a|0x20 == b|0x20 && a|0x20 >= 'a' && a|0x20 <= 'z'
	}
	for c := unicode.SimpleFold(a); c != a; c = unicode.SimpleFold(c) {
		if c == b {
			return true
		}
	}
	return false
}

// address reads the text as an IP address.
func (l literal) address() (address, bool) {
	if !l.escaped {
		return parseAddress(l.text)
	}
	var buf [256]byte
	if len(l.text) > len(buf) {
		return address{}, false
	}
	return parseAddress(jsontext.AppendUnescaped(buf[:0], l.text))
}

// within returns where a text that begins with this one at an offset goes on, -1 if it does not begin so.
func (l literal) within(path string, at int) int {
	if !l.escaped {
		end := at + len(l.text)
		if end > len(path) || string(l.text) != path[at:end] {
			return -1
		}
		return end
	}
	var buf [utf8.UTFMax * 2]byte
	for len(l.text) > 0 {
		piece := l.chunk(&buf)
		if len(piece) > len(path)-at || string(piece) != path[at:at+len(piece)] {
			return -1
		}
		at += len(piece)
	}
	return at
}
