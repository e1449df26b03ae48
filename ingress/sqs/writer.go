package sqs

import (
	"strconv"

	"fanfare/engine/jsontext"
	"fanfare/ingress/scan"
)

const namespace = "http://queue.amazonaws.com/doc/2012-11-05/"

// outBytesKept is the largest reply buffer that goes back to the pool.
const outBytesKept = 64 << 10

// writer writes a reply of either protocol. What is a list or a map in JSON is a run of elements of one name in XML.
type writer struct {
	buf  []byte
	json bool
}

func (w *writer) reset(json bool) {
	if cap(w.buf) > outBytesKept {
		w.buf = nil
	}
	w.buf, w.json = w.buf[:0], json
}

func (w *writer) raw(text string) { w.buf = append(w.buf, text...) }

// member begins a member of an object, or of a list when it has no name. In JSON a comma stands before all but the first.
func (w *writer) member(name string) {
	if n := len(w.buf); n > 0 && w.buf[n-1] != '{' && w.buf[n-1] != '[' {
		w.buf = append(w.buf, ',')
	}
	if name != "" {
		w.buf = append(w.buf, '"')
		w.buf = append(w.buf, name...)
		w.buf = append(w.buf, '"', ':')
	}
}

func (w *writer) element(name string) {
	w.buf = append(w.buf, '<')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '>')
}

func (w *writer) endElement(name string) {
	w.buf = append(w.buf, '<', '/')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '>')
}

// root begins an XML document.
func (w *writer) root(name, suffix string) {
	w.raw("<?xml version=\"1.0\"?><")
	w.raw(name)
	w.raw(suffix)
	w.raw(" xmlns=\"" + namespace + "\">")
}

// open begins an object of JSON.
func (w *writer) open() { w.buf = append(w.buf, '{') }

func (w *writer) close() { w.buf = append(w.buf, '}') }

// begin opens a text that the caller appends to buf before end, and that needs no escaping.
func (w *writer) begin(name string) {
	if w.json {
		w.member(name)
		w.buf = append(w.buf, '"')
		return
	}
	w.element(name)
}

func (w *writer) end(name string) {
	if w.json {
		w.buf = append(w.buf, '"')
		return
	}
	w.endElement(name)
}

// text writes a text.
func (w *writer) text(name string, value []byte) {
	w.begin(name)
	w.escaped(value)
	w.end(name)
}

func (w *writer) escaped(value []byte) {
	if w.json {
		w.buf = jsontext.AppendEscaped(w.buf, value)
		return
	}
	w.buf = scan.AppendXMLEscaped(w.buf, value)
}

func (w *writer) str(name, value string) { w.text(name, []byte(value)) }

func (w *writer) number(name string, n int64) {
	if w.json {
		w.member(name)
		w.buf = strconv.AppendInt(w.buf, n, 10)
		return
	}
	w.element(name)
	w.buf = strconv.AppendInt(w.buf, n, 10)
	w.endElement(name)
}

func (w *writer) truth(name string, value bool) {
	if w.json {
		w.member(name)
		w.buf = strconv.AppendBool(w.buf, value)
		return
	}
	w.element(name)
	w.buf = strconv.AppendBool(w.buf, value)
	w.endElement(name)
}

// openList begins a list of objects, or of texts, by its name in JSON.
func (w *writer) openList(name string) {
	if w.json {
		w.member(name)
		w.buf = append(w.buf, '[')
	}
}

func (w *writer) closeList() {
	if w.json {
		w.buf = append(w.buf, ']')
	}
}

// openItem begins an object of a list, by its name in XML.
func (w *writer) openItem(element string) {
	if w.json {
		w.member("")
		w.open()
		return
	}
	w.element(element)
}

func (w *writer) closeItem(element string) {
	if w.json {
		w.close()
		return
	}
	w.endElement(element)
}

// item writes a text of a list.
func (w *writer) item(element string, value []byte) {
	if w.json {
		w.text("", value)
		return
	}
	w.text(element, value)
}

// openMap begins a map, by its name in JSON.
func (w *writer) openMap(name string) {
	if w.json {
		w.member(name)
		w.open()
	}
}

func (w *writer) closeMap() {
	if w.json {
		w.close()
	}
}

// entry writes a member of a map of texts: in XML an element with a key of the name and a Value.
func (w *writer) entry(element, keyName string, key, value []byte) {
	w.beginEntry(element, keyName, key)
	w.escaped(value)
	w.endEntry(element)
}

// beginEntry opens such a member; the caller appends its value before endEntry.
func (w *writer) beginEntry(element, keyName string, key []byte) {
	if w.json {
		w.member("")
		w.buf = jsontext.AppendString(w.buf, key)
		w.buf = append(w.buf, ':', '"')
		return
	}
	w.element(element)
	w.text(keyName, key)
	w.element("Value")
}

func (w *writer) endEntry(element string) {
	if w.json {
		w.buf = append(w.buf, '"')
		return
	}
	w.endElement("Value")
	w.endElement(element)
}
