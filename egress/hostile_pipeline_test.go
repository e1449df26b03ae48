package egress_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// depths is an endpoint that notes how many requests came together.
type depths struct {
	mu   sync.Mutex
	conn int            // guarded by mu: connections so far
	deep []int          // guarded by mu: of each batch that was deeper than one, the connection
	last int            // guarded by mu: the depth of the last batch
	seen map[string]int // guarded by mu: how often each body came
}

// serve reads batches: one request and those that lie behind it. answer returns the text and whether the connection
// goes on.
func (d *depths) serve(answer func(conn, n int, bodies []string) (string, bool)) func(net.Conn) {
	d.seen = map[string]int{}
	return func(c net.Conn) {
		defer c.Close()
		d.mu.Lock()
		d.conn++
		conn := d.conn
		d.mu.Unlock()
		r := bufio.NewReaderSize(c, 64<<10)
		for n := 1; ; n++ {
			var bodies []string
			for len(bodies) == 0 || r.Buffered() > 0 {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				b, err := io.ReadAll(req.Body)
				if err != nil {
					return
				}
				bodies = append(bodies, string(b))
			}
			d.mu.Lock()
			if d.last = len(bodies); d.last > 1 {
				d.deep = append(d.deep, conn)
			}
			d.mu.Unlock()
			text, goOn := answer(conn, n, bodies)
			d.mu.Lock()
			for _, body := range bodies {
				d.seen[body]++
			}
			d.mu.Unlock()
			if _, err := io.WriteString(c, text); err != nil || !goOn {
				return
			}
		}
	}
}

// waitFor waits until so many different bodies have come.
func (d *depths) waitFor(t *testing.T, n int) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; {
		d.mu.Lock()
		have := len(d.seen)
		d.mu.Unlock()
		if have >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d came", have, n)
		}
		<-look.C
	}
}

const empty200 = ok200 + "Content-Length: 0\r\n\r\n"

// times repeats an answer.
func times(n int, answer string) (s string) {
	for range n {
		s += answer
	}
	return s
}

// held starts a house with a pipelined subscription to an endpoint and publishes messages, all of which are there
// before the endpoint answers the first: they go out as one batch behind it.
func held(t *testing.T, opts egress.Options, retry engine.RetryPolicy, messages int, answer func(conn, n int, bodies []string) (string, bool)) (*house, *depths) {
	t.Helper()
	d := &depths{}
	release := make(chan struct{})
	url := kindtest.Listen(t, d.serve(func(conn, n int, bodies []string) (string, bool) {
		<-release
		return answer(conn, n, bodies)
	}))
	opts.BreakerFailures = 1000
	h := newHouse(t, newMemory(), opts)
	topic := h.topic("orders")
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: url, Pipeline: 16, MaxInFlight: 16, Retry: retry})
	for i := range messages {
		h.publish(topic, fmt.Sprintf("message %03d", i))
	}
	close(release)
	return h, d
}

// Two batches in a row that break off are enough: from then on there is one request at a time, and all arrives.
func TestEndpointThatBreaksBatchesGetsOneRequestAtATime(t *testing.T) {
	f := func(name string, wantDeep int, answer func(conn, n int, bodies []string) (string, bool)) {
		t.Run(name, func(t *testing.T) {
			h, d := held(t, egress.Options{}, fastRetry(), 100, answer)
			eventually(t, "all is delivered", func() bool { return h.Egress.Stats().Delivered == 100 })
			d.mu.Lock()
			defer d.mu.Unlock()
			if len(d.deep) != wantDeep {
				t.Errorf("%d batches were deeper than one request, want %d", len(d.deep), wantDeep)
			}
		})
	}
	f("closes between answers", 2, func(_, _ int, bodies []string) (string, bool) { return empty200, len(bodies) == 1 })
	// The first batch comes on a connection that was used before: that it was closed meanwhile is tried out first.
	f("closes without an answer", 3, func(_, _ int, bodies []string) (string, bool) {
		if len(bodies) > 1 {
			return "", false
		}
		return empty200, true
	})
	f("says that it closes", 2, func(_, _ int, bodies []string) (string, bool) {
		if len(bodies) > 1 {
			return closing200, false
		}
		return empty200, true
	})
	f("speaks HTTP/1.0", 1, func(_, _ int, bodies []string) (string, bool) {
		return times(len(bodies), "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"), true
	})
}

