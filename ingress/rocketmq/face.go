package rocketmq

import (
	"bytes"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aliyun"
	"fanfare/ingress/scan"

	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"
)

// Source: "Send messages", "Consume messages", "Acknowledge messages" and "Signatures" of the RocketMQ HTTP
// reference, read 2026-11. How requests are told from those of SMQ was found by running the SDKs of both.

// Limits of request bodies. A message of 4 MiB grows in XML by what is escaped.
const (
	sendBytesMax    = 8 << 20
	controlBytesMax = 64 << 10
)

// Face is the face "rocketmq". Use New.
type Face struct {
	engine  *engine.Engine
	dialect *aliyun.Dialect
	log     zerolog.Logger
}

// New returns the face of an engine.
func New(e *engine.Engine, opts Options) *Face {
	return &Face{engine: e, dialect: aliyun.NewDialect("mq"), log: opts.Log}
}

// Name is "rocketmq".
func (f *Face) Name() string { return "rocketmq" }

// Claims reports whether a request for a topic is signed in the scheme of this protocol or, unsigned by either,
// names its version. SMQ, which has the same paths, gets the rest.
func (f *Face) Claims(h *ingress.Head) bool {
	if !h.HasPathPrefix("/topics") && (h.HasPathPrefix("/v2") || h.HasPathPrefix("/queues") || len(h.Path) <= 1) {
		return false // another face's, whatever the headers are
	}
	authorization := h.Header.PeekCanonical(aliyun.HeaderAuthorization)
	switch {
	case bytes.HasPrefix(authorization, schemeMQ):
		return true
	case bytes.HasPrefix(authorization, schemeMNS):
		return false
	}
	return len(h.Header.PeekCanonical(aliyun.HeaderMQVersion)) > 0 && len(h.Header.PeekCanonical(aliyun.HeaderMNSVersion)) == 0
}

var (
	schemeMQ     = []byte("MQ ")
	schemeMNS    = []byte("MNS") // "MNS " and "MNS4-HMAC-SHA256 "
	topicsPath   = []byte("/topics/")
	messagesPath = []byte("/messages")
)

// BodyBytesMax is 8 MiB for messages and 64 KiB for lists of handles.
func (f *Face) BodyBytesMax(h *ingress.Head) int {
	if h.IsMethod("POST") {
		return sendBytesMax
	}
	return controlBytesMax
}

// Refuse answers a request whose body could not be read.
func (f *Face) Refuse(ctx *fasthttp.RequestCtx, h *ingress.Head, why ingress.Refusal) {
	x := f.dialect.Begin(ctx, h)
	switch {
	case why == ingress.RefusedTimeout:
		x.Fail(faultTimeout)
	case why == ingress.RefusedMalformed:
		x.Fail(faultFraming)
	case h.IsMethod("POST"):
		x.Fail(faultBodySize)
	default:
		x.Fail(faultHandleCount)
	}
}

// Serve answers a request.
func (f *Face) Serve(ctx *fasthttp.RequestCtx, h *ingress.Head) {
	x := f.dialect.Begin(ctx, h)
	if fault := f.authenticate(&x); fault != nil {
		x.Fail(fault)
		return
	}
	if fault := f.route(&x); fault != nil {
		x.Fail(fault)
	}
}

// authenticate is where signatures are checked. Without credentials every one is accepted, and so is none: Claims
// has seen the version header then.
func (f *Face) authenticate(*aliyun.Exchange) *fault { return nil }

// route finds the operation: one path, three methods, and the query's "trans".
func (f *Face) route(x *aliyun.Exchange) *fault {
	path := x.Head.Path
	if !bytes.HasPrefix(path, topicsPath) || !bytes.HasSuffix(path, messagesPath) {
		return faultInvalidURL
	}
	segment := path[len(topicsPath):]
	if len(segment) < len(messagesPath) {
		return faultInvalidURL
	}
	segment = segment[:len(segment)-len(messagesPath)]
	if bytes.IndexByte(segment, '/') >= 0 {
		return faultInvalidURL
	}
	if !validInstance(x.Head.Query) {
		return faultInvalidNS
	}
	switch string(x.Head.Method) {
	case "POST":
		return f.send(x, segment)
	case "DELETE":
		switch {
		case x.IsQuery("trans", "commit"):
			return f.settle(x, segment, true)
		case x.IsQuery("trans", "rollback"):
			return f.settle(x, segment, false)
		case x.HasQuery("trans"):
			return faultInvalidTrans
		}
		return f.acknowledge(x, segment)
	case "GET":
		return faultNotServed
	}
	return faultInvalidURL
}

// validInstance reports whether the percent-encoding of every "ns" of the query is right. The instance itself is not
// looked at: all of them are one.
func validInstance(query []byte) bool {
	for s := scan.NewFormScanner(query); s.Next(); {
		if string(s.Key) != "ns" || scan.FormPlain(s.Value) {
			continue
		}
		var buf [64]byte
		if _, err := scan.AppendFormValue(buf[:0], s.Value); err != nil {
			return false
		}
	}
	return true
}

// topic finds the topic that a segment of the path names.
func (f *Face) topic(segment []byte) (*engine.Topic, *fault) {
	var buf [engine.TopicNameBytesMax]byte
	name := segment
	if bytes.IndexByte(segment, '%') >= 0 {
		var err error
		if name, err = scan.AppendFormPath(buf[:0], segment); err != nil {
			return nil, faultInvalidURL
		}
	}
	t := f.engine.Topic(name)
	if t == nil {
		return nil, faultTopicNotExist
	}
	return t, nil
}

// namespace checks what the root of a document says of its name space. The SDKs send every form of it, none
// included; only another one is wrong.
func namespace(namespace aliyun.Namespace) *fault {
	if namespace == aliyun.NamespaceForeign {
		return faultNamespace
	}
	return nil
}
