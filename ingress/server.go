package ingress

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

// smallBodyBytes is the size up to which a body is expected to arrive together with its head.
const smallBodyBytes = 64 << 10

// Server serves every face on one listener. Use New.
type Server struct {
	opts  Options
	faces atomic.Pointer[[]Face] // replaced as a whole
	http  *fasthttp.Server

	// The requests whose body is large or of unknown length, while it is read: fasthttp forgets the head of a
	// request whose body it could not read, and the refusal needs it. *fasthttp.RequestHeader to claim.
	reading sync.Map
}

// claim is what is remembered of a request while its body is read.
type claim struct {
	face   Face
	method string
	target string
}

// New returns a server of the faces, which are asked in their order.
func New(opts Options, faces ...Face) *Server {
	opts.setDefaults()
	s := &Server{opts: opts}
	s.SetFaces(faces...)
	s.http = &fasthttp.Server{
		Name:                         "fanfare",
		Handler:                      s.serve,
		HeaderReceived:               s.bound,
		ErrorHandler:                 s.refuse,
		Concurrency:                  opts.ConnectionsMax,
		ReadBufferSize:               opts.HeaderBytesMax,
		ReadTimeout:                  opts.HeadTimeout,
		WriteTimeout:                 opts.WriteTimeout,
		IdleTimeout:                  opts.IdleTimeout,
		MaxRequestBodySize:           smallBodyBytes,
		NoDefaultContentType:         true,
		DisablePreParseMultipartForm: true,
		CloseOnShutdown:              true,
		SecureErrorLogMessage:        true,
		LazyRequestTime:              true,
		Logger:                       logger{},
	}
	return s
}

// SetFaces replaces the faces, for an engine that was opened anew. Requests under way end with the old ones.
func (s *Server) SetFaces(faces ...Face) { s.faces.Store(&faces) }

// Serve accepts connections until Shutdown, or until the listener fails.
func (s *Server) Serve(ln net.Listener) error { return s.http.Serve(listener{ln}) }

// Shutdown stops accepting, waits for the requests that are being answered, and closes all connections. It
// gives up waiting when the context ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.ShutdownWithContext(ctx) }

// Connections is the number of open connections.
func (s *Server) Connections() int { return int(s.http.GetOpenConnectionsCount()) }

// face finds the face a request is for, nil when it is nobody's.
func (s *Server) face(h *Head) Face {
	for _, f := range *s.faces.Load() {
		if f.Claims(h) {
			return f
		}
	}
	return nil
}

// isSmall reports whether a body is expected to come with its head: the common case, for which nothing is remembered.
func isSmall(header *fasthttp.RequestHeader) bool {
	n := header.ContentLength()
	return n >= 0 && n <= smallBodyBytes
}

// bound sets the limits of a request whose head has arrived. Small bodies keep the defaults.
func (s *Server) bound(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if isSmall(header) || header.ContentLength() < -1 {
		return fasthttp.RequestConfig{}
	}
	h := ParseHead(header)
	f := s.face(&h)
	if f == nil {
		return fasthttp.RequestConfig{}
	}
	s.reading.Store(header, claim{f, string(h.Method), string(h.Target)})
	return fasthttp.RequestConfig{MaxRequestBodySize: f.BodyBytesMax(&h), ReadTimeout: s.opts.BodyTimeout}
}

func (s *Server) serve(ctx *fasthttp.RequestCtx) {
	s.reading.Delete(&ctx.Request.Header)
	h := getHead(&ctx.Request.Header)
	defer putHead(h)
	if isSmall(&ctx.Request.Header) {
		h.Body = ctx.Request.Body()
	}
	f := s.face(h)
	switch {
	case ambiguousFraming(&ctx.Request.Header):
		ctx.SetConnectionClose()
		lingerOnClose(ctx.Conn())
		if f != nil {
			f.Refuse(ctx, h, RefusedMalformed)
		} else {
			unreadable(ctx, RefusedMalformed)
		}
	case f == nil:
		notFound(ctx)
	default:
		f.Serve(ctx, h)
	}
}

// notFound answers a request that is no face's.
func notFound(ctx *fasthttp.RequestCtx) {
	ctx.SetStatusCode(fasthttp.StatusNotFound)
	ctx.SetContentType("application/json")
	ctx.SetBodyString(`{"error":"not_found","message":"No API of Fanfare has this path. Its own begins with /v1/topics."}` + "\n")
}

// refuse answers a request that could not be read; the connection is closed behind it.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, err error) {
	lingerOnClose(ctx.Conn())
	var small *fasthttp.ErrSmallBuffer
	var netErr net.Error
	why := RefusedMalformed
	switch {
	case errors.As(err, &small):
		ctx.SetStatusCode(fasthttp.StatusRequestHeaderFieldsTooLarge)
		ctx.SetContentType("text/plain")
		ctx.SetBodyString("The head of the request is too large.\n")
		return
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		why = RefusedTooLarge
	case errors.As(err, &netErr) && netErr.Timeout():
		why = RefusedTimeout
	}
	// Where the head is known the refusal is spoken in the face's own words.
	if c, ok := s.reading.LoadAndDelete(&ctx.Request.Header); ok {
		c := c.(claim)
		h := splitTarget([]byte(c.target))
		h.Header, h.Method = &ctx.Request.Header, []byte(c.method)
		c.face.Refuse(ctx, &h, why)
		return
	}
	unreadable(ctx, why)
}

// unreadable answers a request that could not be read and is no face's, or not known to be.
func unreadable(ctx *fasthttp.RequestCtx, why Refusal) {
	ctx.SetStatusCode(why.Status())
	ctx.SetContentType("text/plain")
	ctx.SetBodyString("The request could not be read.\n")
}

// ambiguousFraming reports whether two parties could disagree about where the request ends. fasthttp
// refuses repeated Content-Length and Transfer-Encoding itself; what it lets through is both at once, the
// coding "identity", header lines that are folded or end in LF alone, spaces in names, and fields behind the
// last chunk, whose line ends it does not tell. No client of these APIs sends any of it.
func ambiguousFraming(h *fasthttp.RequestHeader) bool {
	raw := h.RawHeaders()
	if len(raw) == 0 {
		return h.IsHTTP11() // no Host, and no telling how the empty line ended
	}
	coding, length := false, false
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' || raw[0] == ' ' || raw[0] == '\t' {
			return true
		}
		line := raw[:end]
		raw = raw[end+1:]
		name := line[:max(bytes.IndexByte(line, ':'), 0)]
		if bytes.IndexByte(name, ' ') >= 0 {
			return true
		}
		switch len(name) {
		case len("Transfer-Encoding"):
			coding = coding || bytes.EqualFold(name, transferEncoding)
		case len("Content-Length"):
			length = length || bytes.EqualFold(name, contentLength)
		}
	}
	if !coding {
		return false
	}
	return length || h.ContentLength() != -1 || len(h.TrailerHeader()) > len("\r\n")
}

var (
	transferEncoding = []byte("transfer-encoding")
	contentLength    = []byte("content-length")
)

// logger swallows fasthttp's own messages: they are about single connections, and counted elsewhere.
type logger struct{}

func (logger) Printf(string, ...any) {}