// A connection that ends now and then, as many servers do it after a number of requests, is no reason to stop.
func TestSomeBreaksAreNoReason(t *testing.T) {
	h, d := held(t, egress.Options{}, fastRetry(), 400, func(_, n int, bodies []string) (string, bool) {
		if n%3 == 0 {
			return times(len(bodies)-1, empty200) + closing200, false // behind the last one
		}
		if n%3 == 2 && len(bodies) > 3 {
			return times(2, empty200) + closing200, false // in the middle
		}
		return times(len(bodies), empty200), true
	})
	eventually(t, "all is delivered", func() bool { return h.Egress.Stats().Delivered == 400 })
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.deep) < 10 {
		t.Errorf("only %d batches were deeper than one request", len(d.deep))
	}
}

// An endpoint that was put right is pipelined to again.
func TestDepthComesBack(t *testing.T) {
	h, d := held(t, egress.Options{ConnAgeMax: 50 * time.Millisecond}, fastRetry(), 100, func(conn, _ int, bodies []string) (string, bool) {
		if conn <= 3 && len(bodies) > 1 {
			return empty200, false
		}
		return times(len(bodies), empty200), true
	})
	topic := h.topic("orders")
	eventually(t, "there is a batch on a later connection", func() bool {
		for i := range 50 {
			h.publish(topic, fmt.Sprintf("later %d", i))
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		return len(d.deep) > 0 && d.deep[len(d.deep)-1] > 3
	})
}

// An endpoint answers one request of a batch twice and refuses the others. Nobody knows which answer is the one too
// many: only the first counts as delivered, and the others are asked about again, each on its own connection.
func TestSurplusAnswerAcknowledgesNothing(t *testing.T) {
	const messages, good = 40, "message 001" // the first behind the one that goes out alone
	retry := fastRetry()
	retry.MaxAttempts = 3
	h, d := held(t, egress.Options{}, retry, messages, func(_, _ int, bodies []string) (s string, goOn bool) {
		for _, b := range bodies {
			if b == "message 000" || b == good {
				s += empty200
			}
			if b == good {
				s += empty200
			} else if b != "message 000" {
				s += "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
			}
		}
		return s, true
	})
	eventually(t, "all is settled", func() bool { st := h.Egress.Stats(); return st.Delivered+st.Buried == messages })
	if st := h.Egress.Stats(); st.Delivered != 2 {
		t.Errorf("%d messages count as delivered, want 2", st.Delivered)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.deep) != 1 || d.conn < 3*(messages-3) {
		t.Errorf("%d batches were deeper than one request; %d connections", len(d.deep), d.conn)
	}
}

// Each answer of a batch comes within the time for one; together they take longer than that.
func TestSlowAnswersOfABatchAreInTime(t *testing.T) {
	const messages, pause, timeout = 6, 300 * time.Millisecond, time.Second
	url := kindtest.Listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for range tick.C {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
			if _, err := io.WriteString(c, empty200); err != nil {
				return
			}
		}
	})
	h := newHouse(t, newMemory(), egress.Options{})
	topic := h.topic("orders")
	h.subscribe(topic, engine.SubscriptionConfig{
		Name: "s", Endpoint: url, Pipeline: 16, MaxInFlight: 16, Retry: engine.RetryPolicy{Timeout: timeout, MinDelay: time.Minute},
	})
	for i := range messages {
		h.publish(topic, fmt.Sprint(i))
	}
	eventually(t, "all is delivered", func() bool { return h.Egress.Stats().Delivered == messages })
	if failed := h.Egress.Stats().Failed; failed != 0 {
		t.Errorf("%d attempts failed", failed)
	}
}
