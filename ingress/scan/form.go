package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
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
	return bytes.IndexByte(src, '%') < 0 && bytes.IndexByte(src, '+') < 0
}

// AppendFormValue appends a key or value decoded: '+' is a space and %XX a byte. On a fault what was appended
// is to be dropped.
func AppendFormValue(dst, src []byte) ([]byte, error) { return appendForm(dst, src, &formValue) }

// AppendFormPath appends a segment of a URL's path decoded: %XX is a byte, and '+' itself.
func AppendFormPath(dst, src []byte) ([]byte, error) { return appendForm(dst, src, &formPath) }

// appendForm makes the place for all that comes out first: three bytes of an escape become one.
func appendForm(dst, src []byte, meaning *[256]byte) ([]byte, error) {
	escapes := bytes.Count(src, formEscape)
	from, size := len(dst), len(src)-2*escapes
	if size < 0 {
		return dst, ErrFormEscape
	}
	dst = slices.Grow(dst, size)[:from+size]
	out := dst[from:]
	rare := escapes < len(src)/16
	i, n := 0, 0
	for {
		if rare {
			run := copyFormWords(out[n:], src[i:], meaning)
			i, n = i+run, n+run
		}
		for ; i < len(src) && n < len(out) && src[i] != '%'; i, n = i+1, n+1 {
			out[n] = meaning[src[i]]
		}
		if i == len(src) {
			return dst, nil
		}
		// There is place for every escape that overlaps no other.
		if n == len(out) || len(src)-i < 3 {
			return dst, ErrFormEscape
		}
		hi, lo := formHex[src[i+1]], formHex[src[i+2]]
		if hi|lo > 15 {
			return dst, ErrFormEscape
		}
		out[n] = hi<<4 | lo
		i, n = i+3, n+1
	}
}

// copyFormWords copies text eight bytes at a time, as long as there is no '%' among them, and returns how much.
func copyFormWords(dst, src []byte, meaning *[256]byte) int {
	n := 0
	for ; len(src)-n >= 8 && len(dst)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(src[n:])
		if wordEqual(w, '%') != 0 {
			break
		}
		w ^= wordEqual(w, '+') >> 7 * uint64('+'^meaning['+'])
		binary.LittleEndian.PutUint64(dst[n:], w)
	}
	return n
}

var formEscape = []byte("%")

// What a byte outside of an escape means. A table costs less than a branch for each '+'.
var formPath, formValue = func() (path, value [256]byte) {
	for i := range path {
		path[i], value[i] = byte(i), byte(i)
	}
	value['+'] = ' '
	return path, value
}()

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
