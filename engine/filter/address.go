package filter

// address is an IP address; one of version 4 fills the first four bytes.
type address struct {
	bytes [16]byte
	size  int // in bytes: 4 or 16
}

// parseAddress reads an IP address, without zone. It is here because the standard library's parser wants a string.
func parseAddress(text []byte) (a address, ok bool) {
	for _, c := range text {
		switch c {
		case '.':
			a.size = 4
			return a, parseIPv4(a.bytes[:4], text)
		case ':':
			a.size = 16
			return a, parseIPv6(&a.bytes, text)
		}
	}
	return a, false
}

// parseIPv4 reads four numbers without leading zeros.
func parseIPv4(into, text []byte) bool {
	at := 0
	for i := range 4 {
		if i > 0 {
			if at == len(text) || text[at] != '.' {
				return false
			}
			at++
		}
		first, n := at, 0
		for ; at < len(text) && text[at]-'0' <= 9 && at < first+3; at++ {
			n = n*10 + int(text[at]-'0')
		}
		if at == first || n > 255 || at > first+1 && text[first] == '0' {
			return false
		}
		into[i] = byte(n)
	}
	return at == len(text)
}

// parseIPv6 reads groups of hex digits, of which one run of zeros may be left out, and the last two of which may be
// an address of version 4.
func parseIPv6(into *[16]byte, text []byte) bool {
	gap, n := -1, 0 // where groups are left out; bytes read
	if len(text) >= 2 && text[0] == ':' && text[1] == ':' {
		gap, text = 0, text[2:]
	}
	for len(text) > 0 {
		if n == 16 {
			return false
		}
		group, digits := hexGroup(text)
		if digits > 0 && digits < len(text) && text[digits] == '.' {
			if n > 12 || !parseIPv4(into[n:n+4], text) {
				return false
			}
			n += 4
			break
		}
		if digits == 0 || digits > 4 {
			return false
		}
		into[n], into[n+1] = byte(group>>8), byte(group)
		n += 2
		if text = text[digits:]; len(text) == 0 {
			break
		}
		if text[0] != ':' || len(text) == 1 {
			return false
		}
		if text = text[1:]; text[0] == ':' {
			if gap >= 0 {
				return false
			}
			gap, text = n, text[1:]
		}
	}
	switch {
	case gap < 0:
		return n == 16
	case n == 16:
		return false
	}
	moved := n - gap
	copy(into[16-moved:], into[gap:n])
	clear(into[gap : 16-moved])
	return true
}

func hexGroup(text []byte) (group, digits int) {
	for _, c := range text {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return group, digits
		}
		if digits++; digits > 4 {
			return group, digits
		}
		group = group<<4 | int(c)
	}
	return group, digits
}

// block is the addresses whose first bits are the same.
type block struct {
	first address
	bits  int
}

func (b *block) contains(a *address) bool {
	if a.size != b.first.size {
		return false
	}
	whole := b.bits / 8
	for i := range whole {
		if a.bytes[i] != b.first.bytes[i] {
			return false
		}
	}
	if rest := b.bits % 8; rest > 0 {
		return (a.bytes[whole]^b.first.bytes[whole])>>(8-rest) == 0
	}
	return true
}
