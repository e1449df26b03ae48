package scan

import (
	"bytes"
	"errors"
)

// Source: Extensible Markup Language (XML) 1.0, fifth edition, without document types, and Namespaces in
// XML 1.0 as far as names go. What encoding/xml decides the scanner decides alike; it is stricter about
// what encoding/xml leaves open: one root with nothing but space, comments and instructions around it, no
// attribute twice, no reference to a surrogate.

// Limits of a document.
const (
	XMLDepthMax      = 64 // elements open at one time
	XMLAttributesMax = 64 // of one element
)

// Faults of an XML document.
var (
	ErrXMLSyntax    = errors.New("scan: XML is not well-formed")
	ErrXMLDoctype   = errors.New("scan: XML has a markup declaration")
	ErrXMLEncoding  = errors.New("scan: XML is not UTF-8")
	ErrXMLCharacter = errors.New("scan: XML has a character that XML 1.0 forbids")
	ErrXMLLimit     = errors.New("scan: XML is nested too deep or has too many attributes")
	// ErrXMLElement is told by AppendElement alone.
	ErrXMLElement = errors.New("scan: XML has an element where only text belongs")
)

// XMLKind is the kind of a token.
type XMLKind uint8

// The tokens. Comments and processing instructions are skipped.
const (
	XMLInvalid XMLKind = iota // the document is at fault, Err says how; the scanner stays here
	XMLEnd                    // the document is complete; the scanner stays here
	XMLOpen                   // an element begins
	XMLClose                  // an element ends, which an empty-element tag does at once
	XMLText                   // text between two tags, or a CDATA section
)

// XML is a pull scanner over one XML document. It expands the five predefined and the numeric references and
// refuses every markup declaration, so a document is never larger than it looks.
//
// The zero value is a scanner of the empty document, which is a fault. Use Reset.
type XML struct {
	text  []byte
	at    int // behind the current token
	depth int // elements open
	err   error

	name  []byte // of the current tag, with its prefix
	attrs []byte // what stands between the name and the end of the current start tag
	raw   []byte // the current text, as written

	kind   XMLKind
	cdata  bool // raw is of a CDATA section
	plain  bool // raw is its own meaning
	empty  bool // the current tag is an empty-element tag; its end is next
	rooted bool // the root has begun

	open [XMLDepthMax]xmlSpan // names of the open elements
}

type xmlSpan struct{ start, end uint32 }

var (
	xmlByteOrderMark = []byte("\ufeff")
	xmlDeclaration   = []byte("<?xml")
	// what most documents begin with; declaration would find nothing wrong with it
	xmlUsualDeclaration = []byte(`<?xml version="1.0" encoding="UTF-8"?>`)
	xmlCommentOpen      = []byte("<!--")
	xmlCommentEnd       = []byte("--")
	xmlCDATAOpen        = []byte("<![CDATA[")
	xmlCDATAEnd         = []byte("]]>")
	xmlPIEnd            = []byte("?>")
	xmlNamespace        = []byte("xmlns")
	xmlUTF8             = []byte("utf-8")
)

// Reset makes the scanner begin with a document. It keeps a view of it.
func (s *XML) Reset(text []byte) {
	// The names of the open elements need no clearing.
	s.text, s.at, s.depth = text, 0, 0
	s.name, s.attrs, s.raw = nil, nil, nil
	s.kind, s.cdata, s.plain, s.empty, s.rooted = XMLInvalid, false, false, false, false
	s.err = xmlCharacters(text)
	if s.err == nil && bytes.HasPrefix(text, xmlByteOrderMark) {
		s.at = len(xmlByteOrderMark)
	}
	switch {
	case s.err != nil:
	case s.has(xmlUsualDeclaration):
		s.at += len(xmlUsualDeclaration)
	case s.has(xmlDeclaration):
		s.declaration()
	}
}

// Err is the fault behind XMLInvalid, nil without one.
func (s *XML) Err() error { return s.err }

