package sns

import (
	"bytes"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Source: RFC 8259. What has to be escaped is escaped as SNS does, and nothing else: not '<', '>', '&' or '/'.

// appendEscaped appends text as the inside of a JSON string. Bytes that are not UTF-8 become U+FFFD one by one.
func appendEscaped(dst, text []byte) []byte {
	for !utf8.Valid(text) {
		i := invalidByte(text)
		dst = append(appendValidEscaped(dst, text[:i]), "\uFFFD"...)
		text = text[i+1:]
	}
	return appendValidEscaped(dst, text)
}

// invalidByte is the index of the first byte that is not UTF-8; there is one.
func invalidByte(text []byte) int {
	for i := 0; ; {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

func appendValidEscaped(dst, text []byte) []byte {
	const digits = "0123456789ABCDEF"
	run := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[run:i]...)
		run = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(dst, text[run:]...)
}

// appendUnescaped appends the inside of a JSON string with its escapes replaced. Half a surrogate pair becomes
// U+FFFD; an escape that is none is dropped.
func appendUnescaped(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+1 == len(raw) {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		c := raw[i+1]
		raw = raw[i+2:]
		switch c {
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r, rest := hex4(raw)
			if utf16.IsSurrogate(r) {
				low := rune(unicode.ReplacementChar)
				behind := rest
				if len(rest) > 1 && rest[0] == '\\' && rest[1] == 'u' {
					low, behind = hex4(rest[2:])
				}
				if r = utf16.DecodeRune(r, low); r != unicode.ReplacementChar {
					rest = behind
				}
			}
			dst = utf8.AppendRune(dst, r)
			raw = rest
		default:
			dst = append(dst, c)
		}
	}
}

// hex4 reads four hex digits; without them the answer is U+FFFD.
func hex4(raw []byte) (r rune, rest []byte) {
	if len(raw) < 4 {
		return unicode.ReplacementChar, nil
	}
	for _, c := range raw[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return unicode.ReplacementChar, raw[4:]
		}
		r = r<<4 | rune(c)
	}
	return r, raw[4:]
}

// structureText finds the text for a protocol in a JSON object of texts by protocol, and returns it as it stands
// between its quotes. Of members of one name the last counts, and only strings count. The faces have made sure that
// it is JSON; where it is not, the search ends.
func structureText(object []byte, protocol string) (literal []byte, ok bool) {
	i := skipSpace(object, 0)
	if i == len(object) || object[i] != '{' {
		return nil, false
	}
	for i++; ; i++ {
		if i = skipSpace(object, i); i == len(object) || object[i] != '"' {
			return literal, ok
		}
		end := stringEnd(object, i)
		if end < 0 {
			return literal, ok
		}
		key := object[i+1 : end]
		if i = skipSpace(object, end+1); i == len(object) || object[i] != ':' {
			return literal, ok
		}
		if i = skipSpace(object, i+1); i == len(object) {
			return literal, ok
		}
		value := i
		if i = valueEnd(object, i); i < 0 {
			return literal, ok
		}
		if object[value] == '"' && isName(key, protocol) {
			literal, ok = object[value+1:i-1], true
		}
		if i = skipSpace(object, i); i == len(object) || object[i] != ',' {
			return literal, ok
		}
	}
}

// isName reports whether the inside of a JSON string stands for the name.
func isName(literal []byte, name string) bool {
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal) == name
	}
	var buf [64]byte
	return len(literal) <= len(buf) && string(appendUnescaped(buf[:0], literal)) == name
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// stringEnd returns the index of the quote that ends the string beginning at i, -1 when there is none.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// valueEnd returns the index behind the value that begins at i, -1 when it has no end.
func valueEnd(text []byte, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := stringEnd(text, i)
			if end < 0 {
				return -1
			}
			if i = end; depth == 0 {
				return end + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i // the end of the object around it
			}
			if depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}
