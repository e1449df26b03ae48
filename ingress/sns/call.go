package sns

import (
	"bytes"
	"sync"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/auth"
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
	scope := auth.ReadScope(h, "sns")
	c.signed, c.region = scope.Signed, scope.Region
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
