package sns

import (
	"maps"
	"slices"
	"unicode/utf8"
)

const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// outBytesKept is the largest reply buffer that goes back to the pool.
const outBytesKept = 64 << 10

// xmlWriter writes a document indented by two spaces, as AWS does.
type xmlWriter struct {
	buf   []byte
	depth int
}

func (w *xmlWriter) reset() {
	if cap(w.buf) > outBytesKept {
		w.buf = nil
	}
	w.buf, w.depth = w.buf[:0], 0
}

func (w *xmlWriter) indent() {
	for range w.depth {
		w.buf = append(w.buf, ' ', ' ')
	}
}

func (w *xmlWriter) tag(before, name, after string) {
	w.buf = append(w.buf, before...)
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, after...)
}

// root opens the document.
func (w *xmlWriter) root(name, suffix string) {
	w.tag("<", name, suffix)
	w.tag(" xmlns=\"", namespace, "\">\n")
	w.depth = 1
}

func (w *xmlWriter) open(name, suffix string) {
	w.indent()
	w.tag("<", name, suffix)
	w.buf = append(w.buf, '>', '\n')
	w.depth++
}

func (w *xmlWriter) close(name, suffix string) {
	w.depth--
	w.indent()
	w.tag("</", name, suffix)
	w.buf = append(w.buf, '>', '\n')
}

// empty writes an element without content.
func (w *xmlWriter) empty(name string) {
	w.indent()
	w.tag("<", name, "/>\n")
}

// leaf writes an element with text.
func (w *xmlWriter) leaf(name, text string) {
	if text == "" {
		w.empty(name)
		return
	}
	w.begin(name)
	w.buf = appendXMLText(w.buf, text)
	w.end(name)
}

// list writes a list of n members; fn writes what is in one.
func (w *xmlWriter) list(name string, n int, fn func(i int)) {
	if n == 0 {
		w.empty(name)
		return
	}
	w.open(name, "")
	for i := range n {
		w.open("member", "")
		fn(i)
		w.close("member", "")
	}
	w.close(name, "")
}

// attributes writes a map of attributes, in the order of their names.
func (w *xmlWriter) attributes(attributes map[string]string) { w.entries("Attributes", attributes) }

func (w *xmlWriter) entries(name string, entries map[string]string) {
	if len(entries) == 0 {
		w.empty(name)
		return
	}
	w.open(name, "")
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		w.open("entry", "")
		w.leaf("key", key)
		w.leaf("value", entries[key])
		w.close("entry", "")
	}
	w.close(name, "")
}

// next writes the token of the page behind this one, unless there is none.
func (w *xmlWriter) next(name, token string) {
	if token != "" {
		w.leaf(name, token)
	}
}

// begin opens an element whose text the caller appends to buf before end.
func (w *xmlWriter) begin(name string) {
	w.indent()
	w.tag("<", name, ">")
}

func (w *xmlWriter) end(name string) { w.tag("</", name, ">\n") }

// appendXMLText appends text escaped. What XML cannot hold becomes U+FFFD.
func appendXMLText(dst []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\r':
			dst = append(dst, "&#xD;"...)
		case r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
