package scan

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Source: XML 1.0, fifth edition, productions Char, NameStartChar and NameChar.

// xmlSplit takes a name apart. A ':' at either end is part of the name, as encoding/xml has it.
func xmlSplit(name []byte) (prefix, local []byte) {
	if i := bytes.IndexByte(name, ':'); i > 0 && i < len(name)-1 {
		return name[:i], name[i+1:]
	}
	return nil, name
}

// xmlTagName returns the end of the element's or attribute's name at an offset, which has at most one ':';
// the offset itself when there is none.
func xmlTagName(text []byte, at int) int {
	end := at
	for end < len(text) && xmlNameBytes[text[end]] == xmlNameStart && text[end] != ':' {
		end++
	}
	if end > at && end < len(text) && xmlNameBytes[text[end]] == 0 && text[end] < utf8.RuneSelf {
		return end // nothing but letters, as nearly always
	}
	end = xmlName(text, at)
	if i := bytes.IndexByte(text[at:end], ':'); i >= 0 && bytes.IndexByte(text[at+i+1:end], ':') >= 0 {
		return at
	}
	return end
}

// xmlName returns the end of the name at an offset, the offset itself when there is none.
func xmlName(text []byte, at int) int {
	end := at
	for end < len(text) {
		c := text[end]
		size, ok := 1, xmlNameBytes[c] != 0 && (end > at || xmlNameBytes[c] == xmlNameStart)
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRune(text[end:])
			ok = xmlNameRune(r, end == at)
			if !ok {
				return at // the name is wrong, not over
			}
		}
		if !ok {
			break
		}
		end += size
	}
	return end
}

const (
	xmlNameStart = 1 // may begin a name
	xmlNameInner = 2 // may go on one
)

var xmlNameBytes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == ':':
			t[c] = xmlNameStart
		case c >= '0' && c <= '9', c == '-', c == '.':
			t[c] = xmlNameInner
		}
	}
	return t
}()

// xmlNameRune is the productions NameStartChar and NameChar beyond ASCII.
func xmlNameRune(r rune, first bool) bool {
	switch {
	case r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7,
		r >= 0x370 && r <= 0x1FFF && r != 0x37E,
		r == 0x200C, r == 0x200D,
		r >= 0x2070 && r <= 0x218F,
		r >= 0x2C00 && r <= 0x2FEF,
		r >= 0x3001 && r <= 0xD7FF,
		r >= 0xF900 && r <= 0xFDCF,
		r >= 0xFDF0 && r <= 0xFFFD,
		r >= 0x10000 && r <= 0xEFFFF:
		return true
	}
	return !first && (r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040)
}

// xmlCharacters reports what is wrong with the characters of a document: an encoding that is not UTF-8, or a
// character outside the production Char. Eight bytes are looked at in one step.
func xmlCharacters(text []byte) error {
	const (
		ones = 0x0101010101010101
		tops = 0x8080808080808080
	)
	var err error
	ascii, rest := true, text
	for len(rest) >= 8 {
		w := binary.LittleEndian.Uint64(rest)
		if w&tops != 0 {
			ascii = false
		}
		if (w-ones*' ')&^w&tops != 0 && xmlHasControl(rest[:8]) { // some byte is below a space
			err = ErrXMLCharacter
		}
		rest = rest[8:]
	}
	for _, c := range rest {
		if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	if xmlHasControl(rest) {
		err = ErrXMLCharacter
	}
	if ascii {
		return err
	}
	if !utf8.Valid(text) {
		return ErrXMLEncoding
	}
	// U+FFFE and U+FFFF are the only ones that UTF-8 can say and XML cannot.
	for rest := text; err == nil; {
		i := bytes.IndexByte(rest, 0xEF)
		if i < 0 {
			break
		}
		if rest[i+1] == 0xBF && rest[i+2] >= 0xBE {
			err = ErrXMLCharacter
		}
		rest = rest[i+3:]
	}
	return err
}

func xmlHasControl(text []byte) bool {
	for _, c := range text {
		if c < ' ' && !xmlIsSpace(c) {
			return true
		}
	}
	return false
}
