package filter

import (
	"net/netip"
	"strconv"
	"strings"
)

// The names of the operators.
const (
	namePrefix      = "prefix"
	nameSuffix      = "suffix"
	nameEqualsFold  = "equals-ignore-case"
	nameAnythingBut = "anything-but"
	nameNumeric     = "numeric"
	nameExists      = "exists"
	nameCIDR        = "cidr"
)

// accept adds one member of a key's array to what the field accepts.
func (f *field) accept(n *node) error {
	switch n.kind {
	case nodeString:
		f.strings = append(f.strings, n.text)
	case nodeNumber:
		f.numbers = append(f.numbers, n.number())
	case nodeTrue:
		f.kinds[kindTrue] = true
	case nodeFalse:
		f.kinds[kindFalse] = true
	case nodeNull:
		f.kinds[kindNull] = true
	case nodeObject:
		return f.acceptExpression(n)
	default:
		return fail("Match value must be String, number, true, false, or null")
	}
	return nil
}

// number is the decimal of a number in JSON.
func (n *node) number() decimal {
	d, ok := parseDecimal([]byte(n.text))
	if !ok {
		panic("BUG: filter: a number in JSON is none: " + n.text)
	}
	return d
}

func (f *field) acceptExpression(n *node) (err error) {
	switch {
	case len(n.members) == 0:
		return fail("Match expression name not found")
	case len(n.members) > 1:
		return fail("Only one key allowed in match expression")
	}
	name, value := n.members[0].name, n.members[0].value
	var o operator
	switch name {
	case namePrefix:
		o, err = textOperator(opPrefix, name, value)
	case nameSuffix:
		o, err = textOperator(opSuffix, name, value)
	case nameEqualsFold:
		o, err = textOperator(opEqualsFold, name, value)
	case nameAnythingBut:
		o, err = anythingBut(value)
	case nameNumeric:
		o, err = numeric(value)
	case nameCIDR:
		o, err = cidr(value)
	case nameExists:
		return f.acceptExists(value)
	default:
		return fail("Unrecognized match type %s", shorten(name))
	}
	if err == nil {
		f.operators = append(f.operators, o)
	}
	return err
}

func (f *field) acceptExists(n *node) error {
	switch n.kind {
	case nodeTrue:
		f.exists = true
	case nodeFalse:
		f.missing = true
	default:
		return fail("exists match pattern must be either true or false.")
	}
	return nil
}

func textOperator(op op, name string, n *node) (operator, error) {
	if n.kind != nodeString {
		return operator{}, fail("%s match pattern must be a string", name)
	}
	return operator{op: op, text: n.text}, nil
}

func anythingBut(n *node) (operator, error) {
	o := operator{op: opAnythingBut}
	switch n.kind {
	case nodeObject:
		return anythingButPrefix(n)
	case nodeString:
		o.strings = []string{n.text}
	case nodeNumber:
		o.numbers = []decimal{n.number()}
	case nodeArray:
		for _, e := range n.elements {
			switch e.kind {
			case nodeString:
				o.strings = append(o.strings, e.text)
			case nodeNumber:
				o.numbers = append(o.numbers, e.number())
			default:
				return o, fail("Inside anything but list, start|null|boolean is not supported.")
			}
		}
		if (o.strings == nil) == (o.numbers == nil) {
			return o, fail("Inside anything but list, either all values are number or string, mixed type is not supported")
		}
	default:
		return o, fail("Value of anything-but must be an array or single string/number value.")
	}
	return o, nil
}

func anythingButPrefix(n *node) (operator, error) {
	switch {
	case len(n.members) == 0:
		return operator{}, fail("Anything-But expression name not found")
	case n.members[0].name != namePrefix:
		return operator{}, fail("Unsupported anything-but pattern: %s", shorten(n.members[0].name))
	case len(n.members) > 1:
		return operator{}, fail("Only one key allowed in match expression")
	case n.members[0].value.text == "" && n.members[0].value.kind == nodeString:
		return operator{}, fail("Null prefix/suffix not allowed")
	}
	return textOperator(opAnythingButPrefix, namePrefix, n.members[0].value)
}

// boundOf is the side of a range that an operator says.
func boundOf(operator string) (b bound, ok bool) {
	switch operator {
	case "=":
		b.equal = true
	case "<":
		b.less = true
	case "<=":
		b.less, b.equal = true, true
	case ">":
		b.more = true
	case ">=":
		b.more, b.equal = true, true
	default:
		return b, false
	}
	return b, true
}

// numeric reads [operator, number] or [lower operator, number, upper operator, number].
func numeric(n *node) (o operator, err error) {
	o.op = opNumeric
	if n.kind != nodeArray {
		return o, fail("Value of numeric must be an array.")
	}
	e := n.elements
	if len(e) == 0 {
		return o, fail("Invalid member in numeric match: ]")
	}
	if e[0].kind != nodeString {
		return o, fail("Invalid member in numeric match: %s", shorten(e[0].token()))
	}
	low, ok := boundOf(e[0].text)
	if !ok {
		return o, fail("Unrecognized numeric range operator: %s", shorten(e[0].text))
	}
	if low.number, err = operand(e); err != nil {
		return o, err
	}
	o.bounds = []bound{low}
	if len(e) == 2 {
		return o, nil
	}
	if !low.more {
		return o, fail("Too many elements in numeric expression")
	}
	high, err := upperBound(e[2:], &low)
	o.bounds = append(o.bounds, high)
	return o, err
}

func upperBound(e []*node, low *bound) (high bound, err error) {
	if e[0].kind != nodeString {
		return high, fail("Bad value in numeric range: %s", shorten(e[0].token()))
	}
	high, _ = boundOf(e[0].text)
	if !high.less {
		return high, fail("Bad numeric range operator: %s", shorten(e[0].text))
	}
	if high.number, err = operand(e); err != nil {
		return high, err
	}
	switch {
	case high.number.compare(&low.number) <= 0:
		return high, fail("Bottom must be less than top")
	case len(e) > 2:
		return high, fail("Too many terms in numeric range expression")
	}
	return high, nil
}

// operand is the number behind an operator.
func operand(e []*node) (decimal, error) {
	if len(e) < 2 || e[1].kind != nodeNumber {
		name := e[0].text
		if name == "=" {
			name = "equals"
		}
		return decimal{}, fail("Value of %s must be numeric", name)
	}
	return e[1].number(), nil
}

func cidr(n *node) (operator, error) {
	o := operator{op: opCIDR}
	if n.kind != nodeString {
		return o, fail("prefix match pattern must be a string")
	}
	text, mask, ok := strings.Cut(n.text, "/")
	if !ok || strings.Contains(mask, "/") {
		return o, fail("Malformed CIDR, one '/' required")
	}
	bits, err := strconv.Atoi(mask)
	if err != nil {
		return o, fail("Malformed CIDR, mask bits must be an integer")
	}
	if bits < 0 {
		return o, fail("Malformed CIDR, mask bits must not be negative")
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return o, fail("Nonstandard IP address: %s", shorten(text))
	}
	switch {
	case bits <= a.BitLen():
	case a.Is4():
		return o, fail("IPv4 mask bits must be < 33")
	default:
		return o, fail("IPv6 mask bits must be < 129")
	}
	o.block.bits = bits
	o.block.first.size = copy(o.block.first.bytes[:], a.AsSlice())
	return o, nil
}
