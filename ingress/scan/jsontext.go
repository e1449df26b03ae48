package scan

import (
	"bytes"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendJSONUnescaped appends the text of a string or name as the scanner returned it, with the escapes
// replaced. A surrogate without its other half becomes U+FFFD. The result is never longer than raw.
func AppendJSONUnescaped(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+1 == len(raw) {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		raw = raw[i:]
		n := 2
		switch c := raw[1]; c {
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
			r, n = jsonRune(raw)
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
		raw = raw[n:]
	}
}

// jsonRune reads the escape \uXXXX, or the two of a surrogate pair, and returns how long it was.
func jsonRune(raw []byte) (rune, int) {
	r, ok := jsonHex4(raw)
	if !ok {
		return unicode.ReplacementChar, min(6, len(raw))
	}
	if utf16.IsSurrogate(r) {
		low, _ := jsonHex4(raw[6:])
		if pair := utf16.DecodeRune(r, low); pair != unicode.ReplacementChar {
			return pair, 12
		}
		return unicode.ReplacementChar, 6
	}
	return r, 6
}

// AppendJSONEscaped appends text as the inside of a JSON string. Only what has to be escaped is: '"', '\'
// and control characters. Bytes that are not UTF-8 become U+FFFD one by one, so the result is JSON whatever
// the text is.
func AppendJSONEscaped(dst, text []byte) []byte {
	if !utf8.Valid(text) {
		return appendJSONRepaired(dst, text)
	}
	for {
		i := jsonSpecial(text, 0)
		dst = append(dst, text[:i]...)
		if i == len(text) {
			return dst
		}
		dst = appendJSONEscape(dst, text[i])
		text = text[i+1:]
	}
}

func appendJSONRepaired(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '"' || r == '\\' || r < ' ':
			dst = appendJSONEscape(dst, byte(r))
		default:
			dst = utf8.AppendRune(dst, r)
		}
		text = text[n:]
	}
	return dst
}

func appendJSONEscape(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
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

// AppendJSONString appends text as a JSON string with its quotes; see AppendJSONEscaped.
func AppendJSONString(dst, text []byte) []byte {
	return append(AppendJSONEscaped(append(dst, '"'), text), '"')
}
