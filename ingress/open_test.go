package ingress

import (
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// lookingFace looks at the connection whenever it is asked to, and answers when it is asked no more.
type lookingFace struct {
	ask  chan struct{}
	open chan bool
}

func (lookingFace) Name() string                                { return "looking" }
func (lookingFace) Claims(*Head) bool                           { return true }
func (lookingFace) BodyBytesMax(*Head) int                      { return 0 }
func (lookingFace) Refuse(*fasthttp.RequestCtx, *Head, Refusal) {}

func (f lookingFace) Serve(ctx *fasthttp.RequestCtx, _ *Head) {
	for range f.ask {
		f.open <- IsOpen(ctx)
	}
}

func (f lookingFace) look() bool {
	f.ask <- struct{}{}
	return <-f.open
}

// A connection is open while its client waits, and while there is more to read; it is not when the client went away.
func TestIsOpen(t *testing.T) {
	for name, rest := range map[string]string{"waits": "", "sent more": "GET /b HTTP/1.1\r\n"} {
		t.Run(name, func(t *testing.T) {
			face := lookingFace{make(chan struct{}), make(chan bool)}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := New(Options{}, face)
			served := make(chan error, 1)
			go func() { served <- server.Serve(ln) }()
			client, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", rest} {
				if _, err := client.Write([]byte(text)); err != nil {
					t.Fatal(err)
				}
				if !face.look() {
					t.Error("the connection of a client that waits is not open")
				}
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			if rest == "" {
				deadline := time.Now().Add(10 * time.Second)
				for face.look() {
					if time.Now().After(deadline) {
						t.Fatal("the connection of a client that went away is open")
					}
				}
			}
			close(face.ask)
			if err := server.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}
