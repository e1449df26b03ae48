package filter

import (
	"slices"
	"strconv"

	"fanfare/engine/jsontext"
)

// Limits of an Index.
const (
	pathsMax  = fieldsMax // keys of bodies it looks for
	listedMax = 1024      // values of one message it looks up
)

// Index finds those of very many policies that a message may match at all, by the values of one key of each that accepts
// nothing but plain values. What it finds has still to be matched, and may be found more than once; what it does not find
// does not match. A message with very many values under the keys it looks for is one it cannot tell anything of. The zero
// value is empty. It is not safe for concurrent use.
type Index[T comparable] struct {
	names map[string]*values[T] // of attributes
	paths []path[T]             // of bodies, sorted

	layout  Policy // the paths as fields, for the scanner
	scratch []byte
	list    []listed
}

// path is a key of bodies.
type path[T comparable] struct {
	name   string
	values *values[T]
}

// values are the policies that accept a value of a key, by the value.
type values[T comparable] struct {
	strings map[string][]T
	numbers map[string][]T // by appendCanonical
	kinds   [kindOther + 1][]T
	entries int
}

// Add adds a policy under an id and reports whether there is a key to find it by. If there is none, nothing is added.
func (x *Index[T]) Add(p *Policy, id T) bool {
	f := p.anchor()
	if f == nil {
		return false
	}
	v := x.valuesOf(p.scope, f.path, true)
	if v == nil {
		return false
	}
	for _, s := range f.strings {
		addTo(&v.strings, s, id)
	}
	for i := range f.numbers {
		addTo(&v.numbers, string(f.numbers[i].appendCanonical(nil)), id)
	}
	for k := range f.kinds {
		if f.kinds[k] {
			v.kinds[k] = append(v.kinds[k], id)
		}
	}
	v.entries++
	return true
}

// Remove removes what Add added.
func (x *Index[T]) Remove(p *Policy, id T) {
	f := p.anchor()
	if f == nil {
		return
	}
	v := x.valuesOf(p.scope, f.path, false)
	if v == nil {
		return
	}
	for _, s := range f.strings {
		removeFrom(v.strings, s, id)
	}
	for i := range f.numbers {
		removeFrom(v.numbers, string(f.numbers[i].appendCanonical(nil)), id)
	}
	for k := range f.kinds {
		if f.kinds[k] {
			v.kinds[k] = without(v.kinds[k], id)
		}
	}
	if v.entries--; v.entries == 0 {
		x.forget(p.scope, f.path)
	}
}

// anchor is the key to find a policy by: one that has to be met and accepts plain values only, the fewest. It is nil when
// there is none.
func (p *Policy) anchor() *field {
	var best *field
	for _, i := range p.root.fields {
		if f := &p.fields[i]; f.plain() && (best == nil || f.values() < best.values()) {
			best = f
		}
	}
	return best
}

func (f *field) plain() bool {
	if f.exists || f.missing || len(f.operators) > 0 {
		return false
	}
	for i := range f.numbers {
		if len(f.numbers[i].digits) > canonicalMax {
			return false
		}
	}
	return true
}

func (f *field) values() int { return len(f.strings) + len(f.numbers) }

// canonicalMax is the number of digits beyond which a number is not looked up.
const canonicalMax = 64

// appendCanonical appends a text that is the same for equal numbers.
func (d *decimal) appendCanonical(dst []byte) []byte {
	if len(d.digits) == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	for _, c := range d.digits {
		if c != '.' {
			dst = append(dst, c)
		}
	}
	return strconv.AppendInt(append(dst, 'e'), int64(d.exponent), 10)
}

func addTo[T any](m *map[string][]T, key string, id T) {
	if *m == nil {
		*m = map[string][]T{}
	}
	(*m)[key] = append((*m)[key], id)
}

func removeFrom[T comparable](m map[string][]T, key string, id T) {
	if rest := without(m[key], id); len(rest) > 0 {
		m[key] = rest
	} else {
		delete(m, key)
	}
}

