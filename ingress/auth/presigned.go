package auth

import (
	"bytes"

	"fanfare/ingress/scan"
)

// The parameters of a presigned request.
const (
	parameterAlgorithm = iota
	parameterCredential
	parameterDate
	parameterExpires
	parameterSignedHeaders
	parameterSignature
	parameterCount
)

var parameterNames = [parameterCount]string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
}

func parameterNumber(key []byte) int {
	if !bytes.HasPrefix(key, parameterPrefix) {
		return -1
	}
	for i, name := range parameterNames {
		if string(key) == name {
			return i
		}
	}
	return -1
}

var parameterPrefix = []byte("X-Amz-")

// isPresigned reports whether the query carries a signature, or claims to.
func (v *verification) isPresigned() bool {
	for _, p := range v.pairs {
		switch parameterNumber(v.query[p.key:p.value]) {
		case parameterAlgorithm, parameterCredential, parameterSignature:
			return true
		}
	}
	return false
}

// parsePresigned reads the signature in the query, which is in its canonical form already.
func (v *verification) parsePresigned() error {
	var found [parameterCount][]byte
	values := v.values[:0]
	for _, p := range v.pairs {
		i := parameterNumber(v.query[p.key:p.value])
		if i < 0 {
			continue
		}
		if found[i] != nil {
			return errTwice
		}
		start := len(values)
		var err error
		if values, err = scan.AppendFormValue(values, v.query[p.value:p.end]); err != nil {
			return errQuery
		}
		found[i] = values[start:len(values):len(values)]
	}
	v.values = values
	for i := range found {
		if len(found[i]) == 0 || i == parameterAlgorithm && !bytes.Equal(found[i], scheme) {
			return missingParameters(found)
		}
	}
	v.presigned = true
	v.signature, v.signed, v.date = found[parameterSignature], found[parameterSignedHeaders], found[parameterDate]
	if v.lifetime = parseLifetime(found[parameterExpires]); v.lifetime == 0 {
		return errLifetime
	}
	return v.parseCredential(found[parameterCredential])
}

// missingParameters lists what is not there, or is of another scheme.
func missingParameters(found [parameterCount][]byte) error {
	var text []byte
	for i, name := range parameterNames {
		if len(found[i]) == 0 || i == parameterAlgorithm && !bytes.Equal(found[i], scheme) {
			text = append(text, "AWS query-string parameters must include '"+name+"'. "...)
		}
	}
	return &Fault{400, codeIncomplete, string(text) + "Re-examine the query-string parameters."}
}

// parseLifetime returns 0 for what is no lifetime.
func parseLifetime(text []byte) int64 {
	n := int64(0)
	for _, c := range text {
		if c < '0' || c > '9' || n > lifetimeMax {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	if n > lifetimeMax {
		return 0
	}
	return n
}
