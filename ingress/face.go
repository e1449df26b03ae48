package ingress

import (
	"bytes"
	"sync"

	"github.com/valyala/fasthttp"
)

// Face is one wire protocol. The server asks the faces in their order whether a request is theirs.
type Face interface {
	// Name is the face's word, such as "sns".
	Name() string
	// Claims reports whether the request is the face's, from its head alone.
	Claims(h *Head) bool
	// BodyBytesMax is the largest request body the face wants to see; beyond it the server calls Refuse.
	BodyBytesMax(h *Head) int
	// Serve answers the request, with the face's own error for whatever is wrong with it.
	Serve(ctx *fasthttp.RequestCtx, h *Head)
	// Refuse answers a request of the face's whose body could not be read.
	Refuse(ctx *fasthttp.RequestCtx, h *Head, why Refusal)
}

// Refusal says why a request's body could not be read.
type Refusal int

// The refusals.
const (
	RefusedTooLarge  Refusal = iota + 1 // the body is larger than the face's BodyBytesMax
	RefusedMalformed                    // the body's framing is broken or ambiguous
	RefusedTimeout                      // the body did not arrive in time
)

// Status is the HTTP status that fits the refusal where the protocol names none.
func (r Refusal) Status() int {
	switch r {
	case RefusedTooLarge:
		return fasthttp.StatusRequestEntityTooLarge
	case RefusedTimeout:
		return fasthttp.StatusRequestTimeout
	default:
		return fasthttp.StatusBadRequest
	}
}

// Head is what tells requests apart. Its slices are views of the request, valid until the face's Serve or
// Refuse returns. In Refuse the Header may be empty.
type Head struct {
	Header *fasthttp.RequestHeader
	Method []byte
	Target []byte // path and query as received, percent-encoding untouched, without scheme and host
	Path   []byte // the target up to the '?', still encoded
	Query  []byte // behind the '?', still encoded; nil without one
	Body   []byte // as far as it tells requests apart: nil while only the head is there, and when it is not small
}

// ParseHead reads the head of a request.
func ParseHead(h *fasthttp.RequestHeader) Head {
	target := h.RequestURI()
	// A client that takes us for its proxy sends the whole URL.
	if len(target) > 0 && target[0] != '/' {
		if i := bytes.Index(target, schemeEnd); i >= 0 {
			target = target[i+len(schemeEnd):]
			if i := bytes.IndexAny(target, "/?"); i >= 0 {
				target = target[i:]
			} else {
				target = rootPath
			}
		}
	}
	head := splitTarget(target)
	head.Header, head.Method = h, h.Method()
	return head
}

func splitTarget(target []byte) Head {
	head := Head{Target: target, Path: target}
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		head.Path, head.Query = target[:i], target[i+1:]
		if i == 0 {
			head.Path = rootPath // of a whole URL that has a query and no path
		}
	}
	return head
}

// headPool holds heads: one that goes through the Face interface cannot live on the stack.
var headPool = sync.Pool{New: func() any { return new(Head) }}

func getHead(header *fasthttp.RequestHeader) *Head {
	h := headPool.Get().(*Head)
	*h = ParseHead(header)
	return h
}

func putHead(h *Head) {
	*h = Head{}
	headPool.Put(h)
}

var (
	schemeEnd = []byte("://")
	rootPath  = []byte("/")
)

// IsMethod reports whether the request has the method.
func (h *Head) IsMethod(method string) bool { return string(h.Method) == method }

// HasPathPrefix reports whether the path is the prefix or lies below it. The prefix has no '/' at its end.
func (h *Head) HasPathPrefix(prefix string) bool {
	return len(h.Path) >= len(prefix) && string(h.Path[:len(prefix)]) == prefix &&
		(len(h.Path) == len(prefix) || h.Path[len(prefix)] == '/')
}