// without removes one occurrence.
func without[T comparable](ids []T, id T) []T {
	at := slices.Index(ids, id)
	if at < 0 {
		return ids
	}
	return slices.Delete(ids, at, at+1)
}

// valuesOf finds a key's values, or makes them. It is nil when there are none, or may not be more.
func (x *Index[T]) valuesOf(scope Scope, name string, create bool) *values[T] {
	if scope == MessageAttributes {
		v := x.names[name]
		if v == nil && create {
			if x.names == nil {
				x.names = map[string]*values[T]{}
			}
			v = &values[T]{}
			x.names[name] = v
		}
		return v
	}
	at, ok := slices.BinarySearchFunc(x.paths, name, comparePath[T])
	switch {
	case ok:
		return x.paths[at].values
	case !create || len(x.paths) == pathsMax:
		return nil
	}
	v := &values[T]{}
	x.paths = slices.Insert(x.paths, at, path[T]{name, v})
	x.layout.fields = slices.Insert(x.layout.fields, at, field{path: name})
	return v
}

func comparePath[T comparable](p path[T], name string) int {
	switch {
	case p.name < name:
		return -1
	case p.name > name:
		return 1
	}
	return 0
}

// forget drops a key that no policy is found by any more.
func (x *Index[T]) forget(scope Scope, name string) {
	if scope == MessageAttributes {
		delete(x.names, name)
		return
	}
	if at, ok := slices.BinarySearchFunc(x.paths, name, comparePath[T]); ok {
		x.paths = slices.Delete(x.paths, at, at+1)
		x.layout.fields = slices.Delete(x.layout.fields, at, at+1)
	}
}

// HasAttributes reports whether attributes are worth showing.
func (x *Index[T]) HasAttributes() bool { return len(x.names) > 0 }

// HasBodies reports whether the body is worth showing.
func (x *Index[T]) HasBodies() bool { return len(x.paths) > 0 }

// AppendAttribute appends the ids of the policies that one of a message's attributes leads to. It reports false when it
// cannot tell.
func (x *Index[T]) AppendAttribute(dst []T, name, dataType, text []byte) (ids []T, told bool) {
	v := x.names[string(name)]
	if v == nil {
		return dst, true
	}
	one, ok := attributeValue(dataType, text)
	switch {
	case ok:
		return x.appendValue(dst, v, &one), true
	case string(dataType) != "String.Array":
		return dst, true
	}
	s := scanner{policy: &x.layout, text: text, list: &x.list}
	if s.array(place{end: 1}) {
		for i := range x.list {
			dst = x.appendValue(dst, v, &x.list[i].value)
		}
	}
	x.clearList()
	return dst, !s.full
}

// AppendBody appends the ids of the policies that a message's body leads to. It reports false when it cannot tell.
func (x *Index[T]) AppendBody(dst []T, body []byte) (ids []T, told bool) {
	s := scanner{policy: &x.layout, text: body, list: &x.list}
	if s.object() {
		for i := range x.list {
			dst = x.appendValue(dst, x.paths[x.list[i].field].values, &x.list[i].value)
		}
	}
	x.clearList()
	return dst, !s.full
}

// clearList forgets the values, which are views of what was shown.
func (x *Index[T]) clearList() {
	clear(x.list)
	x.list = x.list[:0]
}

func (x *Index[T]) appendValue(dst []T, v *values[T], one *value) []T {
	switch one.kind {
	case kindString:
		text := one.text.text
		if one.text.escaped {
			x.scratch = jsontext.AppendUnescaped(x.scratch[:0], text)
			text = x.scratch
		}
		return append(dst, v.strings[string(text)]...)
	case kindNumber:
		if len(one.number.digits) > canonicalMax+1 { // a policy's may be written without a point
			return dst
		}
		x.scratch = one.number.appendCanonical(x.scratch[:0])
		return append(dst, v.numbers[string(x.scratch)]...)
	default:
		return append(dst, v.kinds[one.kind]...)
	}
}

// Findable reports whether there is a key to find the policy by.
func (p *Policy) Findable() bool { return p.anchor() != nil }
