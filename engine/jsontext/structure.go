package jsontext

import "bytes"

// ByProtocol finds the text for a protocol in a JSON object of texts by protocol, and returns it as it stands
// between its quotes. Of members of one name the last counts, and only strings count. Where the input is not
// JSON the search ends. The result is a view of the object.
func ByProtocol(object []byte, protocol string) (literal []byte, ok bool) {
	at := space(object, 0)
	for sep := byte('{'); at < len(object) && object[at] == sep; sep = ',' {
		key, behind := quoted(object, space(object, at+1))
		at = space(object, behind)
		if key == nil || at == len(object) || object[at] != ':' {
			break
		}
		at = space(object, at+1)
		text, behind := quoted(object, at)
		if text == nil {
			behind = skip(object, at)
		} else if stands(key, protocol) {
			literal, ok = text, true
		}
		at = space(object, behind)
	}
	return literal, ok
}

// stands reports whether the inside of a JSON string stands for the word.
func stands(literal []byte, word string) bool {
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal) == word
	}
	var buf [64]byte
	return len(literal) <= len(buf) && string(AppendUnescaped(buf[:0], literal)) == word
}

func space(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}

// quoted returns the inside of the string that begins at a place, and the place behind it; nil when there is
// no string or it has no end.
func quoted(text []byte, at int) (inside []byte, behind int) {
	if at >= len(text) || text[at] != '"' {
		return nil, at
	}
	for i := at + 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return text[at+1 : i : i], i + 1
		case '\\':
			i++
		}
	}
	return nil, len(text)
}

// skip returns the place of the ',' or '}' behind the value that begins at a place, which is not a string.
func skip(text []byte, at int) int {
	for depth := 0; at < len(text); at++ {
		switch text[at] {
		case '"':
			_, behind := quoted(text, at)
			at = behind - 1
		case '[', '{':
			depth++
		case ',', ']', '}':
			if depth == 0 {
				return at
			}
			if text[at] != ',' {
				depth--
			}
		}
	}
	return at
}
