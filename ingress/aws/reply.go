package aws

import (
	"github.com/valyala/fasthttp"

	"fanfare/ingress"
)

var headerRequestID = []byte("x-amzn-RequestId")

// Reply answers a request. The body stays the caller's.
func Reply(ctx *fasthttp.RequestCtx, id ingress.RequestID, status int, contentType string, body []byte) {
	var text [36]byte
	ctx.SetStatusCode(status)
	ctx.SetContentType(contentType)
	ctx.Response.Header.SetCanonical(headerRequestID, id.AppendUUID(text[:0]))
	ctx.Response.SetBody(body)
}
