package dms

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/apigw"
)

// Limits of the protocol. Source: DMS for RocketMQ user guide, "Constraints".
const (
	messageBytesMax    = 4 << 20
	propertiesBytesMax = 16 << 10
	bodyBytesMax       = 2*messageBytesMax + 64<<10 // a full message of which every character is escaped by a '\'
)

// Face speaks DMS for RocketMQ. Use New.
type Face struct {
	engine *engine.Engine
	opts   Options // immutable after New
}

// New returns the face. The options must be valid.
func New(e *engine.Engine, opts Options) *Face { return &Face{engine: e, opts: opts} }

// Name is "dms".
func (f *Face) Name() string { return "dms" }

// BodyBytesMax is the same for every request.
func (f *Face) BodyBytesMax(*ingress.Head) int { return bodyBytesMax }

// Claims reports whether the path is one of the service's; route.go draws them.
func (f *Face) Claims(h *ingress.Head) bool {
	rest, ok := bytes.CutPrefix(h.Path, v2)
	if !ok {
		return false
	}
	first, rest, _ := bytes.Cut(rest, slash)
	second, rest, _ := bytes.Cut(rest, slash)
	if knownEngine(first) || knownEngine(second) || string(second) == "instances" {
		return true
	}
	third, _, _ := bytes.Cut(rest, slash)
	return string(third) == "instances"
}

var (
	v2    = []byte("/v2/")
	slash = []byte("/")
)

// knownEngine reports whether a segment is one of the two names of the one engine.
func knownEngine(segment []byte) bool {
	return string(segment) == "rocketmq" || string(segment) == "reliability"
}

// request is one request while it is answered.
type request struct {
	ctx     *fasthttp.RequestCtx
	head    *ingress.Head
	id      ingress.RequestID
	path    apigw.Path
	rest    int              // the first segment behind the instance's id
	scratch *ingress.Scratch // decoded name, then parts of the reply
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
	if why == ingress.RefusedTooLarge && bytes.HasSuffix(h.Path, messagesSuffix) {
		err = errBodySize // what a message a little too large gets as well
	}
	writeError(&r, err)
	r.scratch.Put()
}

var messagesSuffix = []byte("/messages")

// writeError answers with an error in the service's shape.
func writeError(r *request, err *apigw.Error) {
	apigw.SetHead(r.ctx, r.id, err.Status)
	if err == apigw.ErrThrottled || err == errClosing {
		apigw.SetRetryAfter(r.ctx)
	}
	b := append(r.scratch.B[:0], `{"error_code":"`...)
	b = append(b, err.Code...)
	b = append(append(b, `","error_msg":"`...), err.Text...)
	b = append(b, `","request_id":"`...)
	b = append(r.id.AppendHex(b), `"}`...)
	r.scratch.B = b
	r.ctx.Response.SetBody(b)
}

// topicOf finds the topic whose name is in a segment of the path.
func (f *Face) topicOf(r *request, segment []byte) (*engine.Topic, *apigw.Error) {
	name, grown, ok := apigw.Decode(r.scratch.B, segment)
	r.scratch.B = grown
	if !ok {
		return nil, errTopicField
	}
	t := f.engine.Topic(name)
	if t == nil {
		return nil, errTopic
	}
	return t, nil
}
