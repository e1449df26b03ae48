package apigw

import (
	"bytes"
	"encoding/json"

	"fanfare/ingress"

	"github.com/valyala/fasthttp"
)

var (
	requestIDHeader  = []byte("X-Request-Id")
	retryAfterHeader = []byte("Retry-After")
	retryAfterValue  = []byte("1")
	contentType      = []byte("application/json")
)

// SetHead sets status, content type and request id of a reply with a JSON body.
func SetHead(ctx *fasthttp.RequestCtx, id ingress.RequestID, status int) {
	var buf [32]byte
	h := &ctx.Response.Header
	h.SetStatusCode(status)
	h.SetContentTypeBytes(contentType)
	h.SetCanonical(requestIDHeader, id.AppendHex(buf[:0]))
}

// SetRetryAfter asks the client to wait a second before it tries again.
func SetRetryAfter(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.SetCanonical(retryAfterHeader, retryAfterValue)
}

// WriteJSON answers with a value as JSON; for the control operations.
func WriteJSON(ctx *fasthttp.RequestCtx, id ingress.RequestID, status int, v any) {
	SetHead(ctx, id, status)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // a URN or URL shows as what it is
	if err := e.Encode(v); err != nil {
		panic("BUG: apigw: reply does not encode: " + err.Error())
	}
	ctx.Response.SetBody(bytes.TrimSuffix(b.Bytes(), newline))
}

var newline = []byte("\n")
