package smn

import (
	"bytes"
	"net/http"
	"sync"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/apigw"
	"fanfare/ingress/scan"

	"github.com/valyala/fasthttp"
)

// Limits of the protocol. Source: SMN API reference, "Constraints".
const (
	bodyBytesMax        = 2 << 20 // a full message may arrive as \uXXXX escapes throughout
	messageBytesMax     = 262_144
	subjectBytesMax     = 512
	topicNameBytesMax   = 255
	displayNameBytesMax = 192
	remarkBytesMax      = 128
	subscriptionsMax    = 10_000 // per topic
	pageMax             = 100
	timeToLiveDefault   = 3600 // seconds
	timeToLiveMax       = 604_800
)

// Face speaks SMN. Use New.
type Face struct {
	engine *engine.Engine
	opts   Options // immutable after New

	mu sync.Mutex // held while a subscription is looked for and made or changed
}

// New returns the face. The options must be valid.
func New(e *engine.Engine, opts Options) *Face {
	opts.setDefaults()
	return &Face{engine: e, opts: opts}
}

// Name is "smn".
func (f *Face) Name() string { return "smn" }

// BodyBytesMax is the same for every request.
func (f *Face) BodyBytesMax(*ingress.Head) int { return bodyBytesMax }

// Claims reports whether the path is one of the service's, or one that nobody serves behind the gateway that this
// service shares with others. The face "dms", the other one behind it, is asked before.
func (f *Face) Claims(h *ingress.Head) bool {
	switch {
	case len(h.Path) < len("/v2"):
		// Without a query the root is the list of versions; every other request for the root is a form API's.
		return len(h.Path) == 1 && h.Path[0] == '/' && len(h.Query) == 0 && (h.IsMethod(http.MethodGet) || h.IsMethod(http.MethodHead))
	case h.HasPathPrefix("/v2"), h.HasPathPrefix("/smn"), h.HasPathPrefix("/rest/v2/notifications"):
		return true
	default:
		return bytes.HasPrefix(h.Header.Peek("Authorization"), schemeSDK) || len(h.Header.Peek("X-Auth-Token")) > 0
	}
}

var schemeSDK = []byte("SDK-HMAC-SHA256 ")

// request is one request while it is answered.
type request struct {
	ctx     *fasthttp.RequestCtx
	head    *ingress.Head
	id      ingress.RequestID
	path    apigw.Path
	project []byte           // from the path, nil where the path has none
	scratch *ingress.Scratch // decoded URN, then the reply
}

// Serve answers a request.
func (f *Face) Serve(ctx *fasthttp.RequestCtx, h *ingress.Head) {
	r := request{ctx: ctx, head: h, id: ingress.NewRequestID(), scratch: ingress.GetScratch()}
	r.path.Parse(h.Path)
	if err := f.route(&r); err != nil {
		writeError(&r, err)
	}
	r.scratch.Put()
}

// Refuse answers a request whose body could not be read.
func (f *Face) Refuse(ctx *fasthttp.RequestCtx, h *ingress.Head, why ingress.Refusal) {
	r := request{ctx: ctx, head: h, id: ingress.NewRequestID(), scratch: ingress.GetScratch()}
	r.path.Parse(h.Path)
	err := apigw.ErrRefused(why)
	if why == ingress.RefusedTooLarge && r.path.Is(5, "publish") {
		err = errMessage // what a message a little too large gets as well
	}
	writeError(&r, err)
	r.scratch.Put()
}

// writeError answers with an error that has the keys of both shapes of the service.
func writeError(r *request, err *apigw.Error) {
	apigw.SetHead(r.ctx, r.id, err.Status)
	if err == apigw.ErrThrottled || err == errClosing {
		apigw.SetRetryAfter(r.ctx)
	}
	b := append(r.scratch.B[:0], `{"request_id":"`...)
	b = r.id.AppendHex(b)
	b = append(append(b, `","code":"`...), err.Code...)
	b = append(append(b, `","message":"`...), err.Text...)
	b = append(append(b, `","error_code":"`...), err.Code...)
	b = append(append(b, `","error_msg":"`...), err.Text...)
	b = append(b, `"}`...)
	r.scratch.B = b
	r.ctx.Response.SetBody(b)
}

// topic finds the topic whose URN is in a segment of the path.
func (f *Face) topic(r *request, segment []byte) (*engine.Topic, *apigw.Error) {
	u, err := f.urn(r, segment, errTopicURN)
	switch {
	case err != nil:
		return nil, err
	case u.subscription != nil:
		return nil, errTopicURN
	case string(u.region) != f.opts.Region, string(u.project) != string(r.project):
		return nil, errTopic
	}
	t := f.engine.Topic(u.topic)
	if t == nil {
		return nil, errTopic
	}
	return t, nil
}

// urn reads the URN in a segment of the path, where its colons may be percent-encoded.
func (f *Face) urn(r *request, segment []byte, fault *apigw.Error) (urn, *apigw.Error) {
	decoded, grown, ok := apigw.Decode(r.scratch.B, segment)
	r.scratch.B = grown
	if !ok {
		return urn{}, fault
	}
	u, ok := parseURN(decoded)
	if !ok {
		return urn{}, fault
	}
	return u, nil
}

// validBody returns the body when it is JSON; for the control operations.
func validBody(r *request) ([]byte, *apigw.Error) {
	body := r.ctx.PostBody()
	if !scan.JSONValid(body) {
		return nil, errNotJSON
	}
	return body, nil
}
