package filter

import "bytes"

// Attribute shows an evaluation one attribute of the message. The policy's scope must be MessageAttributes.
func (p *Policy) Attribute(e *Evaluation, name, dataType, text []byte) {
	first, end := p.fieldsOf(name)
	if first == end {
		return
	}
	v, ok := attributeValue(dataType, text)
	if !ok {
		if string(dataType) == "String.Array" {
			p.arrayAttribute(e, first, end, text)
		}
		return
	}
	for i := first; i < end; i++ {
		e.found.add(i)
		if p.fields[i].meets(&v) {
			e.met.add(i)
		}
	}
}

// attributeValue is the one value of an attribute. An array has more, and what is binary none.
func attributeValue(dataType, text []byte) (v value, ok bool) {
	v.text.text = text
	switch baseType(dataType) {
	case "Binary":
		return v, false
	case "Number":
		v.kind = kindNumber
		if v.number, ok = parseDecimal(text); !ok {
			v.kind = kindOther
		}
		return v, true
	}
	return v, string(dataType) != "String.Array"
}

// arrayAttribute shows the members of an attribute that is the text of a JSON array. What is none has no members.
func (p *Policy) arrayAttribute(e *Evaluation, first, end int, text []byte) {
	s := scanner{policy: p, text: text}
	if ok := s.array(place{first: first, end: end, deep: end, deepEnd: end}); ok {
		for i := range s.met {
			e.met[i] |= s.met[i]
		}
	}
	for i := first; i < end; i++ {
		e.found.add(i)
	}
}

// fieldsOf finds the fields of a name.
func (p *Policy) fieldsOf(name []byte) (first, end int) {
	for first < len(p.fields) && p.fields[first].path != string(name) {
		first++
	}
	end = first
	for end < len(p.fields) && p.fields[end].path == string(name) {
		end++
	}
	return first, end
}

// baseType is a data type without the label behind its dot. What is neither Binary nor Number is text.
func baseType(dataType []byte) string {
	if i := bytes.IndexByte(dataType, '.'); i >= 0 {
		dataType = dataType[:i]
	}
	switch string(dataType) {
	case "Binary":
		return "Binary"
	case "Number":
		return "Number"
	}
	return "String"
}