// Name is the name of the current tag, with its prefix. It is a view of the input.
func (s *XML) Name() []byte { return s.name }

// Local is the name of the current tag without its prefix. It is a view of the input.
func (s *XML) Local() []byte {
	_, local := xmlSplit(s.name)
	return local
}

// Prefix is the prefix of the current tag, empty without one. It is a view of the input.
func (s *XML) Prefix() []byte {
	prefix, _ := xmlSplit(s.name)
	return prefix
}

// Attributes is what stands between the name and the end of the current start tag, nil at an end tag; for
// XMLDeclared. It is a view of the input.
func (s *XML) Attributes() []byte { return s.attrs }

// xmlNamespaceBytesMax is the length up to which the references in the name of a name space are expanded. It is far
// above that of every name the faces know; without it a document could have much text expanded again and again.
const xmlNamespaceBytesMax = 256

// XMLDeclared returns the name space that a start tag's attributes declare for a prefix, or, for the empty one,
// as the default; ok is false when they declare none. It is a view of the attributes, or of buf when it has
// references.
func XMLDeclared(attributes, prefix, buf []byte) (uri []byte, ok bool) {
	for at := 0; ; {
		declared, uri, next, more := XMLNextDeclared(attributes, at, buf)
		if !more {
			return nil, false
		}
		if bytes.Equal(declared, prefix) {
			return uri, true
		}
		at = next
	}
}

// XMLNextDeclared returns the next name space that a start tag's attributes declare, from an offset on, and the offset
// behind it. The prefix is a view of the attributes, empty for the default; the name is as XMLDeclared has it.
func XMLNextDeclared(attributes []byte, at int, buf []byte) (prefix, uri []byte, next int, ok bool) {
	for {
		name, value, next, more := xmlAttribute(attributes, at)
		if !more {
			return nil, nil, 0, false
		}
		at = next
		space, local := xmlSplit(name)
		switch {
		case bytes.Equal(name, xmlNamespace):
			prefix = nil
		case bytes.Equal(space, xmlNamespace):
			prefix = local
		default:
			continue
		}
		if len(value) <= xmlNamespaceBytesMax && bytes.IndexByte(value, '&') >= 0 {
			value = AppendXMLUnescaped(buf[:0], value)
		}
		return prefix, value, next, true
	}
}

// AppendText appends the current text, unescaped.
func (s *XML) AppendText(dst []byte) []byte {
	switch {
	case s.plain:
		return append(dst, s.raw...)
	case s.cdata:
		return appendXMLLines(dst, s.raw)
	default:
		return AppendXMLUnescaped(dst, s.raw)
	}
}

// IsSpace reports whether the current text is nothing but white space between tags.
func (s *XML) IsSpace() bool { return xmlSpaces(s.raw) }

// AppendElement appends the text of the element that Next has just begun, and moves behind its end. An
// element inside is a fault, but one the scanner goes on from: ErrXMLElement.
func (s *XML) AppendElement(dst []byte) ([]byte, error) {
	for {
		switch s.Next() {
		case XMLText:
			dst = s.AppendText(dst)
		case XMLClose:
			return dst, nil
		case XMLOpen:
			return dst, ErrXMLElement
		default:
			return dst, s.err
		}
	}
}

// Skip moves behind the end of the element that Next has just begun.
func (s *XML) Skip() error {
	for depth := s.depth; s.depth >= depth; {
		if s.Next() == XMLInvalid {
			return s.err
		}
	}
	return nil
}

// Next moves to the next token.
func (s *XML) Next() XMLKind {
	s.kind = s.next()
	return s.kind
}

