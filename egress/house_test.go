package egress_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/memstore"
)

// plain is a kind that pushes the body and its sequence and nothing else.
type plain struct{}

func (plain) Name() string                                { return "plain" }
func (plain) Check(c *engine.SubscriptionConfig) error    { c.Envelope = "raw"; return nil }
func (plain) Timeout() time.Duration                      { return 10 * time.Second }
func (plain) Compile(*engine.Subscription) egress.Encoder { return plain{} }

func (plain) Judge(status int) egress.Outcome {
	switch {
	case status/100 == 2:
		return egress.Delivered
	case status == http.StatusGone:
		return egress.Dead
	}
	return egress.Retry
}

func (plain) Body(scratch []byte, m *engine.Message) (body, grown []byte) { return m.Body(), scratch }

func (plain) AppendHeader(dst []byte, m *engine.Message, _ []byte, attempt int) []byte {
	dst = append(dst, "Sequence: "...)
	dst = strconv.AppendUint(dst, uint64(m.Sequence()), 10)
	dst = append(dst, "\r\nAttempt: "...)
	return append(strconv.AppendInt(dst, int64(attempt), 10), "\r\n"...)
}

// house is an engine with its egress.
type house struct {
	t      testing.TB
	Engine *engine.Engine
	Egress *egress.Egress
	close  func()
}

// newHouse starts a house on a store. It is closed with the test, or by close.
func newHouse(t testing.TB, store engine.Store, opts egress.Options) *house {
	t.Helper()
	return newHouseOf(t, engine.Options{Store: store, Shards: 2, FindFrom: 1}, opts)
}

func newHouseOf(t testing.TB, engineOpts engine.Options, opts egress.Options) *house {
	t.Helper()
	e, err := engine.New(engineOpts)
	if err != nil {
		t.Fatal(err)
	}
	if opts.Kinds == nil {
		opts.Kinds = []egress.Kind{plain{}}
	}
	g, err := egress.New(e, opts)
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	e.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { e.Run(ctx) })
	h := &house{t: t, Engine: e, Egress: g}
	h.close = sync.OnceFunc(func() {
		cancel()
		run.Wait()
		e.Close()
		drain, stop := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer stop()
		_ = g.Drain(drain) // a test with a hanging endpoint gives up on it
	})
	t.Cleanup(h.close)
	return h
}

func newMemory() engine.Store { return memstore.New(memstore.Options{}) }

func (h *house) topic(name string) *engine.Topic {
	h.t.Helper()
	t, _, err := h.Engine.CreateTopic(name, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return t
}

func (h *house) subscribe(t *engine.Topic, c engine.SubscriptionConfig) *engine.Subscription {
	h.t.Helper()
	c.Kind = "plain"
	s, _, err := h.Engine.PutSubscription(t, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) publish(t *engine.Topic, body string) {
	h.t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	m.Set(engine.FieldBody, []byte(body))
	if err := h.Engine.Publish(t, m); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) publishMany(t *engine.Topic, publishers, each int) {
	h.t.Helper()
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				h.publish(t, fmt.Sprintf("%d-%d", p, i))
			}
		})
	}
	wg.Wait()
}

// recorder is an endpoint that notes every body it acknowledged.
type recorder struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, body string) bool // reports whether the push counts

	mu   sync.Mutex
	seen map[string]int
	wake chan struct{}
}

func newRecorder(t testing.TB, answer func(w http.ResponseWriter, r *http.Request, body string) bool) *recorder {
	r := &recorder{answer: answer, seen: map[string]int{}, wake: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if r.answer != nil && !r.answer(w, req, string(b)) {
			return
		}
		r.mu.Lock()
		r.seen[string(b)]++
		r.mu.Unlock()
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// waitFor blocks until n different bodies were acknowledged.
func (r *recorder) waitFor(t testing.TB, n int) map[string]int {
	t.Helper()
	timeout := time.After(60 * time.Second)
	for {
		r.mu.Lock()
		got := len(r.seen)
		r.mu.Unlock()
		if got >= n {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.seen
		}
		select {
		case <-r.wake:
		case <-timeout:
			t.Fatalf("%d of %d messages arrived", got, n)
		}
	}
}

// eventually polls what another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(60 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}
