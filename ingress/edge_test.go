package ingress_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/ingress"
	"fanfare/ingress/dms"
	"fanfare/ingress/facetest"
	"fanfare/ingress/native"
	"fanfare/ingress/rocketmq"
	"fanfare/ingress/smn"
	"fanfare/ingress/smq"
	"fanfare/ingress/sns"

	"github.com/valyala/fasthttp"
)

// The edges are what every cloud's API has in common: texts that are at fault, sizes beyond the limits. The tests go
// through the server with all faces on it, as the binary has them.

const edgeProject = "0123456789abcdef0123456789abcdef"

// Heads of requests, each of an API that publishes; the length and the empty line are still to come.
const (
	headSNS      = "POST / HTTP/1.1\r\nHost: sns.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	headSMQ      = "POST /topics/orders/messages HTTP/1.1\r\nHost: smq.test\r\nx-mns-version: 2015-06-06\r\n"
	headRocketMQ = "POST /topics/orders/messages HTTP/1.1\r\nHost: rocketmq.test\r\nAuthorization: MQ k:s\r\nx-mq-version: 2015-06-06\r\n"
	headSMN      = "POST /v2/" + edgeProject + "/notifications/topics/urn:smn:eu-de:" + edgeProject + ":orders/publish HTTP/1.1\r\nHost: smn.test\r\n"
	headDMS      = "POST /v2/" + edgeProject + "/rocketmq/instances/3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c/messages HTTP/1.1\r\nHost: dms.test\r\n"
	headNative   = "POST /v1/topics/orders/messages HTTP/1.1\r\nHost: native.test\r\n"
	headSettings = "PUT /v1/topics/orders/subscriptions/s HTTP/1.1\r\nHost: native.test\r\n"
)

// edgeFaces are all faces on one engine, with the topic "orders".
func edgeFaces(t testing.TB, recorder *facetest.Recorder) []ingress.Face {
	t.Helper()
	e := facetest.NewEngine(t, memstore.New(memstore.Options{}), recorder)
	if _, _, err := e.CreateTopic("orders", nil); err != nil {
		t.Fatal(err)
	}
	return facesOf(e)
}

func facesOf(e *engine.Engine) []ingress.Face {
	return []ingress.Face{
		native.New(e, native.Options{}), rocketmq.New(e, rocketmq.Options{}), smq.New(e, smq.Options{MissingNamespace: smq.NamespaceAccept}),
		dms.New(e, dms.Options{}), smn.New(e, smn.Options{}), sns.New(e, sns.Options{}),
	}
}

// withLength completes a request by its body and the length of it.
func withLength(head, body string) string {
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// handler reads requests of any face without a network; it is the server's work on a request that has been read.
type handler struct {
	faces []ingress.Face
	ctx   fasthttp.RequestCtx
}

func newHandler(t testing.TB) *handler {
	h := &handler{faces: edgeFaces(t, facetest.Quiet())}
	h.ctx.Init(&fasthttp.Request{}, nil, nil)
	return h
}

// answer lets the face that claims the request answer it.
func (h *handler) answer(t testing.TB, request string) (status int, body string) {
	t.Helper()
	f, head := h.read(t, request)
	f.Serve(&h.ctx, &head)
	return h.ctx.Response.StatusCode(), string(h.ctx.Response.Body())
}

// read reads a request and finds its face.
func (h *handler) read(t testing.TB, request string) (ingress.Face, ingress.Head) {
	t.Helper()
	h.ctx.Request.Reset()
	h.ctx.Response.Reset()
	if err := h.ctx.Request.Read(bufio.NewReader(strings.NewReader(request))); err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	head := ingress.ParseHead(&h.ctx.Request.Header)
	for _, f := range h.faces {
		if f.Claims(&head) {
			return f, head
		}
	}
	t.Fatalf("%.60q is nobody's", request)
	return nil, ingress.Head{}
}

var edgeIDs = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b|\b[0-9A-F]{24,32}\b|\b[0-9a-f]{32}\b`)

var edgeSpaces = regexp.MustCompile(`>\s+<`)

// masked replaces the ids of a reply and takes the space out between its tags.
func masked(reply string) string {
	if len(reply) > 64<<10 {
		return reply // an echo of the message
	}
	reply = edgeSpaces.ReplaceAllString(reply, "><")
	reply = strings.ReplaceAll(reply, edgeProject, "PROJECT")
	return strings.TrimSpace(edgeIDs.ReplaceAllString(reply, "ID"))
}

// readReply reads one reply of a connection, as replyLine has it, and whether the connection is closed behind it.
func readReply(r *bufio.Reader) (reply string, closed bool, err error) {
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", false, err
	}
	body, err := io.ReadAll(res.Body)
	return replyLine(res.StatusCode, string(body)), res.Close, err
}

// replyLine is a reply as the tables have it: the status, and the body without its ids.
func replyLine(status int, body string) string { return fmt.Sprint(status) + " " + masked(body) }
