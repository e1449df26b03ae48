package ingress_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
)

// echo is a face that answers with what it was asked.
type echo struct{}

func (echo) Name() string                   { return "echo" }
func (echo) Claims(h *ingress.Head) bool    { return h.HasPathPrefix("/echo") }
func (echo) BodyBytesMax(*ingress.Head) int { return 1 << 20 }

func (echo) Serve(ctx *fasthttp.RequestCtx, h *ingress.Head) {
	fmt.Fprintf(ctx, "%s %s?%s %d", h.Method, h.Path, h.Query, len(ctx.Request.Body()))
}

func (echo) Refuse(ctx *fasthttp.RequestCtx, _ *ingress.Head, why ingress.Refusal) {
	ctx.SetStatusCode(why.Status())
	fmt.Fprintf(ctx, "refused %d", why)
}

// serve runs a server with the face, echo if none is given, and returns its address.
func serve(t *testing.T, opts ingress.Options, faces ...ingress.Face) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if len(faces) == 0 {
		faces = []ingress.Face{echo{}}
	}
	s := ingress.New(opts, faces...)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// exchange sends raw bytes and returns the replies, each as "status body", and whether the connection was
// closed behind them.
func exchange(t *testing.T, address, request string, replies int) (got []string, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, request) }() // the server may stop reading
	r := bufio.NewReader(c)
	for range replies {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("behind %d replies: %v", len(got), err)
		}
		if res.StatusCode == http.StatusContinue {
			got = append(got, "100")
			continue
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s", res.StatusCode, strings.TrimSpace(string(body))))
		closed = res.Close
	}
	return got, closed
}

