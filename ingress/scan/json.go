package scan

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"fanfare/engine/jsontext"
)

// JSONDepthMax is how deep arrays and objects may nest.
const JSONDepthMax = 64

// Faults of a JSON text.
var (
	ErrJSONSyntax    = errors.New("scan: not JSON")
	ErrJSONTruncated = errors.New("scan: JSON text ends too early")
	ErrJSONDepth     = errors.New("scan: JSON is nested too deep")
	ErrJSONUTF8      = errors.New("scan: JSON text is not UTF-8")
)

// JSONKind is the kind of a token.
type JSONKind uint8

// The tokens.
const (
	JSONInvalid   JSONKind = iota // the text is at fault, Err says how; the scanner stays here
	JSONEnd                       // the text is complete; the scanner stays here
	JSONObject                    // an object begins
	JSONObjectEnd                 // an object ends
	JSONArray                     // an array begins
	JSONArrayEnd                  // an array ends
	JSONKey                       // the name of a member; its value is next
	JSONString
	JSONNumber
	JSONTrue
	JSONFalse
	JSONNull
)

// JSON is a pull scanner over one JSON text, strict by RFC 8259: no byte order mark, no comments, nothing
// behind the value, UTF-8 only. An escaped surrogate without its other half is let through, as
// encoding/json does; unescaping makes it U+FFFD. Members of one name may repeat: whoever reads them lets
// the last one win, as encoding/json does.
//
// The zero value is a scanner of the empty text, which is a fault. Use Reset.
type JSON struct {
	text       []byte
	at         int // behind the current token
	start, end int // the current token
	depth      int
	objects    uint64 // bit d-1: the container at depth d is an object
	expect     jsonExpect
	kind       JSONKind
	err        error
}

// jsonExpect is what the grammar allows next. A value goes to jsonComma, or to jsonFirst behind '[' and
// jsonFirstKey behind '{'; a ',' goes to jsonValue in an array and to jsonName in an object; a name goes to
// jsonColon, and from there a value follows.
type jsonExpect uint8

const (
	jsonValue    jsonExpect = iota // a value
	jsonFirst                      // a value or ']'
	jsonFirstKey                   // a name or '}'
	jsonName                       // a name
	jsonColon                      // ':' and a value
	jsonComma                      // ',' or the end of the container, or of the text
)

// Reset makes the scanner begin with a text. It keeps a view of it.
func (s *JSON) Reset(text []byte) {
	*s = JSON{text: text}
	if !utf8.Valid(text) {
		s.err = ErrJSONUTF8
	}
}

// Text is the current token as written: a string or name without its quotes and still escaped (see
// jsontext.AppendUnescaped), a number, a literal. It is a view of the input, never nil.
func (s *JSON) Text() []byte { return s.text[s.start:s.end:s.end] }

// Err is the fault behind JSONInvalid, nil without one.
func (s *JSON) Err() error { return s.err }

// Key is the current name, unescaped. It is a view of the input, or of buf when it has escapes.
func (s *JSON) Key(buf []byte) []byte {
	key := s.Text()
	for _, c := range key {
		if c == '\\' {
			return jsontext.AppendUnescaped(buf[:0], key)
		}
	}
	return key
}

// Next moves to the next token.
func (s *JSON) Next() JSONKind {
	if s.err != nil {
		return JSONInvalid
	}
	s.kind = s.next()
	return s.kind
}

func (s *JSON) next() JSONKind {
	c := s.space()
	switch s.expect {
	case jsonComma:
		if s.depth == 0 {
			if s.at < len(s.text) {
				return s.fail(ErrJSONSyntax)
			}
			return JSONEnd
		}
		inObject := s.inObject()
		switch {
		case c == '}' && inObject, c == ']' && !inObject:
			return s.close()
		case c != ',':
			return s.fail(ErrJSONSyntax)
		}
		s.at++
		c = s.space()
		if inObject {
			return s.name(c)
		}
		return s.value(c)
	case jsonFirst:
		if c == ']' {
			return s.close()
		}
		return s.value(c)
	case jsonFirstKey:
		if c == '}' {
			return s.close()
		}
		return s.name(c)
	case jsonColon:
		if c != ':' {
			return s.fail(ErrJSONSyntax)
		}
		s.at++
		return s.value(s.space())
	default:
		return s.value(c)
	}
}

// Skip moves behind the value that Next has just begun and returns its whole text, with the quotes of a
// string; nil when the text is at fault. It is a view of the input.
func (s *JSON) Skip() []byte {
	start, depth, kind := s.start, s.depth, s.kind
	if kind == JSONString {
		start--
	}
	if kind == JSONObject || kind == JSONArray {
		for s.depth >= depth {
			s.Next()
			if s.err != nil {
				return nil
			}
		}
	}
	if kind == JSONInvalid {
		return nil
	}
	return s.text[start:s.at:s.at]
}

// JSONValid reports whether the text is one that the scanner accepts.
func JSONValid(text []byte) bool {
	var s JSON
	for s.Reset(text); ; {
		if kind := s.Next(); kind <= JSONEnd {
			return kind == JSONEnd
		}
	}
}

