package auth

import (
	"bytes"
	"encoding/hex"

	"fanfare/ingress"
)

// appendRequest appends the canonical request: what both sides hash. Everything that a face reads of the request, but
// for header fields that are not signed, is in it.
func (v *verification) appendRequest(dst []byte, h *ingress.Head, bodyHash []byte) ([]byte, error) {
	dst = append(append(dst, h.Method...), '\n')
	dst = append(appendEncoded(dst, h.Path, true), '\n')
	dst = append(v.appendQuery(dst), '\n')
	dst, err := v.appendSigned(dst)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '\n')
	dst = append(append(dst, v.signed...), '\n')
	return hex.AppendEncode(dst, bodyHash), nil
}

// appendQuery appends the canonical query, without the signature in it.
func (v *verification) appendQuery(dst []byte) []byte {
	first := true
	for _, p := range v.pairs {
		key := v.query[p.key:p.value]
		if v.presigned && string(key) == parameterNames[parameterSignature] {
			continue
		}
		if !first {
			dst = append(dst, '&')
		}
		first = false
		dst = append(append(dst, key...), '=')
		dst = append(dst, v.query[p.value:p.end]...)
	}
	return dst
}

// appendSigned appends the signed header fields. Their names have to be in order, each once, and so does the field: of
// two with the same name a reader takes the one, and the signature could be meant for the other. Host is among them.
func (v *verification) appendSigned(dst []byte) ([]byte, error) {
	host := false
	var last []byte
	for rest, count := v.signed, 1; ; count++ {
		name, others, more := bytes.Cut(rest, semicolon)
		if count > signedMax {
			return dst, errManyFields
		}
		value, found := find(v.fields, name)
		if found != 1 || bytes.Compare(name, last) <= 0 {
			return dst, ErrSignature
		}
		host = host || bytes.Equal(name, nameHost)
		dst = append(append(dst, name...), ':')
		dst = append(appendTrimmed(dst, value), '\n')
		if !more {
			break
		}
		last, rest = name, others
	}
	if !host {
		return dst, errHostUnsigned
	}
	return dst, nil
}

var semicolon = []byte(";")

// appendTrimmed appends a value with each run of spaces as one.
func appendTrimmed(dst, value []byte) []byte {
	for {
		i := bytes.Index(value, twoSpaces)
		if i < 0 {
			return append(dst, value...)
		}
		dst = append(dst, value[:i+1]...)
		value = bytes.TrimLeft(value[i:], " ")
	}
}

var twoSpaces = []byte("  ")