func TestRequests(t *testing.T) {
	address := serve(t, ingress.Options{HeaderBytesMax: 4 << 10})
	f := func(name, request string, closed bool, want ...string) {
		t.Helper()
		request = strings.ReplaceAll(request, "\n", "\r\n")
		got, wasClosed := exchange(t, address, request, len(want))
		if fmt.Sprint(got) != fmt.Sprint(want) || wasClosed != closed {
			t.Errorf("%s: %q, closed %v; want %q, %v", name, got, wasClosed, want, closed)
		}
	}
	const host = "\nHost: x\n"
	f("plain", "POST /echo/a?b=c%20d HTTP/1.1"+host+"Content-Length: 3\n\nabc", false, "200 POST /echo/a?b=c%20d 3")
	f("encoding is untouched", "GET /echo/%41//b%2Fc HTTP/1.1"+host+"\n", false, "200 GET /echo/%41//b%2Fc? 0")
	f("absolute form", "PUT http://other.host:80/echo/q?x HTTP/1.1"+host+"Content-Length: 0\n\n", false, "200 PUT /echo/q?x 0")
	f("absolute form without a path", "GET http://other.host?x=/echo HTTP/1.1"+host+"\n", false,
		`404 {"error":"not_found","message":"No API of Fanfare has this path. Its own begins with /v1/topics."}`)
	f("pipelined", strings.Repeat("POST /echo HTTP/1.1"+host+"Content-Length: 1\n\nx", 3), false,
		"200 POST /echo? 1", "200 POST /echo? 1", "200 POST /echo? 1")
	f("chunked", "POST /echo HTTP/1.1"+host+"Transfer-Encoding: chunked\n\n3\nabc\n2\nde\n0\n\n", false, "200 POST /echo? 5")
	f("expect 100", "POST /echo HTTP/1.1"+host+"Expect: 100-continue\nContent-Length: 2\n\nhi", false, "100", "200 POST /echo? 2")
	f("unknown path", "GET /nowhere HTTP/1.1"+host+"\n", false,
		`404 {"error":"not_found","message":"No API of Fanfare has this path. Its own begins with /v1/topics."}`)
	f("path that only begins alike", "GET /echoes HTTP/1.1"+host+"\n", false,
		`404 {"error":"not_found","message":"No API of Fanfare has this path. Its own begins with /v1/topics."}`)

	f("length and chunks", "POST /echo HTTP/1.1"+host+"Content-Length: 3\nTransfer-Encoding: chunked\n\n0\n\n", true, "400 refused 2")
	f("chunks and length", "POST /echo HTTP/1.1"+host+"Transfer-Encoding: chunked\nContent-Length: 3\n\n0\n\n", true, "400 refused 2")
	f("coding identity", "POST /echo HTTP/1.1"+host+"Transfer-Encoding: identity\nContent-Length: 3\n\nabc", true, "400 refused 2")
	f("coding in odd case", "POST /echo HTTP/1.1"+host+"TRANSFER-encoding: Identity\nContent-Length: 0\n\n", true, "400 refused 2")
	f("two lengths", "POST /echo HTTP/1.1"+host+"Content-Length: 3\nContent-Length: 3\n\nabc", true, "400 The request could not be read.")
	f("two codings", "POST /echo HTTP/1.1"+host+"Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n", true, "400 The request could not be read.")
	f("length of letters", "POST /echo HTTP/1.1"+host+"Content-Length: 3x\n\nabc", true, "400 The request could not be read.")
	f("negative length", "POST /echo HTTP/1.1"+host+"Content-Length: -1\n\n", true, "400 The request could not be read.")
	f("length beyond all", "POST /echo HTTP/1.1"+host+"Content-Length: 9223372036854775808\n\n", true, "400 The request could not be read.")
	f("huge length", "POST /echo HTTP/1.1"+host+"Content-Length: 9223372036854775807\n\n", true, "413 refused 1")
	f("space before the colon", "POST /echo HTTP/1.1"+host+"Content-Length : 3\n\nabc", true, "400 The request could not be read.")
	f("broken chunk", "POST /echo HTTP/1.1"+host+"Transfer-Encoding: chunked\n\nzz\n", true, "400 refused 2")
	f("not HTTP", "hello\n\n", true, "400 The request could not be read.")
	f("header flood", "GET /echo HTTP/1.1"+host+strings.Repeat("X-A: bbbbbbbb\n", 1000)+"\n", true, "431 The head of the request is too large.")
	f("body at the limit", "POST /echo HTTP/1.1"+host+"Content-Length: 1048576\n\n"+strings.Repeat("x", 1<<20), false, "200 POST /echo? 1048576")
	f("body over the limit", "POST /echo HTTP/1.1"+host+"Content-Length: 1048577\n\n"+strings.Repeat("x", 1<<20+1), true, "413 refused 1")
	f("chunks over the limit", "POST /echo HTTP/1.1"+host+"Transfer-Encoding: chunked\n\n"+strings.Repeat("10000\n"+strings.Repeat("x", 1<<16)+"\n", 17)+"0\n\n", true, "413 refused 1")
	f("body that nobody claims", "POST /nowhere HTTP/1.1"+host+"Content-Length: 100000\n\n"+strings.Repeat("x", 100000), true, "413 The request could not be read.")
}

// A sender that takes too long is cut off, in the head and in the body.
func TestSlowSendersAreCutOff(t *testing.T) {
	address := serve(t, ingress.Options{HeadTimeout: 50 * time.Millisecond, BodyTimeout: 50 * time.Millisecond})
	f := func(name, begun, want string) {
		t.Helper()
		if got, _ := exchange(t, address, strings.ReplaceAll(begun, "\n", "\r\n"), 1); got[0] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("head", "POST /echo HTTP/1.1\nHost:", "408 The request could not be read.")
	f("small body", "POST /echo HTTP/1.1\nHost: x\nContent-Length: 10\n\nabc", "408 The request could not be read.")
	f("large body", "POST /echo HTTP/1.1\nHost: x\nContent-Length: 100000\n\nabc", "408 refused 3")
}

// A client that sends all of a large body before it looks for the answer finds the refusal, not a reset.
func TestRefusalReachesAClientThatSendsFirst(t *testing.T) {
	address := serve(t, ingress.Options{})
	for range 20 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n"+strings.Repeat("x", 10_000_000)); err != nil {
			t.Fatalf("the connection broke while sending: %v", err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("no answer: %v", err)
		}
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", res.StatusCode)
		}
		_ = c.Close()
	}
}
