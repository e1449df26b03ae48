package aws

import (
	"bytes"

	"fanfare/ingress/scan"
)

// Parameters walks the parameters of a request of the query protocol: those in its URL, then those in its body.
type Parameters struct {
	form    scan.FormScanner
	body    []byte
	scratch *[]byte
	err     error

	Key   []byte // of the current one, decoded; valid until the scratch memory is used again
	Value []byte // still encoded, a view of the request; never nil, so that one that is empty is not taken for an absent one
}

// NewParameters returns a walk over a request. Keys that have to be decoded come to stand in the scratch memory.
func NewParameters(query, body []byte, scratch *[]byte) Parameters {
	return Parameters{form: scan.NewFormScanner(query), body: body, scratch: scratch}
}

// Next moves to the next parameter and reports whether there is one. There is none behind a key that cannot be decoded.
func (p *Parameters) Next() bool {
	for !p.form.Next() {
		if len(p.body) == 0 {
			return false
		}
		p.form, p.body = scan.NewFormScanner(p.body), nil
	}
	if p.Key, p.err = DecodeForm(p.scratch, p.form.Key); p.err != nil {
		p.form, p.body = scan.FormScanner{}, nil
		return false
	}
	if p.Value = p.form.Value; p.Value == nil {
		p.Value = p.form.Key[len(p.form.Key):]
	}
	return true
}

// Err is scan.ErrFormEscape when the walk ended at a key that cannot be decoded, else nil.
func (p *Parameters) Err() error { return p.err }

// DecodeForm returns a key or value decoded: as it is, or in the scratch memory. The error is scan.ErrFormEscape.
func DecodeForm(scratch *[]byte, text []byte) ([]byte, error) {
	if scan.FormPlain(text) {
		return text, nil
	}
	var err error
	if *scratch, err = scan.AppendFormValue((*scratch)[:0], text); err != nil {
		return nil, err
	}
	return *scratch, nil
}

// IsForm reports whether the body of a request is a form. Without a type it is taken for one.
func IsForm(contentType []byte) bool {
	return IsType(contentType, "") || IsType(contentType, "application/x-www-form-urlencoded")
}

// IsType compares a content type without its parameters with a lower-case one.
func IsType(contentType []byte, want string) bool {
	if i := bytes.IndexByte(contentType, ';'); i >= 0 {
		contentType = contentType[:i]
	}
	contentType = bytes.TrimSpace(contentType)
	return len(contentType) == len(want) && HasPrefixFold(contentType, want)
}
