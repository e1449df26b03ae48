package sqs

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/auth"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

const (
	service    = "sqs"
	apiVersion = "2012-11-05"

	// bodyBytesMax leaves room for the largest batch of all, 1 MiB, with every byte of it escaped.
	bodyBytesMax = 8 << 20
)

// Face is the API of Amazon SQS.
type Face struct {
	engine     *engine.Engine
	opts       Options
	signatures *auth.SigV4
}

// New returns the face of an engine.
func New(e *engine.Engine, opts Options) *Face {
	opts.setDefaults()
	return &Face{engine: e, opts: opts, signatures: auth.NewSigV4(opts.Keys, service)}
}

// Name is "sqs".
func (f *Face) Name() string { return service }

// Claims reports whether the request says that it is for SQS: by the target of the JSON protocol, by the scope of its
// signature, by the path of a queue, or, at "/", by the API version or the action in the URL or in the form.
func (f *Face) Claims(h *ingress.Head) bool {
	if target := h.Header.PeekCanonical(headerTarget); len(target) > 0 {
		return bytes.HasPrefix(target, targetPrefix)
	}
	if authorization := h.Header.PeekCanonical(headerAuthorization); bytes.HasPrefix(authorization, signatureScheme) {
		return bytes.Contains(authorization, scopeOfSQS)
	}
	if isQueuePath(h.Path) {
		return len(h.Header.PeekCanonical(headerAuthorization)) == 0 && (h.IsMethod(fasthttp.MethodPost) || saysSQS(h.Query))
	}
	return string(h.Path) == "/" && (saysSQS(h.Query) || aws.IsForm(h.Header.ContentType()) && saysSQS(h.Body))
}

var (
	headerTarget        = []byte("X-Amz-Target")
	headerAuthorization = []byte(fasthttp.HeaderAuthorization)
	targetPrefix        = []byte("AmazonSQS.")
	signatureScheme     = []byte("AWS4-HMAC-SHA256 ")
	scopeOfSQS          = []byte("/sqs/aws4_request")
)

// isQueuePath reports whether a path is /ACCOUNT/NAME.
func isQueuePath(path []byte) bool {
	const account = 1 + 12
	return len(path) > account+1 && path[0] == '/' && path[account] == '/' && aws.IsAccount(path[1:account]) && aws.IsQueueName(path[account+1:])
}

// saysSQS reports whether a form names the API version, or an action that only this API has.
func saysSQS(form []byte) bool {
	for s := scan.NewFormScanner(form); s.Next(); {
		switch string(s.Key) {
		case "Version":
			return string(s.Value) == apiVersion
		case "Action":
			if o := operationOf(s.Value); o != nil && !o.shared {
				return true
			}
		}
	}
	return false
}

// BodyBytesMax is 8 MiB.
func (f *Face) BodyBytesMax(*ingress.Head) int { return bodyBytesMax }

// Refuse answers a request whose body could not be read.
func (f *Face) Refuse(ctx *fasthttp.RequestCtx, h *ingress.Head, why ingress.Refusal) {
	c := newCall(f, ctx, h)
	defer c.release()
	c.json = c.json || len(h.Header.ContentType()) == 0 // it is forgotten, and most clients speak JSON
	switch why {
	case ingress.RefusedTooLarge:
		c.refuse(errTooLarge)
	case ingress.RefusedTimeout:
		c.refuse(&fault{why.Status(), "RequestTimeoutException", "RequestTimeout", "The request's body did not arrive in time."})
	default:
		c.refuse(&fault{why.Status(), shapeMalformed, codeMalformed, "The request's framing is malformed or ambiguous."})
	}
}

// Serve answers a request.
func (f *Face) Serve(ctx *fasthttp.RequestCtx, h *ingress.Head) {
	c := newCall(f, ctx, h)
	defer c.release()
	if err := c.serve(); err != nil {
		c.refuse(err)
	}
}

func (c *call) serve() error {
	if string(c.head.Path) != "/" && !isQueuePath(c.head.Path) {
		return errPath
	}
	if !c.head.IsMethod(fasthttp.MethodPost) && (c.json || !c.head.IsMethod(fasthttp.MethodGet)) {
		c.ctx.Response.Header.Set(fasthttp.HeaderAllow, "GET, POST")
		return errMethod
	}
	o, err := c.operation()
	if err != nil {
		return err
	}
	c.action = o.name
	if err := c.admit(o); err != nil {
		return err
	}
	if c.json {
		err = c.scanJSON()
	} else {
		err = c.scanQuery()
	}
	if err != nil {
		return err
	}
	return o.serve(c)
}

// operation finds what a request wants done.
func (c *call) operation() (*operation, error) {
	name, version := []byte(nil), []byte(nil)
	if c.json {
		target := c.head.Header.PeekCanonical(headerTarget)
		name = bytes.TrimPrefix(target, targetPrefix)
	} else {
		for _, source := range [2][]byte{c.head.Query, c.body} {
			for s := scan.NewFormScanner(source); s.Next(); {
				switch string(s.Key) {
				case "Action":
					name = s.Value
				case "Version":
					version = s.Value
				}
			}
		}
	}
	if len(name) == 0 {
		return nil, errNoAction
	}
	o := operationOf(name)
	if o == nil || version != nil && string(version) != apiVersion {
		return nil, unknownAction(string(name))
	}
	return o, nil
}