func (s *XML) next() XMLKind {
	if s.empty {
		s.empty = false
		s.depth--
		return XMLClose
	}
	for s.err == nil {
		switch {
		case s.at == len(s.text):
			if s.depth > 0 || !s.rooted {
				return s.fail(ErrXMLSyntax)
			}
			return XMLEnd
		case s.text[s.at] != '<':
			if s.characters() {
				return XMLText
			}
		case s.at+1 == len(s.text):
			return s.fail(ErrXMLSyntax)
		default:
			switch s.text[s.at+1] {
			case '/':
				return s.endTag()
			case '?':
				s.instruction()
			case '!':
				if s.declared() {
					return XMLText
				}
			default:
				return s.startTag()
			}
		}
	}
	return XMLInvalid
}

func (s *XML) fail(err error) XMLKind {
	s.err = err
	return XMLInvalid
}

func (s *XML) has(prefix []byte) bool { return bytes.HasPrefix(s.text[s.at:], prefix) }

// characters takes the text up to the next tag and reports whether it is a token.
func (s *XML) characters() bool {
	raw := s.text[s.at:]
	if i := bytes.IndexByte(raw, '<'); i >= 0 {
		raw = raw[:i]
	}
	s.at += len(raw)
	if s.depth == 0 {
		if !xmlSpaces(raw) {
			s.fail(ErrXMLSyntax)
		}
		return false
	}
	references := bytes.IndexByte(raw, '&') >= 0
	if references {
		s.err = xmlReferences(raw)
	}
	if s.err == nil && bytes.Contains(raw, xmlCDATAEnd) {
		s.fail(ErrXMLSyntax)
	}
	s.raw, s.cdata, s.plain = raw, false, !references && bytes.IndexByte(raw, '\r') < 0
	return s.err == nil
}

// declared takes what begins with "<!" and reports whether it is a token: a comment is not, a CDATA section
// is, and everything else belongs to document types.
func (s *XML) declared() bool {
	switch {
	case s.has(xmlCommentOpen):
		from := s.at + len(xmlCommentOpen)
		end := bytes.Index(s.text[from:], xmlCommentEnd)
		if end < 0 || from+end+2 >= len(s.text) || s.text[from+end+2] != '>' {
			s.fail(ErrXMLSyntax)
			return false
		}
		s.at = from + end + len("-->")
		return false
	case s.has(xmlCDATAOpen):
		from := s.at + len(xmlCDATAOpen)
		end := bytes.Index(s.text[from:], xmlCDATAEnd)
		if end < 0 || s.depth == 0 {
			s.fail(ErrXMLSyntax)
			return false
		}
		s.raw, s.cdata = s.text[from:from+end], true
		s.plain = bytes.IndexByte(s.raw, '\r') < 0
		s.at = from + end + len(xmlCDATAEnd)
		return true
	case s.at+2 < len(s.text) && s.text[s.at+2] != '-' && s.text[s.at+2] != '[':
		s.fail(ErrXMLDoctype)
	default:
		s.fail(ErrXMLSyntax)
	}
	return false
}

// instruction skips a processing instruction.
func (s *XML) instruction() {
	from := s.at + len("<?")
	end := xmlName(s.text, from)
	if end == from || string(s.text[from:end]) == "xml" { // a declaration is one at the very beginning alone
		s.fail(ErrXMLSyntax)
		return
	}
	length := bytes.Index(s.text[end:], xmlPIEnd)
	if length < 0 {
		s.fail(ErrXMLSyntax)
		return
	}
	s.at = end + length + len(xmlPIEnd)
}

// declaration takes the XML declaration that the document begins with.
func (s *XML) declaration() {
	from := s.at + len(xmlDeclaration)
	if from < len(s.text) && xmlName(s.text, s.at+len("<?")) > from {
		return // an instruction whose name begins alike
	}
	length := bytes.Index(s.text[from:], xmlPIEnd)
	if length < 0 {
		s.fail(ErrXMLSyntax)
		return
	}
	attrs := s.text[from : from+length]
	s.at = from + length + len(xmlPIEnd)
	at := 0
	for {
		name, value, next, ok := xmlAttribute(attrs, at)
		if !ok {
			break
		}
		at = next
		switch string(name) {
		case "version":
			if string(value) != "1.0" {
				s.fail(ErrXMLSyntax)
			}
		case "encoding":
			if !bytes.EqualFold(value, xmlUTF8) {
				s.fail(ErrXMLEncoding)
			}
		case "standalone":
		default:
			s.fail(ErrXMLSyntax)
		}
	}
	if s.err == nil && !xmlSpaces(attrs[at:]) {
		s.fail(ErrXMLSyntax)
	}
}

