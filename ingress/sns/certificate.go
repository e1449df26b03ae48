package sns

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
)

// certificatePrefix begins the path of the certificate that documents are signed with.
var certificatePrefix = []byte("/SimpleNotificationService-")

// isCertificate reports whether a request is for the certificate, which everybody may have.
func isCertificate(h *ingress.Head) bool {
	return bytes.HasPrefix(h.Path, certificatePrefix) && bytes.HasSuffix(h.Path, []byte(".pem"))
}

// serveCertificate sends the certificate. It needs no signature, since it is what signatures are verified with.
func (f *Face) serveCertificate(ctx *fasthttp.RequestCtx, h *ingress.Head) {
	if !h.IsMethod(fasthttp.MethodGet) && !h.IsMethod(fasthttp.MethodHead) {
		ctx.Response.Header.Set(fasthttp.HeaderAllow, "GET, HEAD")
		f.refuseCertificate(ctx, h, errMethodCertificate)
		return
	}
	var text []byte
	if f.opts.Certificate != nil {
		text = f.opts.Certificate(h.Path[1:])
	}
	if text == nil {
		f.refuseCertificate(ctx, h, errNoCertificate)
		return
	}
	ctx.SetContentType("application/x-pem-file")
	// Another certificate has another name, so whoever has this one need not ask again.
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "public, max-age=86400, immutable")
	ctx.SetBody(text)
}

func (f *Face) refuseCertificate(ctx *fasthttp.RequestCtx, h *ingress.Head, why *fault) {
	c := newCall(f, ctx, h)
	defer c.release()
	c.refuse(why)
}

var (
	errNoCertificate     = &fault{404, "NotFound", "There is no certificate of this name."}
	errMethodCertificate = &fault{405, "InvalidAction", "The method is not allowed; use GET."}
)
