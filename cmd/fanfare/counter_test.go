package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"
)

// counter is an endpoint that only counts, cheaply.
type counter struct {
	URL string
	n   atomic.Int64
	all chan struct{} // closed when as many as wanted have come
}

func newCounter(t *testing.T, want int) *counter {
	t.Helper()
	c := &counter{all: make(chan struct{})}
	server := &fasthttp.Server{Handler: func(*fasthttp.RequestCtx) {
		if c.n.Add(1) == int64(want) {
			close(c.all)
		}
	}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		_ = server.Shutdown()
		<-served
	})
	c.URL = "http://" + ln.Addr().String() + "/"
	return c
}

func (c *counter) count() int64 { return c.n.Load() }

// runProgram runs a command of the program to its end.
func runProgram(args ...string) (output string, err error) {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func contains(s, part string) bool { return strings.Contains(s, part) }
