package auth

import (
	"bytes"
	"slices"

	"fanfare/ingress/scan"
)

// pairsMax is how many parameters the query of a signed request may have. It is above what any operation takes.
const pairsMax = 2048

// pair is a parameter of the query in its canonical form: percent-encoded anew. Offsets in verification.query.
type pair struct{ key, value, end int }

// readQuery brings the query into its canonical form, in order. A '+' is a space, as it is for whoever reads the
// parameters.
func (v *verification) readQuery(query []byte) error {
	s := scan.NewFormScanner(query)
	for s.Next() {
		if len(v.pairs) == pairsMax {
			return errManyPairs
		}
		p := pair{key: len(v.query)}
		if err := v.appendCanonical(s.Key); err != nil {
			return err
		}
		p.value = len(v.query)
		if err := v.appendCanonical(s.Value); err != nil {
			return err
		}
		p.end = len(v.query)
		v.pairs = append(v.pairs, p)
	}
	text := v.query
	slices.SortFunc(v.pairs, func(a, b pair) int {
		if c := bytes.Compare(text[a.key:a.value], text[b.key:b.value]); c != 0 {
			return c
		}
		return bytes.Compare(text[a.value:a.end], text[b.value:b.end])
	})
	return nil
}

// appendCanonical decodes a key or value and encodes it again, the one way there is.
func (v *verification) appendCanonical(encoded []byte) error {
	var err error
	if v.decoded, err = scan.AppendFormValue(v.decoded[:0], encoded); err != nil {
		return errQuery
	}
	v.query = appendEncoded(v.query, v.decoded, false)
	return nil
}

// appendEncoded percent-encodes all but the unreserved characters of RFC 3986, and the slashes of a path.
func appendEncoded(dst, text []byte, path bool) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range text {
		if isUnreserved(c) || path && c == '/' {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', digits[c>>4], digits[c&15])
	}
	return dst
}

func isUnreserved(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
