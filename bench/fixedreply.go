package bench

import (
	"bytes"
	"context"
	"net"
	"strings"

	"github.com/valyala/fasthttp"
)

// FixedReply is the ceiling of a publish: a server of the same HTTP library that reads the body and gives
// one fixed reply, of the size of SMQ's reply to a publish. Whoever asks for the messages of a queue is given ten, and
// whoever deletes ten is told so.
type FixedReply struct{ server *fasthttp.Server }

// NewFixedReply returns the server; Serve makes it work.
func NewFixedReply() *FixedReply { return &FixedReply{server: bareServer(replyFixed)} }

// Serve answers requests until Shutdown, and closes the listener.
func (f *FixedReply) Serve(ln net.Listener) error { return f.server.Serve(ln) }

// Shutdown stops listening, closes the connections and returns.
func (f *FixedReply) Shutdown(ctx context.Context) error { return f.server.ShutdownWithContext(ctx) }

var (
	fixedReplyBody = []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageId>D273CD6A89564E541CAD8FAC00200001</MessageId>` +
		`<MessageBodyMD5>DF911F0151F9EF021D410B4BE5060972</MessageBodyMD5></Message>`)
	topicsPath = []byte("/topics/")
	nativePath = []byte("/v1/topics/")

	fixedMessages = fixedReceive()
	fixedDeleted  = []byte(`{"Failed":[],"Successful":[` + strings.Repeat(`{"Id":"0"},`, batchMax-1) + `{"Id":"0"}]}`)
	targetReceive = []byte(sqsTarget + "ReceiveMessage")
	targetDelete  = []byte(sqsTarget + "DeleteMessageBatch")
)

// fixedReceive is a reply with as many messages as one can have.
func fixedReceive() []byte {
	message := `{"Body":` + jsonString(Text(1024)) + `,"MD5OfBody":"df911f0151f9ef021d410b4be5060972",` +
		`"MessageId":"7f1d0c2e-9b6a-4b7e-8f3e-5a4c3d2b1a09","ReceiptHandle":"` + strings.Repeat("A", 64) + `"}`
	return []byte(`{"Messages":[` + strings.Repeat(message+",", batchMax-1) + message + `]}`)
}

func replyFixed(ctx *fasthttp.RequestCtx) {
	if target := ctx.Request.Header.Peek("X-Amz-Target"); bytes.Equal(target, targetReceive) || bytes.Equal(target, targetDelete) {
		replyQueue(ctx, target)
		return
	}
	// The faces differ in the status that means success, and the load generator insists on it.
	if path := ctx.Request.Header.RequestURI(); bytes.HasPrefix(path, topicsPath) || bytes.HasPrefix(path, nativePath) {
		ctx.SetStatusCode(fasthttp.StatusCreated)
	}
	ctx.SetContentType("text/xml;charset=utf-8")
	ctx.Response.Header.Set("x-mns-request-id", "69A543800000000B00000001")
	ctx.Response.Header.Set("x-mns-version", "2015-06-06")
	ctx.Response.SetBodyRaw(fixedReplyBody)
}

// replyQueue answers a receiver.
func replyQueue(ctx *fasthttp.RequestCtx, target []byte) {
	ctx.SetContentType("application/x-amz-json-1.0")
	body := fixedMessages
	if bytes.Equal(target, targetDelete) {
		body = fixedDeleted
	}
	ctx.Response.SetBodyRaw(body)
}
