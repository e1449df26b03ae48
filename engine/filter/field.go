package filter

// kind is what a value is in JSON.
type kind uint8

const (
	kindString kind = iota
	kindNumber
	kindTrue
	kindFalse
	kindNull
	kindOther // a Number attribute that is no number: it is there, and equal to nothing
)

// value is one value of a message.
type value struct {
	kind   kind
	text   literal // of a string
	number decimal // of a number
}

// field is a key of a policy with the values it accepts.
type field struct {
	path      string
	exists    bool      // any value
	missing   bool      // none
	kinds     [6]bool   // true, false, null
	strings   []string  // exactly these
	numbers   []decimal // likewise
	operators []operator
}

// meets reports whether a value is one the field accepts.
func (f *field) meets(v *value) bool {
	if f.exists || f.kinds[v.kind] {
		return true
	}
	switch v.kind {
	case kindString:
		if oneOf(f.strings, v.text) {
			return true
		}
	case kindNumber:
		if oneNumber(f.numbers, &v.number) {
			return true
		}
	default:
	}
	for i := range f.operators {
		if f.operators[i].accepts(v) {
			return true
		}
	}
	return false
}

func oneOf(all []string, text literal) bool {
	for _, s := range all {
		if text.equals(s) {
			return true
		}
	}
	return false
}

func oneNumber(all []decimal, n *decimal) bool {
	for i := range all {
		if all[i].compare(n) == 0 {
			return true
		}
	}
	return false
}

// operator is a match expression other than a plain value and "exists".
type operator struct {
	op      op
	text    string    // prefix, suffix, equals-ignore-case, anything-but a prefix
	strings []string  // anything-but
	numbers []decimal // anything-but
	bounds  []bound   // numeric: all of them
	block   block     // cidr
}

type op uint8

const (
	opPrefix op = iota
	opSuffix
	opEqualsFold
	opAnythingBut
	opAnythingButPrefix
	opNumeric
	opCIDR
)

func (o *operator) accepts(v *value) bool {
	switch o.op {
	case opAnythingBut:
		return (v.kind != kindString || !oneOf(o.strings, v.text)) && (v.kind != kindNumber || !oneNumber(o.numbers, &v.number))
	case opAnythingButPrefix:
		return v.kind != kindString || !v.text.hasPrefix(o.text)
	case opNumeric:
		return v.kind == kindNumber && o.within(&v.number)
	default:
		return v.kind == kindString && o.acceptsText(v.text)
	}
}

func (o *operator) acceptsText(text literal) bool {
	switch o.op {
	case opPrefix:
		return text.hasPrefix(o.text)
	case opSuffix:
		return text.hasSuffix(o.text)
	case opEqualsFold:
		return text.equalsFold(o.text)
	case opCIDR:
		a, ok := text.address()
		return ok && o.block.contains(&a)
	default:
		return false
	}
}

// bound is one side of a numeric range.
type bound struct {
	number            decimal
	less, equal, more bool // what a number may be
}

func (o *operator) within(n *decimal) bool {
	for i := range o.bounds {
		b := &o.bounds[i]
		switch n.compare(&b.number) {
		case -1:
			if !b.less {
				return false
			}
		case 0:
			if !b.equal {
				return false
			}
		default:
			if !b.more {
				return false
			}
		}
	}
	return true
}
