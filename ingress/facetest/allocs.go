package facetest

import (
	"bufio"
	"bytes"
	"runtime"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/ingress"
)

const (
	allocsWarmup = 2000
	allocsRuns   = 5000

	// embeddedAllocsMax is what a message may allocate over the embedded store, whose groups hold those of one publish
	// here: Pebble's commit, and its log's and tables' blocks, spread over the messages.
	embeddedAllocsMax = 0.5
)

// CheckAllocs fails the test when a publish allocates anything, from the parsed request to the written reply
// and through the commit, on the store in memory. For the embedded store it reports the allocations per publish,
// which are Pebble's own, and bounds them. setup makes the face on a fresh engine.
func CheckAllocs(t *testing.T, request []byte, wantStatus int, setup func(e *engine.Engine) ingress.Face) {
	t.Helper()
	CheckAllocsOf(t, Publish{Request: request, Status: wantStatus}, setup)
}

// Publish is a publish that is made again and again.
type Publish struct {
	Request  []byte
	Status   int               // of the reply
	Messages int               // in it; default 1
	Change   func(body []byte) // nil, or what changes bytes of the request's body before each: no two are the same then
}

// CheckAllocsOf is CheckAllocs for a publish with more to say about it.
func CheckAllocsOf(t *testing.T, p Publish, setup func(e *engine.Engine) ingress.Face) {
	t.Run("store=memory", func(t *testing.T) {
		serve := server(t, setup(NewEngine(t, memstore.New(memstore.Options{}), Quiet())), &p)
		if n := testing.AllocsPerRun(allocsRuns, serve); n != 0 {
			t.Errorf("%v allocations per publish, want 0", n)
		}
	})
	t.Run("store=embedded", func(t *testing.T) {
		serve := server(t, setup(NewEngine(t, nil, Quiet())), &p)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range allocsRuns {
			serve()
		}
		runtime.ReadMemStats(&after)
		n := float64(after.Mallocs-before.Mallocs) / allocsRuns
		t.Logf("%.3f allocations per publish in groups of one publish, Pebble's included", n)
		if most := embeddedAllocsMax * float64(max(1, p.Messages)); n > most {
			t.Errorf("%.3f allocations per publish, at most %.1f are Pebble's", n, most)
		}
	})
}

// server returns a function that serves the request once more; it has run often enough to fill the pools.
func server(t *testing.T, face ingress.Face, p *Publish) (serve func()) {
	t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	if err := ctx.Request.Read(bufio.NewReader(bytes.NewReader(p.Request))); err != nil {
		t.Fatal(err)
	}
	var h ingress.Head // the server's, and reused by it
	serve = func() {
		// Not Reset: the real server keeps a connection's body buffer, outside of it fasthttp gives it to a pool.
		ctx.Response.Header.Reset()
		ctx.Response.SetBody(nil)
		if p.Change != nil {
			p.Change(ctx.Request.Body())
		}
		h = ingress.ParseHead(&ctx.Request.Header)
		face.Serve(&ctx, &h)
	}
	serve()
	if got := ctx.Response.StatusCode(); got != p.Status {
		t.Fatalf("status %d, want %d; body %s", got, p.Status, ctx.Response.Body())
	}
	for range allocsWarmup {
		serve()
	}
	return serve
}

// Quiet returns a recorder that counts messages and keeps nothing.
func Quiet() *Recorder { return &Recorder{quiet: true} }
