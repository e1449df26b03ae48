package sqs

import (
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/engine/jsontext"
	"fanfare/ingress"
	"fanfare/ingress/auth"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

// call is one request while it is answered. Its slices are views of the request, or scratch memory that goes back to the
// pool with it.
type call struct {
	face   *Face
	ctx    *fasthttp.RequestCtx
	head   *ingress.Head
	id     ingress.RequestID
	action string
	json   bool // speaks the JSON protocol, else the query protocol
	scope  auth.Scope
	body   []byte

	form    form
	scanner scan.JSON
	out     writer
	key     []byte // the current key, if it had to be decoded
	scratch []byte // for what is decoded and not kept
	arena   []byte // for what is decoded and kept until the reply

	batch    batch
	received []engine.Received
	sorting  []attributeView
	filter   attributeFilter
	alive    func() bool // whether the client still waits; made once for each call
}

// scratchBytesKept is the largest scratch memory that goes back to the pool.
const scratchBytesKept = 64 << 10

var callPool = sync.Pool{New: func() any {
	c := &call{out: writer{buf: make([]byte, 0, 1024)}, scratch: make([]byte, 0, 512), arena: make([]byte, 0, 512)}
	c.alive = func() bool { return ingress.IsOpen(c.ctx) }
	return c
}}

func newCall(f *Face, ctx *fasthttp.RequestCtx, h *ingress.Head) *call {
	c := callPool.Get().(*call)
	c.face, c.ctx, c.head, c.id = f, ctx, h, ingress.NewRequestID()
	c.scope = auth.ReadScope(h, service)
	target := h.Header.PeekCanonical(headerTarget)
	c.json = len(target) > 0 || aws.IsType(h.Header.ContentType(), typeJSON)
	c.body = ctx.Request.Body()
	if !c.json && !aws.IsForm(h.Header.ContentType()) {
		c.body = nil
	}
	return c
}

func (c *call) release() {
	c.face, c.ctx, c.head, c.action = nil, nil, nil, ""
	c.scope, c.body = auth.Scope{}, nil
	c.form.reset()
	c.scanner.Reset(nil)
	c.out.reset(false)
	c.filter.reset()
	for i := range c.received {
		c.received[i].Message.Release()
	}
	clear(c.received)
	c.received = c.received[:0]
	clear(c.sorting)
	c.sorting = c.sorting[:0]
	for _, b := range [...]*[]byte{&c.key, &c.scratch, &c.arena} {
		if cap(*b) > scratchBytesKept {
			*b = nil
		}
	}
	callPool.Put(c)
}

// appendText appends a value decoded.
func (c *call) appendText(dst, raw []byte) ([]byte, error) {
	if c.json {
		return jsontext.AppendUnescaped(dst, raw), nil
	}
	start := len(dst)
	dst, err := scan.AppendFormValue(dst, raw)
	switch {
	case err != nil:
		return dst, err
	case !utf8.Valid(dst[start:]):
		return dst, errNotUTF8
	}
	return dst, nil
}

// isPlain reports whether a value is its own decoded form.
func (c *call) isPlain(raw []byte) bool {
	for _, b := range raw {
		if b >= utf8.RuneSelf || b == '\\' && c.json || (b == '%' || b == '+') && !c.json {
			return false
		}
	}
	return true
}

// text returns a value decoded. Valid until the next call.
func (c *call) text(raw []byte) ([]byte, error) {
	if c.isPlain(raw) {
		return raw, nil
	}
	var err error
	c.scratch, err = c.appendText(c.scratch[:0], raw)
	return c.scratch, err
}

// kept returns a value decoded. Valid until the reply, as long as the arena has room: makeRoom.
func (c *call) kept(raw []byte) ([]byte, error) {
	if c.isPlain(raw) {
		return raw, nil
	}
	start := len(c.arena)
	var err error
	c.arena, err = c.appendText(c.arena, raw)
	return c.arena[start:len(c.arena):len(c.arena)], err
}

// makeRoom empties the arena and makes it large enough for so many bytes, encoded.
func (c *call) makeRoom(bytes int) {
	if cap(c.arena) < bytes {
		c.arena = make([]byte, 0, bytes)
	}
	c.arena = c.arena[:0]
}

// str returns a parameter decoded, "" when it is absent.
func (c *call) str(p param) (string, error) {
	text, err := c.text(c.form.value(p))
	return string(text), err
}

// integer reads a number; given is false when it is absent.
func (c *call) integer(raw []byte) (n int64, given bool, err error) {
	if raw == nil {
		return 0, false, nil
	}
	text, err := c.text(raw)
	if err != nil {
		return 0, false, err
	}
	if n, ok := parseInteger(text); ok {
		return n, true, nil
	}
	return 0, false, &fault{400, shapeMalformed, codeMalformed, "The value " + strconv.Quote(aws.Shorten(text)) + " can not be converted to an Integer"}
}

// parseInteger reads a decimal number of at most ten digits.
func parseInteger[T string | []byte](text T) (n int64, ok bool) {
	const digitsMax = 10
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(text[i]-'0')
		if i == digitsMax {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, len(text) > 0
}

// between reads a number that must be in a range; given is false when it is absent.
func (c *call) between(raw []byte, name string, low, high int64, reason string) (n int64, given bool, err error) {
	n, given, err = c.integer(raw)
	if err == nil && given && (n < low || n > high) {
		err = invalidParam(strconv.FormatInt(n, 10), name, reason)
	}
	return n, given, err
}
