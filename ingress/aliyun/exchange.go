package aliyun

import (
	"bytes"

	"fanfare/ingress"
	"fanfare/ingress/scan"

	"github.com/valyala/fasthttp"
)

// Source: "Common headers" and "Error codes" of the two HTTP references, read 2026-11.

// Version is the version both protocols have.
const Version = "2015-06-06"

// Dialect is what the two protocols write differently.
type Dialect struct {
	VersionHeader   string // such as "x-mns-version"
	RequestIDHeader string // such as "x-mns-request-id"
	Namespace       string // of documents, with the slash at its end that replies of success have

	errorHead []byte
}

// NewDialect returns the dialect of "mns" or "mq".
func NewDialect(product string) *Dialect {
	namespace := "http://" + product + ".aliyuncs.com/doc/v1"
	return &Dialect{
		VersionHeader:   "x-" + product + "-version",
		RequestIDHeader: "x-" + product + "-request-id",
		Namespace:       namespace + "/",
		// The Java SDKs know an Error by the name space without the slash, and by no other.
		errorHead: []byte(XMLHead + `<Error xmlns="` + namespace + `"><Code>`),
	}
}

// XMLHead begins every document of a reply.
const XMLHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// ContentType is that of every reply with a body; the Node SDKs read no other.
const ContentType = "text/xml;charset=utf-8"

// Fault is an error as the client is told it.
type Fault struct {
	Status int
	Code   string
	Text   string
	Again  bool // trying again shortly may help: the reply carries Retry-After
}

// Schema is the fault of a document that lacks an element, or has it in a form it must not have.
func Schema(element string) *Fault {
	return &Fault{
		Status: fasthttp.StatusBadRequest, Code: "InvalidArgument",
		Text: "The XML you provided did not validate against our published schema, cause by " + element + ".",
	}
}

// Range is the fault of a value outside its range, which reads like "1 and 65536 bytes".
func Range(element, bounds string) *Fault {
	return &Fault{
		Status: fasthttp.StatusBadRequest, Code: "InvalidArgument",
		Text: "The value of " + element + " should between " + bounds + ".",
	}
}

// Exchange is one request and its reply.
type Exchange struct {
	Ctx  *fasthttp.RequestCtx
	Head *ingress.Head

	dialect *Dialect
	id      ingress.RequestID
}

// requestIDBytes is how much of a request id is printed: 24 digits.
const requestIDBytes = 12

// Begin sets the headers that every reply has. Their names keep their lower case: some SDKs look no further.
func (d *Dialect) Begin(ctx *fasthttp.RequestCtx, head *ingress.Head) Exchange {
	x := Exchange{Ctx: ctx, Head: head, dialect: d, id: ingress.NewRequestID()}
	var id [2 * requestIDBytes]byte
	header := &ctx.Response.Header
	header.DisableNormalizing()
	header.SetBytesV(d.RequestIDHeader, x.id.AppendHexUpper(id[:0], requestIDBytes))
	header.Set(d.VersionHeader, Version)
	return x
}

// Body is the request's body. Valid until Serve returns.
func (x *Exchange) Body() []byte { return x.Ctx.Request.Body() }

// The headers that tell what a request is, in the case that fasthttp keeps them in.
var (
	HeaderAuthorization = []byte("Authorization")
	HeaderContentMD5    = []byte("Content-Md5")
	HeaderMNSVersion    = []byte("X-Mns-Version")
	HeaderMQVersion     = []byte("X-Mq-Version")
)

// Header returns one of them, nil without it. Valid until Serve returns.
func (x *Exchange) Header(name []byte) []byte { return x.Head.Header.PeekCanonical(name) }

// Reply answers with a document, which is copied.
func (x *Exchange) Reply(status int, document []byte) {
	x.Ctx.SetStatusCode(status)
	x.Ctx.Response.Header.SetContentType(ContentType)
	x.Ctx.Response.SetBody(document)
}

// Done answers without a document.
func (x *Exchange) Done(status int) { x.Ctx.SetStatusCode(status) }

// Fail answers with an Error.
func (x *Exchange) Fail(f *Fault) {
	scratch := ingress.GetScratch()
	defer scratch.Put()
	b := append(scratch.B, x.dialect.errorHead...)
	b = append(b, f.Code...)
	b = append(b, "</Code><Message>"...)
	b = scan.AppendXMLEscaped(b, []byte(f.Text))
	b = append(b, "</Message><RequestId>"...)
	b = x.id.AppendHexUpper(b, requestIDBytes)
	b = append(b, "</RequestId><HostId>"...)
	b = x.AppendBaseEscaped(b)
	b = append(b, "</HostId></Error>"...)
	scratch.B = b
	if f.Again {
		x.Ctx.Response.Header.Set("Retry-After", "1")
	}
	x.Reply(f.Status, b)
}

// AppendBase appends the scheme and host the client used: "http://HOST".
func (x *Exchange) AppendBase(dst []byte) []byte {
	if x.Ctx.IsTLS() {
		dst = append(dst, "https://"...)
	} else {
		dst = append(dst, "http://"...)
	}
	if host := x.Head.Header.Host(); len(host) > 0 {
		return append(dst, host...)
	}
	return append(dst, "localhost"...)
}

// AppendBaseEscaped is AppendBase for the text of a document.
func (x *Exchange) AppendBaseEscaped(dst []byte) []byte {
	var base [128]byte
	return scan.AppendXMLEscaped(dst, x.AppendBase(base[:0]))
}

// IsQuery reports whether the query has a pair of this name and value. Names are the same in any case, for the
// SDKs do not agree on theirs.
func (x *Exchange) IsQuery(name, value string) bool {
	for s := scan.NewFormScanner(x.Head.Query); s.Next(); {
		if bytes.EqualFold(s.Key, []byte(name)) && bytes.EqualFold(s.Value, []byte(value)) {
			return true
		}
	}
	return false
}

// HasQuery reports whether the query has a pair of this name.
func (x *Exchange) HasQuery(name string) bool {
	for s := scan.NewFormScanner(x.Head.Query); s.Next(); {
		if bytes.EqualFold(s.Key, []byte(name)) {
			return true
		}
	}
	return false
}
