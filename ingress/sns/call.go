package sns

import (
	"bytes"
	"sync"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/scan"
)

// call is one request while it is answered. Its slices are views of the request, or scratch memory that goes back to
// the pool with it.
type call struct {
	face *Face
	ctx  *fasthttp.RequestCtx
	head *ingress.Head
	id   ingress.RequestID

	signed bool   // there is a signature: a good one where they are looked at
	region []byte // what the signature is for; nil without one that is well formed
	body   []byte // the form in the body, nil when there is none

	form    publishForm
	out     xmlWriter
	scratch []byte // for what is decoded and not kept
	key     []byte // the current key, if it had to be decoded
	ids     []byte // the decoded ids of a batch
}

// scratchBytesKept is the largest scratch memory that goes back to the pool.
const scratchBytesKept = 64 << 10

var callPool = sync.Pool{New: func() any {
	return &call{out: xmlWriter{buf: make([]byte, 0, 1024)}, scratch: make([]byte, 0, 512)}
}}

func newCall(f *Face, ctx *fasthttp.RequestCtx, h *ingress.Head) *call {
	c := callPool.Get().(*call)
	c.face, c.ctx, c.head, c.id = f, ctx, h, ingress.NewRequestID()
	if isForm(h.Header.ContentType()) {
		c.body = ctx.Request.Body()
	}
	c.readSignature()
	return c
}

func (c *call) release() {
	c.face, c.ctx, c.head = nil, nil, nil
	c.signed, c.region, c.body = false, nil, nil
	c.form.reset()
	c.out.reset()
	for _, b := range [...]*[]byte{&c.scratch, &c.key, &c.ids} {
		if cap(*b) > scratchBytesKept {
			*b = nil
		}
	}
	callPool.Put(c)
}

// isForm reports whether the body is a form. Without a type it is taken for one.
func isForm(contentType []byte) bool {
	const form = "application/x-www-form-urlencoded"
	if i := bytes.IndexByte(contentType, ';'); i >= 0 {
		contentType = contentType[:i]
	}
	contentType = bytes.TrimSpace(contentType)
	return len(contentType) == 0 || len(contentType) == len(form) && equalFold(contentType, form)
}

// equalFold compares with a lower-case word in ASCII.
func equalFold(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// readSignature looks for the region in the credential scope of the signature, in the header or in the query of a
// presigned URL.
func (c *call) readSignature() {
	if auth := c.head.Header.PeekCanonical(headerAuthorization); len(auth) > 0 {
		c.signed = true
		if i := bytes.Index(auth, credentialParameter); i >= 0 && bytes.HasPrefix(auth, signatureScheme) {
			credential := auth[i+len(credentialParameter):]
			if i := bytes.IndexAny(credential, ", "); i >= 0 {
				credential = credential[:i]
			}
			c.region = scopeRegion(credential)
		}
		return
	}
	if len(c.head.Query) == 0 {
		return
	}
	s := scan.NewFormScanner(c.head.Query)
	for s.Next() {
		switch string(s.Key) {
		case "X-Amz-Signature":
			c.signed = true
		case "X-Amz-Credential":
			if credential, err := scan.AppendFormValue(nil, s.Value); err == nil {
				c.region = scopeRegion(credential)
			}
		}
	}
}

var (
	headerAuthorization = []byte(fasthttp.HeaderAuthorization)
	credentialParameter = []byte("Credential=")
)

// scopeRegion takes the region out of KEY/yyyymmdd/REGION/sns/aws4_request, nil unless it is well formed.
func scopeRegion(credential []byte) []byte {
	rest, ok := bytes.CutSuffix(credential, scopeEnd)
	if !ok {
		return nil
	}
	i := bytes.LastIndexByte(rest, '/')
	if i < 0 || !isRegion(rest[i+1:]) {
		return nil
	}
	region, rest := rest[i+1:], rest[:i]
	if i = bytes.LastIndexByte(rest, '/'); i < 1 || !isDigits(rest[i+1:], 8) {
		return nil
	}
	return region
}

var scopeEnd = []byte("/sns/aws4_request")

// find returns the decoded value of a parameter that cannot be told from an absent one when it is empty. Valid until
// scratch is used again.
func (c *call) find(name string) ([]byte, error) {
	for _, source := range [2][]byte{c.head.Query, c.body} {
		s := scan.NewFormScanner(source)
		for s.Next() {
			key, err := c.decodeKey(s.Key)
			if err != nil {
				return nil, err
			}
			if string(key) == name {
				return c.decode(s.Value)
			}
		}
	}
	return nil, nil
}

// decodeKey returns a key decoded. Valid until the next call.
func (c *call) decodeKey(key []byte) ([]byte, error) {
	if scan.FormPlain(key) {
		return key, nil
	}
	var err error
	if c.key, err = scan.AppendFormValue(c.key[:0], key); err != nil {
		return nil, errEncoding
	}
	return c.key, nil
}

// decode returns a value decoded. Valid until scratch is used again.
func (c *call) decode(value []byte) ([]byte, error) {
	if scan.FormPlain(value) {
		return value, nil
	}
	var err error
	if c.scratch, err = scan.AppendFormValue(c.scratch[:0], value); err != nil {
		return nil, errEncoding
	}
	return c.scratch, nil
}
