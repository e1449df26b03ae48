package scan

import (
	"bytes"
	"errors"
)

// Source: the WHATWG URL standard, "application/x-www-form-urlencoded parsing", and RFC 3986 section 2.1 for
// percent-encoding. A ';' is text here, as it is for the cloud services; net/url refuses it.

// ErrFormEscape is a '%' that two hex digits do not follow.
var ErrFormEscape = errors.New("scan: malformed percent-encoding")

// FormScanner walks the pairs of application/x-www-form-urlencoded text, in a body or behind the '?' of a URL.
type FormScanner struct {
	rest []byte

	// The current pair, still encoded; views of the input. A pair without '=' has an empty Value.
	Key, Value []byte
}

// NewFormScanner returns a scanner of the text, of which it keeps views.
func NewFormScanner(text []byte) FormScanner { return FormScanner{rest: text} }

// Next moves to the next pair and reports whether there is one. Empty pairs, as in "a=1&&b=2", are skipped.
func (s *FormScanner) Next() bool {
	for len(s.rest) > 0 {
		pair := s.rest
		if i := bytes.IndexByte(pair, '&'); i >= 0 {
			pair, s.rest = pair[:i], pair[i+1:]
		} else {
			s.rest = nil
		}
		if len(pair) == 0 {
			continue
		}
		if i := bytes.IndexByte(pair, '='); i >= 0 {
			s.Key, s.Value = pair[:i:i], pair[i+1:]
		} else {
			s.Key, s.Value = pair, nil
		}
		return true
	}
	s.Key, s.Value = nil, nil
	return false
}

// FormPlain reports whether decoding the key or value would change nothing.
func FormPlain(src []byte) bool {
	for _, c := range src {
		if c == '%' || c == '+' {
			return false
		}
	}
	return true
}

// AppendFormValue appends a key or value decoded: '+' is a space and %XX a byte. On a fault what was appended
// is to be dropped.
func AppendFormValue(dst, src []byte) ([]byte, error) { return appendForm(dst, src, true) }

// AppendFormPath appends a segment of a URL's path decoded: %XX is a byte, and '+' itself.
func AppendFormPath(dst, src []byte) ([]byte, error) { return appendForm(dst, src, false) }

func appendForm(dst, src []byte, plusIsSpace bool) ([]byte, error) {
	for i := 0; i < len(src); {
		// Text comes in runs; they are copied whole.
		run := i
		for i < len(src) && src[i] != '%' && (src[i] != '+' || !plusIsSpace) {
			i++
		}
		dst = append(dst, src[run:i]...)
		if i == len(src) {
			break
		}
		if src[i] == '+' {
			dst = append(dst, ' ')
			i++
			continue
		}
		if len(src)-i < 3 {
			return dst, ErrFormEscape
		}
		hi, lo := formHex[src[i+1]], formHex[src[i+2]]
		if hi|lo > 15 {
			return dst, ErrFormEscape
		}
		dst = append(dst, hi<<4|lo)
		i += 3
	}
	return dst, nil
}

// formHex maps a hex digit to its value and everything else to 0xff.
var formHex = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i := range byte(10) {
		table['0'+i] = i
	}
	for i := range byte(6) {
		table['a'+i], table['A'+i] = 10+i, 10+i
	}
	return table
}()
