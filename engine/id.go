package engine

const (
	hexLower = "0123456789abcdef"
	hexUpper = "0123456789ABCDEF"
)

// AppendHexLower appends the id as 32 lower-case hex digits.
func (id MessageID) AppendHexLower(dst []byte) []byte { return appendHex(dst, id[:], hexLower) }

// AppendHexUpper appends the id as 32 upper-case hex digits.
func (id MessageID) AppendHexUpper(dst []byte) []byte { return appendHex(dst, id[:], hexUpper) }

// AppendUUID appends the id as a lower-case UUID.
func (id MessageID) AppendUUID(dst []byte) []byte {
	dst = appendHex(dst, id[:4], hexLower)
	dst = appendHex(append(dst, '-'), id[4:6], hexLower)
	dst = appendHex(append(dst, '-'), id[6:8], hexLower)
	dst = appendHex(append(dst, '-'), id[8:10], hexLower)
	return appendHex(append(dst, '-'), id[10:], hexLower)
}

// String is the UUID form.
func (id MessageID) String() string { return string(id.AppendUUID(nil)) }

func appendHex(dst, b []byte, digits string) []byte {
	for _, c := range b {
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}
