package auth

import "bytes"

// Bounds of what is looked at.
const (
	fieldsMax = 256 // header fields of a request
	signedMax = 64  // of them signed
)

// field is a header field as it was on the wire, without the white space around its value. Views of the request.
type field struct{ name, value []byte }

// appendFields appends the fields of a raw header.
func appendFields(dst []field, raw []byte) ([]field, error) {
	for len(raw) > 0 {
		line := raw
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line, raw = raw[:i], raw[i+1:]
		} else {
			raw = nil
		}
		i := bytes.IndexByte(line, ':')
		switch {
		case len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
			return dst, ErrSignature // a folded line belongs to the field above it, for some readers
		case i < 0:
			continue // the empty line behind the last one
		case len(dst) == fieldsMax:
			return dst, errManyFields
		}
		dst = append(dst, field{line[:i], bytes.Trim(line[i+1:], " \t\r")})
	}
	return dst, nil
}

// find returns the value of the field with a name, in lower case, and how many there are.
func find(fields []field, name []byte) (value []byte, count int) {
	for i := range fields {
		if isNamed(fields[i].name, name) {
			if count++; count == 1 {
				value = fields[i].value
			}
		}
	}
	return value, count
}

// isNamed compares a name with one in lower case.
func isNamed(name, lower []byte) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

var (
	nameAuthorization = []byte("authorization")
	nameContentHash   = []byte("x-amz-content-sha256")
	nameHost          = []byte("host")
	nameAmzDate       = []byte("x-amz-date")
	nameDate          = []byte("date")
)
