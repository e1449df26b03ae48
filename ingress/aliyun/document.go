package aliyun

import (
	"errors"

	"fanfare/engine"
	"fanfare/ingress/scan"
)

// Faults of a document that is XML.
var (
	ErrRoot     = errors.New("aliyun: document has another root")
	ErrRepeated = errors.New("aliyun: a child is there twice")
)

// Namespace is what the root of a document says of its name space.
type Namespace uint8

// The name spaces.
const (
	NamespaceOurs    Namespace = iota + 1 // the protocol's, with or without the slash at its end
	NamespaceMissing                      // none, or the empty one
	NamespaceForeign                      // another, or a prefix that was not declared
)

// Document reads the XML of a request. Open reads the root's tag; each Next then moves to the next child and
// must be followed by AppendText, by Skip, or by Nexts for its own children up to the one that returns nil;
// behind the root's last child comes Close. Elements of a foreign name space, and text between elements, are
// passed over.
type Document struct {
	dialect  *Dialect
	xml      scan.XML
	root     [declarationsMax]declaration // what the root declares, read once: its tag may be as long as the document
	declared int                          // of root
	buf      [256]byte                    // all that scan.XMLDeclared expands
}

// declarationsMax is how many name spaces a root may declare.
const declarationsMax = 16

type declaration struct {
	prefix    []byte // a view of the body, empty for the default
	namespace Namespace
}

// Open reads the start of a document with this root. The document keeps a view of the body.
func (d *Document) Open(dialect *Dialect, body []byte, root string) (Namespace, error) {
	d.dialect, d.declared = dialect, 0
	d.xml.Reset(body)
	if d.xml.Next() != scan.XMLOpen {
		return 0, d.xml.Err()
	}
	if string(d.xml.Local()) != root {
		return 0, ErrRoot
	}
	for at := 0; ; {
		prefix, uri, next, ok := scan.XMLNextDeclared(d.xml.Attributes(), at, d.buf[:0])
		switch {
		case !ok:
			return d.declaredByRoot(d.xml.Prefix()), nil // which is the element itself
		case d.declared == declarationsMax:
			return 0, scan.ErrXMLLimit
		}
		d.root[d.declared] = declaration{prefix, d.known(uri)}
		d.declared++
		at = next
	}
}

// Next moves to the next child and returns its name without the prefix, nil when there are no more. The name
// is a view of the body.
func (d *Document) Next() ([]byte, error) {
	for {
		switch d.xml.Next() {
		case scan.XMLOpen:
			if d.namespace() != NamespaceForeign {
				return d.xml.Local(), nil
			}
			if err := d.xml.Skip(); err != nil {
				return nil, err
			}
		case scan.XMLClose:
			return nil, nil
		case scan.XMLText:
		default:
			return nil, d.xml.Err()
		}
	}
}

// AppendText appends the text of the child, which must have no elements inside: scan.ErrXMLElement.
func (d *Document) AppendText(dst []byte) ([]byte, error) { return d.xml.AppendElement(dst) }

// ReadField reads the text of the child into a field of a message, which must not be set yet: ErrRepeated. An empty
// child is as good as none, but for the body, which must be there and must not be empty.
func (d *Document) ReadField(m *engine.Message, field engine.Field) error {
	if m.Has(field) {
		return ErrRepeated
	}
	arena := m.Begin(field)
	start := len(arena)
	arena, err := d.AppendText(arena)
	if err != nil {
		return err
	}
	if len(arena) == start && field != engine.FieldBody {
		m.Discard(arena)
		return nil
	}
	m.End(arena)
	return nil
}

// AppendOwnText appends the text of the child without that of the elements inside.
func (d *Document) AppendOwnText(dst []byte) ([]byte, error) {
	for {
		var err error
		dst, err = d.xml.AppendElement(dst)
		if !errors.Is(err, scan.ErrXMLElement) {
			return dst, err
		}
		if err := d.xml.Skip(); err != nil {
			return dst, err
		}
	}
}

// Skip passes over the child.
func (d *Document) Skip() error { return d.xml.Skip() }

// Close reads what is behind the root.
func (d *Document) Close() error {
	if d.xml.Next() != scan.XMLEnd {
		return d.xml.Err()
	}
	return nil
}

// namespace is that of the current element. Prefixes may be declared by the element itself or by the root.
func (d *Document) namespace() Namespace {
	prefix := d.xml.Prefix()
	if uri, ok := scan.XMLDeclared(d.xml.Attributes(), prefix, d.buf[:0]); ok {
		return d.known(uri)
	}
	return d.declaredByRoot(prefix)
}

// declaredByRoot is the name space that a prefix has where nothing but the root declares one.
func (d *Document) declaredByRoot(prefix []byte) Namespace {
	for _, declared := range d.root[:d.declared] {
		if string(declared.prefix) == string(prefix) {
			return declared.namespace
		}
	}
	if len(prefix) == 0 {
		return NamespaceMissing
	}
	return NamespaceForeign
}

// known is what the name of a name space says.
func (d *Document) known(uri []byte) Namespace {
	ours := d.dialect.Namespace
	switch {
	case len(uri) == 0:
		return NamespaceMissing
	case string(uri) == ours, string(uri) == ours[:len(ours)-1]:
		return NamespaceOurs
	default:
		return NamespaceForeign
	}
}
