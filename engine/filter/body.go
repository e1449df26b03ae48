package filter

import (
	"unicode/utf8"

	"fanfare/engine/jsontext"
)

// MatchBody reports whether a body matches. The policy's scope must be MessageBody.
func (p *Policy) MatchBody(body []byte) bool {
	if len(p.fields) == 0 {
		return true
	}
	s := scanner{policy: p, text: body}
	if !s.object() {
		return false
	}
	e := Evaluation{found: s.found, met: s.met}
	return p.Verdict(&e)
}

// scanner reads a JSON text once, from its beginning to its end, and notes which fields are found and met. It keeps no
// tree: where it is in the text is the call stack, where it is in the policy is a place.
type scanner struct {
	policy *Policy
	text   []byte
	at     int
	depth  int

	found set
	met   set

	list *[]listed // when not nil, it gets the values instead
	full bool      // there were more than it takes
}

// listed is a value and the number of its field.
type listed struct {
	field int
	value value
}

// place is what a policy says of a value: the fields that it is a value of, and those that lie deeper, below the keys
// of the value if it is an object. Both are ranges, since the fields are sorted.
type place struct {
	first, end    int
	deep, deepEnd int
	offset        int // in the deeper fields' paths: where the key of the next object begins
}

// object reads a text that is one object.
func (s *scanner) object() bool {
	return s.whole('{', place{deepEnd: len(s.policy.fields)})
}

// array reads a text that is one array.
func (s *scanner) array(members place) bool { return s.whole('[', members) }

func (s *scanner) whole(begin byte, p place) bool {
	if !utf8.Valid(s.text) {
		return false
	}
	if s.space(); s.at == len(s.text) || s.text[s.at] != begin || !s.value(p) {
		return false
	}
	s.space()
	return s.at == len(s.text)
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// skip moves over a byte, if it is the next.
func (s *scanner) skip(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// value reads any value and reports whether it is JSON.
func (s *scanner) value(p place) bool {
	if s.at == len(s.text) {
		return false
	}
	switch c := s.text[s.at]; c {
	case '{':
		return s.members(p)
	case '[':
		return s.elements(p)
	case '"':
		text, ok := s.quoted()
		if ok && p.first < p.end {
			s.leaf(p, &value{kind: kindString, text: text})
		}
		return ok
	case 't':
		return s.word(p, "true", kindTrue)
	case 'f':
		return s.word(p, "false", kindFalse)
	case 'n':
		return s.word(p, "null", kindNull)
	default:
		return s.number(p)
	}
}

// leaf notes a value.
func (s *scanner) leaf(p place, v *value) {
	for i := p.first; i < p.end; i++ {
		if s.list != nil {
			s.add(i, v)
			continue
		}
		s.found.add(i)
		if !s.met.has(i) && s.policy.fields[i].meets(v) {
			s.met.add(i)
		}
	}
}

func (s *scanner) add(field int, v *value) {
	if s.full = s.full || len(*s.list) == listedMax; !s.full {
		*s.list = append(*s.list, listed{field, *v})
	}
}

// members reads an object.
func (s *scanner) members(p place) bool {
	if s.depth++; s.depth > DepthMax {
		return false
	}
	s.at++
	if s.space(); s.skip('}') {
		s.depth--
		return true
	}
	for {
		key, ok := s.quoted()
		if !ok {
			return false
		}
		if s.space(); !s.skip(':') {
			return false
		}
		var below place
		if p.deep < p.deepEnd {
			below = s.policy.below(p, key)
		}
		if s.space(); !s.value(below) {
			return false
		}
		s.space()
		if s.skip('}') {
			s.depth--
			return true
		}
		if !s.skip(',') {
			return false
		}
		s.space()
	}
}

// below is the place of a key's value in an object.
func (p *Policy) below(at place, key literal) place {
	b := place{}
	for i := at.deep; i < at.deepEnd; i++ {
		path := p.fields[i].path
		switch end := key.within(path, at.offset); {
		case end < 0:
		case end == len(path):
			if b.first == b.end {
				b.first = i
			}
			b.end = i + 1
		case path[end] == '.':
			if b.deep == b.deepEnd {
				b.deep, b.offset = i, end+1
			}
			b.deepEnd = i + 1
		}
	}
	return b
}

// elements reads an array; its elements are where it is.
func (s *scanner) elements(p place) bool {
	if s.depth++; s.depth > DepthMax {
		return false
	}
	s.at++
	if s.space(); s.skip(']') {
		s.depth--
		return true
	}
	for {
		if !s.value(p) {
			return false
		}
		s.space()
		if s.skip(']') {
			s.depth--
			return true
		}
		if !s.skip(',') {
			return false
		}
		s.space()
	}
}

func (s *scanner) word(p place, word string, k kind) bool {
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	if p.first < p.end {
		s.leaf(p, &value{kind: k})
	}
	return true
}

func (s *scanner) number(p place) bool {
	first := s.at
	s.skip('-')
	if !s.skip('0') && !s.digits() {
		return false
	}
	if s.skip('.') && !s.digits() {
		return false
	}
	if s.skip('e') || s.skip('E') {
		if !s.skip('+') {
			s.skip('-')
		}
		if !s.digits() {
			return false
		}
	}
	if p.first < p.end {
		n, _ := parseDecimal(s.text[first:s.at])
		s.leaf(p, &value{kind: kindNumber, number: n})
	}
	return true
}

// digits moves over one or more.
func (s *scanner) digits() bool {
	first := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > first
}

// quoted reads a string.
func (s *scanner) quoted() (text literal, ok bool) {
	if !s.skip('"') {
		return text, false
	}
	first := s.at
	for {
		s.at += jsontext.IndexSpecial(s.text[s.at:])
		if s.at == len(s.text) {
			return text, false
		}
		switch s.text[s.at] {
		case '"':
			text.text = s.text[first:s.at]
			s.at++
			return text, true
		case '\\':
			text.escaped = true
			if !s.escape() {
				return text, false
			}
		default:
			return text, false // a control character
		}
	}
}

// escape moves over an escape.
func (s *scanner) escape() bool {
	s.at += 2
	if s.at > len(s.text) {
		return false
	}
	switch s.text[s.at-1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
	default:
		return false
	}
	for range 4 {
		if s.at == len(s.text) {
			return false
		}
		if c := s.text[s.at]; c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
		s.at++
	}
	return true
}
