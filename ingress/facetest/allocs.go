package facetest

import (
	"bufio"
	"bytes"
	"testing"

	"fanfare/ingress"

	"github.com/valyala/fasthttp"
)

// Allocs returns the allocations per publish, from the parsed request to the written reply, averaged over
// many runs of one request. The recorder must be quiet: see Quiet.
func Allocs(t *testing.T, face ingress.Face, request []byte, wantStatus int) float64 {
	t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	if err := ctx.Request.Read(bufio.NewReader(bytes.NewReader(request))); err != nil {
		t.Fatal(err)
	}
	var h ingress.Head // the server's, and reused by it
	serve := func() {
		ctx.Response.Reset()
		h = ingress.ParseHead(&ctx.Request.Header)
		face.Serve(&ctx, &h)
	}
	serve()
	if got := ctx.Response.StatusCode(); got != wantStatus {
		t.Fatalf("status %d, want %d; body %s", got, wantStatus, ctx.Response.Body())
	}
	for range 2000 {
		serve() // fill the pools
	}
	return testing.AllocsPerRun(5000, serve)
}

// Quiet returns a recorder that counts messages and keeps nothing.
func Quiet() *Recorder { return &Recorder{quiet: true} }
