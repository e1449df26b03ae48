package smq

import (
	"bytes"
	"sync"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aliyun"
	"fanfare/ingress/scan"

	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"
)

// Source: "API overview" and the pages of the single operations of the SMQ HTTP reference, read 2026-11. How
// requests are told from those of RocketMQ over HTTP was found by running the SDKs of both.

// Limits of request bodies. A message of 64 KiB grows in XML by what is escaped, and has properties beside it.
const (
	publishBytesMax = 1 << 20
	controlBytesMax = 64 << 10
)

// Face is the face "smq". Use New.
type Face struct {
	engine  *engine.Engine
	opts    Options
	dialect *aliyun.Dialect
	log     zerolog.Logger

	mu sync.Mutex // held by operations that look before they change
}

// New returns the face of an engine.
func New(e *engine.Engine, opts Options) *Face {
	opts.setDefaults()
	return &Face{engine: e, opts: opts, dialect: aliyun.NewDialect("mns"), log: opts.Log}
}

// Name is "smq".
func (f *Face) Name() string { return "smq" }

// Claims reports whether the request is for a topic, a queue or the account, or for a path that nobody serves and
// comes from a client of this protocol. The face rocketmq, which shares the path of messages, is asked before.
func (f *Face) Claims(h *ingress.Head) bool {
	switch {
	case h.HasPathPrefix("/topics"), h.HasPathPrefix("/queues"), h.HasPathPrefix("/commonbuy"):
		return true
	case len(h.Path) == 1 && len(h.Query) > 0: // "/"
		for s := scan.NewFormScanner(h.Query); s.Next(); {
			if bytes.EqualFold(s.Key, accountMeta) {
				return true
			}
		}
		return false
	}
	return !h.HasPathPrefix("/v2") && len(h.Path) > 1 && len(h.Header.PeekCanonical(aliyun.HeaderMNSVersion)) > 0
}

