package sns

import (
	"sync"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/auth"
	"fanfare/ingress/aws"
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
	if aws.IsForm(h.Header.ContentType()) {
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

// find returns the decoded value of a parameter that cannot be told from an absent one when it is empty. Valid until
// scratch is used again.
func (c *call) find(name string) ([]byte, error) {
	p := c.parameters()
	for p.Next() {
		if string(p.Key) == name {
			return c.decode(p.Value)
		}
	}
	return nil, p.Err()
}

// parameters walks the parameters of the request.
func (c *call) parameters() aws.Parameters { return aws.NewParameters(c.head.Query, c.body, &c.key) }

// decode returns a value decoded. Valid until scratch is used again.
func (c *call) decode(value []byte) ([]byte, error) { return aws.DecodeForm(&c.scratch, value) }
