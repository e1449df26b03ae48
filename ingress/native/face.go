package native

import (
	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/scan"

	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"
)

// MessageBytesMax is the largest body of a publish.
const MessageBytesMax = 4 << 20

// settingsBytesMax is the largest body of any other request.
const settingsBytesMax = 64 << 10

// Options of a Face. The zero value works.
type Options struct {
	Log zerolog.Logger // silent by default
}

// Face is Fanfare's own API.
type Face struct {
	engine *engine.Engine
	log    zerolog.Logger
}

// New returns the face of an engine.
func New(e *engine.Engine, opts Options) *Face { return &Face{engine: e, log: opts.Log} }

// Name is "native".
func (f *Face) Name() string { return "native" }

// Claims reports whether the path lies below /v1.
func (f *Face) Claims(h *ingress.Head) bool { return h.HasPathPrefix("/v1") }

// BodyBytesMax is MessageBytesMax for a publish.
func (f *Face) BodyBytesMax(h *ingress.Head) int {
	if p := parsePath(h.Path); p.place == placeMessages {
		return MessageBytesMax
	}
	return settingsBytesMax
}

// Refuse answers a request whose body could not be read.
func (f *Face) Refuse(ctx *fasthttp.RequestCtx, _ *ingress.Head, why ingress.Refusal) {
	switch why {
	case ingress.RefusedTooLarge:
		refuse(ctx, &apiError{why.Status(), "too_large", "The body is too large."})
	case ingress.RefusedTimeout:
		refuse(ctx, &apiError{why.Status(), "timeout", "The body did not arrive in time."})
	default:
		refuse(ctx, &apiError{why.Status(), "malformed", "The request's framing is malformed or ambiguous."})
	}
}

// place is what a path names.
type place uint8

const (
	placeNone place = iota
	placeTopics
	placeTopic
	placeMessages
	placeSubscriptions
	placeSubscription
	placeReplay
	placeDeadLetters
	placeDeadLettersReplay
	placeDeadLetter
)

// path is a parsed path; its names are views, still percent-encoded.
type path struct {
	place               place
	topic, subscription []byte
	sequence            []byte // of a dead letter
}

// parsePath parses
//
//	/v1/topics [/{topic} [/messages | /subscriptions [/{subscription} [below]]]]
//
// where below is what parseBelow parses.
func parsePath(p []byte) path {
	const prefix = "/v1/topics"
	if len(p) < len(prefix) || string(p[:len(prefix)]) != prefix {
		return path{}
	}
	p = p[len(prefix):]
	if len(p) == 0 {
		return path{place: placeTopics}
	}
	topic, p, ok := nextSegment(p)
	if !ok || len(p) == 0 {
		return path{place: placeIf(ok, placeTopic), topic: topic}
	}
	noun, p, _ := nextSegment(p)
	switch {
	case string(noun) == "messages" && len(p) == 0:
		return path{place: placeMessages, topic: topic}
	case string(noun) == "subscriptions" && len(p) == 0:
		return path{place: placeSubscriptions, topic: topic}
	case string(noun) == "subscriptions":
		subscription, p, ok := nextSegment(p)
		below := parseBelow(p)
		below.place = placeIf(ok, below.place)
		below.topic, below.subscription = topic, subscription
		return below
	}
	return path{}
}

// parseBelow parses what stands behind a subscription:
//
//	nothing | /replay | /deadletters [/replay | /{sequence}]
func parseBelow(p []byte) path {
	if len(p) == 0 {
		return path{place: placeSubscription}
	}
	noun, p, _ := nextSegment(p)
	switch {
	case string(noun) == "replay" && len(p) == 0:
		return path{place: placeReplay}
	case string(noun) == "deadletters" && len(p) == 0:
		return path{place: placeDeadLetters}
	case string(noun) == "deadletters":
		which, p, ok := nextSegment(p)
		if string(which) == "replay" && len(p) == 0 {
			return path{place: placeDeadLettersReplay}
		}
		return path{place: placeIf(ok && len(p) == 0, placeDeadLetter), sequence: which}
	}
	return path{}
}

func placeIf(ok bool, p place) place {
	if ok {
		return p
	}
	return placeNone
}

