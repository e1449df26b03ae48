package egress_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// gzipBomb is a megabyte of zeros in a kilobyte.
func gzipBomb() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, 1<<20))
	_ = w.Close()
	return b.String()
}

// Nothing is ever inflated: what goes into the dead letter are the bytes as they came.
func TestCompressedAnswerIsNotInflated(t *testing.T) {
	bomb := gzipBomb()
	answer := fmt.Sprintf("HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(bomb), bomb)
	o := suffer(t, egress.Options{}, engine.SubscriptionConfig{Endpoint: kindtest.Listen(t, reply(answer))}, "hello")
	letter := o.buried(t, "HTTP 500")
	if len(letter.Answer) == 0 || string(letter.Answer) != bomb[:len(letter.Answer)] {
		t.Errorf("the dead letter keeps %q", letter.Answer)
	}
	if _, _, most := o.readings(); most != int64(len(answer)) {
		t.Errorf("%d bytes were read of an answer of %d", most, len(answer))
	}
}

// An endpoint cannot send a push elsewhere, nor to itself.
func TestRedirectsLeadNowhere(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{"", "/again", "http://169.254.169.254/latest/meta-data/"} {
			t.Run(fmt.Sprintf("%d to %q", status, target), func(t *testing.T) {
				var connects, requests atomic.Int32
				elsewhere := kindtest.Listen(t, func(c net.Conn) { connects.Add(1); _ = c.Close() })
				to := target
				if to == "" {
					to = elsewhere
				}
				url := kindtest.Listen(t, func(c net.Conn) {
					if _, err := request(c); err == nil {
						requests.Add(1)
						_, _ = fmt.Fprintf(c, "HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status, to)
						_, _ = io.Copy(io.Discard, c)
					}
				})
				o := suffer(t, egress.Options{}, engine.SubscriptionConfig{Endpoint: url}, "hello")
				o.buried(t, fmt.Sprintf("HTTP %d", status))
				if conns, _, _ := o.readings(); connects.Load() != 0 || requests.Load() != 2 || conns != 2 {
					t.Errorf("%d connects to the target, %d requests on %d connections for 2 attempts", connects.Load(), requests.Load(), conns)
				}
			})
		}
	}
}

// serveAll answers every request on a connection with a text.
func serveAll(connections *atomic.Int32, answer func(n int) string) func(net.Conn) {
	return func(c net.Conn) {
		connections.Add(1)
		for n := 1; ; n++ {
			if _, err := request(c); err != nil {
				return
			}
			if _, err := io.WriteString(c, answer(n)); err != nil {
				return
			}
		}
	}
}

// What an endpoint's way of ending answers makes of its connections. Each push is delivered at the first attempt.
func TestConnectionsByTheWayAnswersEnd(t *testing.T) {
	f := func(name, answer string, wantConns int32) {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int32
			url := kindtest.Listen(t, serveAll(&connections, func(int) string { return answer }))
			m := &meter{}
			h := newHouse(t, newMemory(), egress.Options{Dial: m.dial})
			topic := h.topic("orders")
			h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: url, MaxInFlight: 1})
			const pushes = 5
			for i := range pushes {
				h.publish(topic, "hello")
				eventually(t, "it is delivered", func() bool { return h.Egress.Stats().Delivered == uint64(i)+1 })
			}
			if got := connections.Load(); got != wantConns || h.Egress.Stats().Failed > 0 {
				t.Errorf("%d pushes took %d connections, want %d; %d failed", pushes, got, wantConns, h.Egress.Stats().Failed)
			}
			if _, open, _ := m.readings(); wantConns == pushes && open != 0 {
				t.Errorf("%d connections are still open", open)
			}
		})
	}
	f("counted", ok200+"Content-Length: 2\r\n\r\nok", 1)
	f("chunked", chunked200+"2\r\nok\r\n0\r\n\r\n", 1)
	f("closing", ok200+"Connection: close\r\nContent-Length: 0\r\n\r\n", 5)
	f("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 5)
	f("HTTP/1.0 kept open", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", 1)
	f("a body longer than its length", ok200+"Content-Length: 2\r\n\r\nok and more", 5)
	f("a body behind a 204", "HTTP/1.1 204 No Content\r\n\r\nok", 5)
	f("two answers to one request", ok200+"Content-Length: 0\r\n\r\n"+"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 5)
}

// An endpoint answers twice, the second time a little later, when the connection is idle. The second answer is
// never taken for that to the next request.
func TestUnaskedAnswerIsNotTakenForTheNext(t *testing.T) {
	sent := make(chan struct{}, 100)
	url := kindtest.Listen(t, func(c net.Conn) {
		for {
			if _, err := request(c); err != nil {
				return
			}
			if _, err := io.WriteString(c, "HTTP/1.1 503 Not Now\r\nContent-Length: 0\r\n\r\n"); err != nil {
				return
			}
			<-time.After(20 * time.Millisecond) // the first was read, and the connection put aside
			_, _ = io.WriteString(c, ok200+"Content-Length: 0\r\n\r\n")
			sent <- struct{}{}
		}
	})
	h := newHouse(t, newMemory(), egress.Options{BreakerFailures: 1000})
	topic := h.topic("orders")
	retry := engine.RetryPolicy{MinDelay: time.Hour, MaxDelay: time.Hour}
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: url, MaxInFlight: 1, Retry: retry})
	const pushes = 10
	for i := range pushes {
		h.publish(topic, "hello")
		eventually(t, "it failed", func() bool { return h.Egress.Stats().Failed+h.Egress.Stats().Delivered == uint64(i)+1 })
		<-sent
		<-time.After(5 * time.Millisecond) // a connection is looked at when it rested
	}
	if st := h.Egress.Stats(); st.Delivered != 0 || st.Failed != pushes {
		t.Errorf("%d delivered, %d failed: an answer was taken for another's", st.Delivered, st.Failed)
	}
}