// fail records the first fault. At the end of the text a fault of the syntax is that it ends too early.
func (s *JSON) fail(err error) JSONKind {
	if errors.Is(err, ErrJSONSyntax) && s.at >= len(s.text) {
		err = ErrJSONTruncated
	}
	s.err = err
	s.start, s.end = len(s.text), len(s.text)
	return JSONInvalid
}

// space skips white space and returns the byte behind it, 0 at the end of the text.
func (s *JSON) space() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *JSON) inObject() bool { return s.objects>>(s.depth-1)&1 != 0 }

func (s *JSON) open(kind JSONKind, expect jsonExpect) JSONKind {
	if s.depth == JSONDepthMax {
		return s.fail(ErrJSONDepth)
	}
	s.objects &^= 1 << s.depth
	if kind == JSONObject {
		s.objects |= 1 << s.depth
	}
	s.depth++
	return s.token(kind, 1, expect)
}

func (s *JSON) close() JSONKind {
	kind := JSONArrayEnd
	if s.inObject() {
		kind = JSONObjectEnd
	}
	s.depth--
	return s.token(kind, 1, jsonComma)
}

// token ends a token of n bytes.
func (s *JSON) token(kind JSONKind, n int, expect jsonExpect) JSONKind {
	s.start, s.end = s.at, s.at+n
	s.at += n
	s.expect = expect
	return kind
}

func (s *JSON) name(c byte) JSONKind {
	if c != '"' {
		return s.fail(ErrJSONSyntax)
	}
	return s.quoted(JSONKey, jsonColon)
}

func (s *JSON) value(c byte) JSONKind {
	switch c {
	case '"':
		return s.quoted(JSONString, jsonComma)
	case '{':
		return s.open(JSONObject, jsonFirstKey)
	case '[':
		return s.open(JSONArray, jsonFirst)
	case 't':
		return s.literal(JSONTrue, "true")
	case 'f':
		return s.literal(JSONFalse, "false")
	case 'n':
		return s.literal(JSONNull, "null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number()
	default:
		return s.fail(ErrJSONSyntax)
	}
}

func (s *JSON) literal(kind JSONKind, word string) JSONKind {
	for i := range len(word) {
		if s.at+i == len(s.text) {
			return s.fail(ErrJSONTruncated)
		}
		if s.text[s.at+i] != word[i] {
			return s.fail(ErrJSONSyntax)
		}
	}
	return s.token(kind, len(word), jsonComma)
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *JSON) number() JSONKind {
	start, at := s.at, s.at
	if s.text[at] == '-' {
		at++
	}
	zero := at < len(s.text) && s.text[at] == '0'
	digits := jsonDigits(s.text, at)
	if digits == 0 || zero && digits > 1 {
		s.at = at
		return s.fail(ErrJSONSyntax)
	}
	at += digits
	if at < len(s.text) && s.text[at] == '.' {
		at++
		if digits = jsonDigits(s.text, at); digits == 0 {
			s.at = at
			return s.fail(ErrJSONSyntax)
		}
		at += digits
	}
	if at < len(s.text) && s.text[at]|0x20 == 'e' {
		at++
		if at < len(s.text) && (s.text[at] == '+' || s.text[at] == '-') {
			at++
		}
		if digits = jsonDigits(s.text, at); digits == 0 {
			s.at = at
			return s.fail(ErrJSONSyntax)
		}
		at += digits
	}
	return s.token(JSONNumber, at-start, jsonComma)
}

func jsonDigits(text []byte, at int) int {
	n := 0
	for at+n < len(text) && text[at+n]-'0' <= 9 {
		n++
	}
	return n
}

// quoted reads a string from its opening quote.
func (s *JSON) quoted(kind JSONKind, expect jsonExpect) JSONKind {
	at := s.at + 1
	if n := bytes.IndexByte(s.text[at:], '"'); n >= 0 && plainJSON(s.text[at:at+n]) {
		return s.string(kind, expect, at+n)
	}
	for {
		at += jsontext.IndexSpecial(s.text[at:])
		if at == len(s.text) {
			s.at = at
			return s.fail(ErrJSONTruncated)
		}
		switch s.text[at] {
		case '"':
			return s.string(kind, expect, at)
		case '\\':
			n := jsonEscape(s.text[at:])
			if n == 0 {
				s.at = min(at+2, len(s.text))
				return s.fail(ErrJSONSyntax)
			}
			at += n
		default: // a control character
			s.at = at
			return s.fail(ErrJSONSyntax)
		}
	}
}

// string ends a string whose closing quote is at a place.
func (s *JSON) string(kind JSONKind, expect jsonExpect, quote int) JSONKind {
	s.start, s.end = s.at+1, quote
	s.at = quote + 1
	s.expect = expect
	return kind
}

// plainJSON reports whether a string up to its first quote has no escape and no control character.
func plainJSON(text []byte) bool { return bytes.IndexByte(text, '\\') < 0 && !hasControl(text) }

// jsonEscape returns the length of the escape that text begins with, 0 when it is none.
func jsonEscape(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := jsonHex4(text); ok {
			return 6
		}
	}
	return 0
}

// jsonHex4 reads the code of an escape \uXXXX.
func jsonHex4(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
