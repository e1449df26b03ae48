package filter

// decimal is a number as it is written: 0.DIGITS times ten to the exponent. Its digits are a view of the text, from the
// first to the last that is not zero, and may have a point among them. Zero has no digits.
type decimal struct {
	digits   []byte
	exponent int
	negative bool
}

// exponentMax bounds exponents; beyond it numbers are told apart by their digits alone.
const exponentMax = 1 << 30

// parseDecimal reads a number in the usual notation; "+1", "01", "1." and ".1" are numbers, too.
func parseDecimal(text []byte) (d decimal, ok bool) {
	at := 0
	if at < len(text) && (text[at] == '-' || text[at] == '+') {
		d.negative = text[at] == '-'
		at++
	}
	digits, point := 0, -1
	first, last, lead := -1, -1, 0 // of those that are not zero; lead is how many stand before the first
scan:
	for ; at < len(text); at++ {
		switch c := text[at]; {
		case c == '.' && point < 0:
			point = digits
		case c-'0' <= 9:
			if c != '0' {
				if first < 0 {
					first, lead = at, digits
				}
				last = at
			}
			digits++
		default:
			break scan
		}
	}
	if digits == 0 {
		return decimal{}, false
	}
	if point < 0 {
		point = digits
	}
	d.exponent = point - lead
	if at < len(text) {
		e, ok := parseExponent(text[at:])
		if !ok {
			return decimal{}, false
		}
		d.exponent = min(max(d.exponent+e, -exponentMax), exponentMax)
	}
	if first < 0 {
		return decimal{}, true
	}
	d.digits = text[first : last+1]
	return d, true
}

func parseExponent(text []byte) (e int, ok bool) {
	if text[0]|0x20 != 'e' {
		return 0, false
	}
	text = text[1:]
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		text = text[1:]
	}
	for _, c := range text {
		if c-'0' > 9 {
			return 0, false
		}
		e = min(e*10+int(c-'0'), exponentMax)
	}
	if negative {
		e = -e
	}
	return e, len(text) > 0
}

// compare is -1, 0 or 1 as the number is less than, equal to or greater than the other.
func (d *decimal) compare(o *decimal) int {
	switch {
	case d.sign() != o.sign():
		return order(d.sign(), o.sign())
	case d.sign() < 0:
		return o.compareSize(d)
	}
	return d.compareSize(o)
}

func (d *decimal) sign() int {
	switch {
	case len(d.digits) == 0:
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// compareSize compares without the signs, which are the same.
func (d *decimal) compareSize(o *decimal) int {
	if len(d.digits) == 0 || d.exponent != o.exponent {
		return order(d.exponent, o.exponent)
	}
	for i, j := 0, 0; ; i, j = i+1, j+1 {
		if i < len(d.digits) && d.digits[i] == '.' {
			i++
		}
		if j < len(o.digits) && o.digits[j] == '.' {
			j++
		}
		if i >= len(d.digits) || j >= len(o.digits) {
			// The last digit is none that could be left out: the longer number is the greater one.
			return order(len(d.digits)-i, len(o.digits)-j)
		}
		if d.digits[i] != o.digits[j] {
			return order(int(d.digits[i]), int(o.digits[j]))
		}
	}
}

func order(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
