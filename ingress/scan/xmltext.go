package scan

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// AppendXMLUnescaped appends the text or attribute value that raw writes: the five predefined and the numeric
// references expanded, line ends made LF. What is no reference stays as it is; the scanner has refused it.
func AppendXMLUnescaped(dst, raw []byte) []byte {
	dst = slices.Grow(dst, len(raw)) // it never becomes longer
	if bytes.Count(raw, xmlReferenceStart) > len(raw)/32 {
		return appendXMLDense(dst, raw)
	}
	for {
		i := bytes.IndexByte(raw, '&')
		if i < 0 {
			return appendXMLLines(dst, raw)
		}
		dst = appendXMLLines(dst, raw[:i])
		raw = raw[i:]
		if r, n := xmlReference(raw); n > 0 && xmlIsChar(r) {
			dst = utf8.AppendRune(dst, r)
			raw = raw[n:]
		} else {
			dst = append(dst, '&')
			raw = raw[1:]
		}
	}
}

// appendXMLDense is AppendXMLUnescaped for text with so many references that it costs more to cut out what lies between
// them than to look at each byte, as in JSON of which every quote is one. There is room for raw behind dst.
func appendXMLDense(dst, raw []byte) []byte {
	n := len(dst)
	dst = dst[:n+len(raw)]
	for i := 0; i < len(raw); n++ {
		c := raw[i]
		i++
		switch c {
		case '&':
			if r, size := xmlReference(raw[i-1:]); size > 0 && xmlIsChar(r) {
				i += size - 1
				n += utf8.EncodeRune(dst[n:], r) - 1
				continue
			}
		case '\r':
			c = '\n'
			if i < len(raw) && raw[i] == '\n' {
				i++
			}
		}
		dst[n] = c
	}
	return dst[:n]
}

// appendXMLLines appends text with its line ends made LF.
func appendXMLLines(dst, raw []byte) []byte {
	dst = slices.Grow(dst, len(raw))
	for {
		i := bytes.IndexByte(raw, '\r')
		if i < 0 {
			return append(dst, raw...)
		}
		dst = append(append(dst, raw[:i]...), '\n')
		raw = raw[i+1:]
		if len(raw) > 0 && raw[0] == '\n' {
			raw = raw[1:]
		}
	}
}

// xmlReferences checks every reference of a text.
func xmlReferences(raw []byte) error {
	for {
		i := bytes.IndexByte(raw, '&')
		if i < 0 {
			return nil
		}
		r, n := xmlReference(raw[i:])
		if n == 0 {
			return ErrXMLSyntax
		}
		if !xmlIsChar(r) {
			return ErrXMLCharacter
		}
		raw = raw[i+n:]
	}
}

// xmlReference reads the reference that raw begins with; n is its length, 0 when it is none.
func xmlReference(raw []byte) (r rune, n int) {
	switch {
	case len(raw) > 4 && raw[1] == '#' && raw[2]-'0' <= 9 && raw[3]-'0' <= 9 && raw[4] == ';': // a quote, mostly
		return rune(raw[2]-'0')*10 + rune(raw[3]-'0'), len("&#34;")
	case len(raw) > 2 && raw[1] == '#':
		return xmlNumber(raw)
	case bytes.HasPrefix(raw, xmlAmp):
		return '&', len(xmlAmp)
	case bytes.HasPrefix(raw, xmlLt):
		return '<', len(xmlLt)
	case bytes.HasPrefix(raw, xmlGt):
		return '>', len(xmlGt)
	case bytes.HasPrefix(raw, xmlQuot):
		return '"', len(xmlQuot)
	case bytes.HasPrefix(raw, xmlApos):
		return '\'', len(xmlApos)
	}
	return 0, 0
}

var (
	xmlReferenceStart = []byte("&")

	xmlAmp  = []byte("&amp;")
	xmlLt   = []byte("&lt;")
	xmlGt   = []byte("&gt;")
	xmlQuot = []byte("&quot;")
	xmlApos = []byte("&apos;")
	xmlCR   = []byte("&#13;")
)

// xmlNumber reads a numeric reference, "&#" followed by digits, or by 'x' and hex digits, and ';'.
func xmlNumber(raw []byte) (r rune, n int) {
	at, base := 2, rune(10)
	if raw[at] == 'x' {
		at, base = 3, 16
	}
	start := at
	for ; at < len(raw) && raw[at] != ';'; at++ {
		digit := xmlDigit(raw[at])
		if digit >= base {
			return 0, 0
		}
		if r = r*base + digit; r > utf8.MaxRune {
			return 0, 0
		}
	}
	if at == start || at == len(raw) {
		return 0, 0
	}
	return r, at + 1
}

func xmlDigit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return 16
}

// xmlIsChar is the production Char of XML 1.0.
func xmlIsChar(r rune) bool {
	return r >= 0x20 && r <= 0xD7FF || r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// AppendXMLEscaped appends text so that it can stand between two tags and is read as it was: '&', '<', '>'
// and CR become references. What XML cannot say, control characters and bytes that are no UTF-8, becomes
// U+FFFD, so that no text makes a document unreadable.
func AppendXMLEscaped(dst, text []byte) []byte {
	run := 0 // start of what is copied as it is
	for i := 0; i < len(text); {
		c, size := text[i], 1
		var with []byte
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 || !xmlIsChar(r) {
				with = xmlReplacement
			}
		case c == '&':
			with = xmlAmp
		case c == '<':
			with = xmlLt
		case c == '>':
			with = xmlGt
		case c == '\r':
			with = xmlCR
		case c < ' ' && c != '\t' && c != '\n':
			with = xmlReplacement
		}
		if with != nil {
			dst = append(append(dst, text[run:i]...), with...)
			run = i + size
		}
		i += size
	}
	return append(dst, text[run:]...)
}

var xmlReplacement = []byte("\ufffd")