// nextSegment splits "/segment/rest" into "segment" and "/rest". An empty segment is not ok.
func nextSegment(p []byte) (segment, rest []byte, ok bool) {
	if len(p) == 0 || p[0] != '/' {
		return nil, nil, false
	}
	p = p[1:]
	for i, c := range p {
		if c == '/' {
			return p[:i], p[i:], i > 0
		}
	}
	return p, nil, len(p) > 0
}

// Serve answers a request.
func (f *Face) Serve(ctx *fasthttp.RequestCtx, h *ingress.Head) {
	p := parsePath(h.Path)
	if p.place == placeMessages && h.IsMethod(fasthttp.MethodPost) {
		f.publish(ctx, h, p.topic)
		return
	}
	if err := f.control(ctx, h, p); err != nil {
		refuse(ctx, err)
	}
}

// control answers everything but a publish.
func (f *Face) control(ctx *fasthttp.RequestCtx, h *ingress.Head, p path) error {
	topic, err := scan.AppendFormPath(nil, p.topic)
	if err != nil {
		return errPath
	}
	subscription, err := scan.AppendFormPath(nil, p.subscription)
	if err != nil {
		return errPath
	}
	get := h.IsMethod(fasthttp.MethodGet) || h.IsMethod(fasthttp.MethodHead)
	put, del := h.IsMethod(fasthttp.MethodPut), h.IsMethod(fasthttp.MethodDelete)
	switch {
	case p.place == placeNone:
		return errNoSuchPath
	case p.place == placeTopics && get:
		return f.listTopics(ctx, h)
	case p.place == placeTopic && put:
		return f.putTopic(ctx, string(topic))
	case p.place == placeTopic && get:
		return f.getTopic(ctx, topic)
	case p.place == placeTopic && del:
		return f.deleteTopic(ctx, string(topic))
	case p.place == placeSubscriptions && get:
		return f.listSubscriptions(ctx, h, topic)
	case p.place == placeSubscription && put:
		return f.putSubscription(ctx, topic, string(subscription))
	case p.place == placeSubscription && get:
		return f.getSubscription(ctx, topic, string(subscription))
	case p.place == placeSubscription && del:
		return f.deleteSubscription(ctx, topic, string(subscription))
	case p.place > placeSubscription:
		return f.below(ctx, h, p, topic, string(subscription))
	}
	return notAllowed(ctx, p.place)
}

// below answers what stands behind a subscription's path.
func (f *Face) below(ctx *fasthttp.RequestCtx, h *ingress.Head, p path, topic []byte, name string) error {
	s, err := f.existing(topic, name)
	if err != nil {
		return err
	}
	get := h.IsMethod(fasthttp.MethodGet) || h.IsMethod(fasthttp.MethodHead)
	post, del := h.IsMethod(fasthttp.MethodPost), h.IsMethod(fasthttp.MethodDelete)
	switch {
	case p.place == placeReplay && post:
		return f.rewind(ctx, s)
	case p.place == placeDeadLetters && get:
		return f.listDeadLetters(ctx, h, s)
	case p.place == placeDeadLetters && del:
		return f.purgeDeadLetters(ctx, h, s)
	case p.place == placeDeadLettersReplay && post:
		return f.replayDeadLetters(ctx, s)
	case p.place == placeDeadLetter && get:
		return f.getDeadLetter(ctx, h, s, p.sequence)
	case p.place == placeDeadLetter && del:
		return f.deleteDeadLetter(ctx, s, p.sequence)
	}
	return notAllowed(ctx, p.place)
}

func notAllowed(ctx *fasthttp.RequestCtx, p place) error {
	ctx.Response.Header.Set(fasthttp.HeaderAllow, allowed[p])
	return errMethod
}

var allowed = [...]string{
	placeTopics:        "GET, HEAD",
	placeTopic:         "GET, HEAD, PUT, DELETE",
	placeMessages:      "POST",
	placeSubscriptions: "GET, HEAD",
	placeSubscription:  "GET, HEAD, PUT, DELETE",

	placeReplay:            "POST",
	placeDeadLetters:       "GET, HEAD, DELETE",
	placeDeadLettersReplay: "POST",
	placeDeadLetter:        "GET, HEAD, DELETE",
}
