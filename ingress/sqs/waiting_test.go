//go:build !race

package sqs

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"fanfare/ingress"
)

// TestManyReceiversWait has many receivers wait at once. Each costs one goroutine, that of its connection, and a bounded
// piece of memory; each message wakes one of them. FANFARE_LONG=1 has 10,000 wait.
func TestManyReceiversWait(t *testing.T) {
	const bytesEach = 48 << 10 // read and write buffers of the connection, 16 and 4 KiB, its stack, and the call
	n, sends := 1000, 100
	if os.Getenv("FANFARE_LONG") != "" {
		n, sends = 10_000, 1000
	}
	c := newClient(t, Options{})
	c.must("PurgeQueue", "waiting", nil)
	ln := fasthttputil.NewInmemoryListener()
	server := ingress.New(ingress.Options{}, c.face)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()

	const body = `{"QueueUrl":"/waiting","WaitTimeSeconds":20}`
	request := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
	}
	deadline, tick := time.Now().Add(15*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for c.engine.Stats().Receivers < int64(n) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d wait", c.engine.Stats().Receivers, n)
		}
		<-tick.C
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)) / int64(n)
	t.Logf("%d wait, with %d KiB each", n, each>>10)
	if each > bytesEach {
		t.Errorf("a receiver that waits takes %d bytes, more than %d", each, bytesEach)
	}
	if more := runtime.NumGoroutine() - goroutines; more > n+n/10+10 {
		t.Errorf("%d goroutines for %d receivers", more, n)
	}

	for range sends {
		c.must("SendMessage", "waiting", object{"MessageBody": "m"})
	}
	c.engine.ReleaseReceivers()
	received := 0
	for _, conn := range conns {
		var response fasthttp.Response
		if err := response.Read(bufio.NewReader(conn)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(response.Body()), `"Body":"m"`) {
			received++
		} else if string(response.Body()) != "{}" {
			t.Fatalf("a receiver got %s", response.Body())
		}
		_ = conn.Close()
	}
	if counts := c.engine.Queue([]byte("waiting")).Counts(); received+int(counts.Visible) != sends || received == 0 {
		t.Errorf("%d of %d messages were received, %d can be", received, sends, counts.Visible)
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestWaitOutlastsTimeouts waits longer than a server takes for anything else: no timeout cuts the wait, and the connection
// is as good as before.
func TestWaitOutlastsTimeouts(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const short = 50 * time.Millisecond // with deadlineSlack, 300 ms
	server := ingress.New(ingress.Options{HeadTimeout: short, BodyTimeout: short, WriteTimeout: short, IdleTimeout: 10 * time.Second}, c.face)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for range 2 {
		const body = `{"QueueUrl":"/plain","WaitTimeSeconds":1}`
		if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var response fasthttp.Response
		if err := response.Read(reader); err != nil || response.StatusCode() != 200 || string(response.Body()) != "{}" {
			t.Fatalf("%v %s", err, response.Body())
		}
		if took := time.Since(began); took < 900*time.Millisecond {
			t.Errorf("it waited %v only", took)
		}
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
