package sqs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

// served returns a function that has a face answer one request again and again.
func served(tb testing.TB, face ingress.Face, action, body string) func() *fasthttp.Response {
	tb.Helper()
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&fasthttp.Request{}, nil, nil)
	h := &ctx.Request.Header
	h.SetMethod("POST")
	h.SetRequestURI("/")
	h.Set("X-Amz-Target", "AmazonSQS."+action)
	ctx.Request.SetBodyString(body)
	var head ingress.Head
	return func() *fasthttp.Response {
		ctx.Response.Header.Reset()
		ctx.Response.SetBody(nil)
		head = ingress.ParseHead(h)
		face.Serve(ctx, &head)
		if ctx.Response.StatusCode() != fasthttp.StatusOK {
			tb.Fatalf("%s: %s", action, ctx.Response.Body())
		}
		return &ctx.Response
	}
}

// BenchmarkReceive sends a message of 1 KiB with an attribute, receives it with all that is known of it, and deletes it.
func BenchmarkReceive(b *testing.B) {
	e := facetest.NewEngine(b, memstore.New(memstore.Options{}), facetest.Quiet())
	face := setup(b, e)
	send := served(b, face, "SendMessage", fmt.Sprintf(`{"QueueUrl":"/plain","MessageBody":"%s","MessageAttributes":{"a":{"DataType":"String","StringValue":"v"}}}`, strings.Repeat("m", 1024)))
	receive := served(b, face, "ReceiveMessage", `{"QueueUrl":"/plain","MessageAttributeNames":["All"],"MessageSystemAttributeNames":["All"]}`)
	q := e.Queue([]byte("plain"))
	b.ReportAllocs()
	for b.Loop() {
		send()
		r := receive()
		_, handle, _ := strings.Cut(string(r.Body()), `"ReceiptHandle":"`)
		handle, _, _ = strings.Cut(handle, `"`)
		served(b, face, "DeleteMessage", `{"QueueUrl":"/plain","ReceiptHandle":"`+handle+`"}`)()
	}
	if counts := q.Counts(); counts != (engine.QueueCounts{}) {
		b.Errorf("%+v are left", counts)
	}
}