func (s *XML) startTag() XMLKind {
	start := s.at + 1
	end := xmlTagName(s.text, start)
	if end == start {
		return s.fail(ErrXMLSyntax)
	}
	at, count := end, 0
	for {
		name, value, next, ok := xmlAttribute(s.text, at)
		if !ok {
			break
		}
		if count++; count > XMLAttributesMax {
			return s.fail(ErrXMLLimit)
		}
		if bytes.IndexByte(value, '<') >= 0 || xmlRepeats(s.text[end:at], name) {
			return s.fail(ErrXMLSyntax)
		}
		if err := xmlReferences(value); err != nil {
			return s.fail(err)
		}
		at = next
	}
	attrs := s.text[end:at]
	at = xmlSkipSpace(s.text, at)
	if at < len(s.text) && s.text[at] == '/' {
		s.empty = true
		at++
	}
	if at >= len(s.text) || s.text[at] != '>' || s.depth == 0 && s.rooted {
		s.empty = false
		return s.fail(ErrXMLSyntax)
	}
	if s.depth == XMLDepthMax {
		s.empty = false
		return s.fail(ErrXMLLimit)
	}
	s.open[s.depth] = xmlSpan{uint32(start), uint32(end)}
	s.depth++
	s.rooted = true
	s.name, s.attrs, s.at = s.text[start:end], attrs, at+1
	return XMLOpen
}

func (s *XML) endTag() XMLKind {
	start := s.at + len("</")
	end := xmlTagName(s.text, start)
	at := xmlSkipSpace(s.text, end)
	if end == start || at >= len(s.text) || s.text[at] != '>' || s.depth == 0 {
		return s.fail(ErrXMLSyntax)
	}
	opened := s.open[s.depth-1]
	if !bytes.Equal(s.text[start:end], s.text[opened.start:opened.end]) {
		return s.fail(ErrXMLSyntax)
	}
	s.depth--
	s.name, s.attrs, s.at = s.text[start:end], nil, at+1
	return XMLClose
}

// xmlAttribute reads the attribute that begins behind the white space at an offset; ok is false when there is
// none that is complete.
func xmlAttribute(text []byte, at int) (name, value []byte, next int, ok bool) {
	start := xmlSkipSpace(text, at)
	end := xmlTagName(text, start)
	at = xmlSkipSpace(text, end)
	if end == start || at >= len(text) || text[at] != '=' {
		return nil, nil, 0, false
	}
	at = xmlSkipSpace(text, at+1)
	if at >= len(text) || text[at] != '"' && text[at] != '\'' {
		return nil, nil, 0, false
	}
	length := bytes.IndexByte(text[at+1:], text[at])
	if length < 0 {
		return nil, nil, 0, false
	}
	return text[start:end], text[at+1 : at+1+length], at + length + 2, true
}

// xmlRepeats reports whether one of the attributes has the name.
func xmlRepeats(attrs, name []byte) bool {
	for at := 0; ; {
		other, _, next, ok := xmlAttribute(attrs, at)
		if !ok {
			return false
		}
		if bytes.Equal(other, name) {
			return true
		}
		at = next
	}
}

func xmlSkipSpace(text []byte, at int) int {
	for at < len(text) && xmlIsSpace(text[at]) {
		at++
	}
	return at
}

func xmlIsSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func xmlSpaces(text []byte) bool { return xmlSkipSpace(text, 0) == len(text) }