// BodyBytesMax is 1 MiB for messages and 64 KiB for everything else.
func (f *Face) BodyBytesMax(h *ingress.Head) int {
	if bytes.HasSuffix(h.Path, messagesPath) {
		return publishBytesMax
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
	case bytes.HasSuffix(h.Path, messagesPath):
		x.Fail(faultBodySize)
	default:
		x.Fail(faultTooLarge)
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

var (
	accountMeta       = []byte("accountmeta")
	messagesPath      = []byte("/messages")
	topicsPath        = []byte("/topics")
	subscriptionsPath = []byte("subscriptions")
)

// authenticate is where signatures are checked. Without credentials every one is accepted, and so is none, as
// long as the version header says which protocol it is.
func (f *Face) authenticate(x *aliyun.Exchange) *fault {
	if len(x.Header(aliyun.HeaderMNSVersion)) > 0 || len(x.Header(aliyun.HeaderMQVersion)) > 0 {
		return nil
	}
	authorization := x.Header(aliyun.HeaderAuthorization)
	switch {
	case len(authorization) == 0:
		return faultMissingAuthorization
	case !bytes.HasPrefix(authorization, []byte("MNS ")) && !bytes.HasPrefix(authorization, []byte("MNS4-HMAC-SHA256 ")):
		return faultInvalidAuthorization
	default:
		return faultMissingVersion
	}
}

// route finds the operation by path and method and runs it.
func (f *Face) route(x *aliyun.Exchange) *fault {
	h := x.Head
	switch {
	case h.HasPathPrefix("/topics"):
	case h.HasPathPrefix("/queues"), h.HasPathPrefix("/commonbuy"), len(h.Path) == 1:
		return faultNotServed
	default:
		return faultInvalidURL
	}
	path := h.Path[len(topicsPath):]
	if len(path) == 0 {
		if !h.IsMethod("GET") {
			return faultInvalidURL
		}
		return f.listTopics(x)
	}
	topic, below, deeper := bytes.Cut(path[1:], []byte("/"))
	if !deeper {
		return f.routeTopic(x, topic)
	}
	if string(below) == "messages" {
		if !h.IsMethod("POST") {
			return faultInvalidURL
		}
		return f.publish(x, topic)
	}
	section, subscription, deeper := bytes.Cut(below, []byte("/"))
	if !bytes.Equal(section, subscriptionsPath) {
		return faultInvalidURL
	}
	if !deeper {
		if !h.IsMethod("GET") {
			return faultInvalidURL
		}
		return f.listSubscriptions(x, topic)
	}
	if bytes.IndexByte(subscription, '/') >= 0 {
		return faultInvalidURL
	}
	return f.routeSubscription(x, topic, subscription)
}

func (f *Face) routeTopic(x *aliyun.Exchange, topic []byte) *fault {
	switch string(x.Head.Method) {
	case "PUT":
		if x.IsQuery("metaoverride", "true") {
			return f.setTopicAttributes(x, topic)
		}
		return f.createTopic(x, topic)
	case "GET":
		return f.getTopicAttributes(x, topic)
	case "DELETE":
		return f.deleteTopic(x, topic)
	}
	return faultInvalidURL
}

func (f *Face) routeSubscription(x *aliyun.Exchange, topic, subscription []byte) *fault {
	switch string(x.Head.Method) {
	case "PUT":
		if x.IsQuery("metaoverride", "true") {
			return f.setSubscriptionAttributes(x, topic, subscription)
		}
		return f.subscribe(x, topic, subscription)
	case "GET":
		return f.getSubscriptionAttributes(x, topic, subscription)
	case "DELETE":
		return f.unsubscribe(x, topic, subscription)
	}
	return faultInvalidURL
}

// topic finds the topic that a segment of the path names.
func (f *Face) topic(segment []byte) (*engine.Topic, *fault) {
	var buf [engine.TopicNameBytesMax]byte
	name, fault := decodeSegment(buf[:0], segment)
	if fault != nil {
		return nil, fault
	}
	// A topic of another face may have a name that this one would not give.
	t := f.engine.Topic(name)
	if t == nil {
		if fault := checkName(name, topicNameBytesMax, faultTopicName, faultTopicNameLength); fault != nil {
			return nil, fault
		}
		return nil, faultTopicNotExist
	}
	return t, nil
}

// decodeSegment undoes the percent-encoding of a segment of the path; the result is a view of it, or of buf.
func decodeSegment(buf, segment []byte) ([]byte, *fault) {
	if bytes.IndexByte(segment, '%') < 0 {
		return segment, nil
	}
	name, err := scan.AppendFormPath(buf, segment)
	if err != nil {
		return nil, faultInvalidURL
	}
	return name, nil
}

// Limits of names. The current pages allow 120 characters for a topic; the text of an older error said 256.
const (
	topicNameBytesMax        = 120
	subscriptionNameBytesMax = 255
)

// checkName checks the name of a new topic or subscription: letters, digits and '-', with no '-' at its start.
func checkName(name []byte, bytesMax int, invalid, length *fault) *fault {
	if len(name) == 0 || len(name) > bytesMax {
		return length
	}
	for i, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-' && i > 0:
		default:
			return invalid
		}
	}
	return nil
}

// namespace checks what the root of a document says of its name space.
func (f *Face) namespace(x *aliyun.Exchange, namespace aliyun.Namespace) *fault {
	if namespace == aliyun.NamespaceOurs {
		return nil
	}
	if namespace == aliyun.NamespaceMissing {
		switch f.opts.MissingNamespace {
		case NamespaceAccept:
			return nil
		case NamespaceSDK:
			if omitsNamespace(x) {
				return nil
			}
		}
	}
	return faultNamespace
}

// omitsNamespace reports whether the request comes from an SDK that is known to send documents without a name
// space. Found by running them: aliyun-mns-go-sdk 1.0.11 is "aliyun-sdk-go/1.0.11(linux/...)", ali-mns 2.6.8 is
// "Node/v20.20.2 (linux)" with this very Content-Type. Read in sources: older releases of the Go SDK are
// "mns-go-sdk/1.0.2(fasthttp)"; gogap/ali_mns keeps net/http's name but says application/xml and sends a digest.
func omitsNamespace(x *aliyun.Exchange) bool {
	agent, contentType := x.Head.Header.UserAgent(), x.Head.Header.ContentType()
	switch {
	case bytes.HasPrefix(agent, []byte("aliyun-sdk-go/")), bytes.HasPrefix(agent, []byte("mns-go-sdk/")):
		return true
	case bytes.HasPrefix(agent, []byte("Node/v")):
		return string(contentType) == "text/xml;charset=utf-8"
	case bytes.HasPrefix(agent, []byte("Go-http-client/")):
		return string(contentType) == "application/xml" && len(x.Header(aliyun.HeaderContentMD5)) > 0
	}
	return false
}
