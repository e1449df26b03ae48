package kindtest

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/memstore"
)

// Suite says what is tested.
type Suite struct {
	Kind      egress.Kind
	Envelopes []string // all of them; the first is the default
	Path      string   // of endpoints; default /hook?a=b
	Target    string   // what pushes to it are posted to; default: the path itself
	Refusal   string   // body of an answer that refuses; default none
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	s.Path = cmp.Or(s.Path, "/hook?a=b")
	s.Target = cmp.Or(s.Target, s.Path)
	t.Run("default envelope", func(t *testing.T) {
		c := engine.SubscriptionConfig{Kind: s.Kind.Name(), Endpoint: "http://127.0.0.1:9" + s.Path}
		if err := s.Kind.Check(&c); err != nil || c.Envelope != s.Envelopes[0] {
			t.Errorf("the default envelope is %q (%v), want %q", c.Envelope, err, s.Envelopes[0])
		}
		c.Envelope = "no-such-envelope"
		if err := s.Kind.Check(&c); err == nil {
			t.Error("an unknown envelope is accepted")
		}
	})
	for _, envelope := range s.Envelopes {
		t.Run("envelope="+envelope, func(t *testing.T) {
			for name, fill := range messages {
				t.Run(name, func(t *testing.T) { wellFormed(t, &s, envelope, fill) })
			}
		})
	}
	t.Run("redirects are not followed", func(t *testing.T) { redirects(t, &s) })
	t.Run("answers", func(t *testing.T) { answers(t, &s) })
	t.Run("reset", func(t *testing.T) { reset(t, &s) })
}

// house is a running engine with its egress and one topic.
type house struct {
	engine *engine.Engine
	egress *egress.Egress
	topic  *engine.Topic
}

func newHouse(t *testing.T, kind egress.Kind) *house {
	t.Helper()
	e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	g, err := egress.New(e, egress.Options{Kinds: []egress.Kind{kind}, BreakerFailures: 1000})
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	e.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { e.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		run.Wait()
		e.Close()
		drain, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		if err := g.Drain(drain); err != nil {
			t.Error(err)
		}
	})
	topic, _, err := e.CreateTopic("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &house{e, g, topic}
}

func (h *house) subscribe(t *testing.T, kind egress.Kind, envelope, endpoint string) *engine.Subscription {
	t.Helper()
	s, _, err := h.engine.PutSubscription(h.topic, engine.SubscriptionConfig{
		Name: "billing", Kind: kind.Name(), Envelope: envelope, Endpoint: endpoint,
		Retry: engine.RetryPolicy{MinDelay: time.Millisecond, MaxDelay: time.Millisecond, MaxAttempts: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (h *house) publish(t *testing.T, fill func(m *engine.Message)) {
	t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	fill(m)
	if err := h.engine.Publish(h.topic, m); err != nil {
		t.Fatal(err)
	}
}

func body(m *engine.Message) { m.Set(engine.FieldBody, []byte("order 42 paid")) }

// evil is what must not get out of the field it is in.
const evil = "x\r\nInjected: yes\r\n\r\nPOST /stolen HTTP/1.1\r\n\x00\x01\x7f <&>\"' ]]> \u2028 é 😀 \xff\xfe"

// messages are what publishers may send, by name.
var messages = map[string]func(m *engine.Message){
	"plain": body,
	"empty": func(m *engine.Message) { m.Set(engine.FieldBody, nil) },
	"large": func(m *engine.Message) { m.Set(engine.FieldBody, []byte(strings.Repeat("0123456789abcdef", 16<<10))) },
	"evil": func(m *engine.Message) {
		for f := engine.FieldBody; f <= engine.FieldContentType; f++ {
			if f != engine.FieldStructure {
				m.Set(f, []byte(evil))
			}
		}
		m.AddAttribute([]byte(evil), []byte("String"), []byte(evil), false)
		m.AddAttribute([]byte("b"), []byte(evil), []byte(evil), true)
	},
}

// wellFormed checks that a push is one HTTP request, with nothing of the message in the wrong place, and the
// same bytes when it is tried again.
func wellFormed(t *testing.T, s *Suite, envelope string, fill func(m *engine.Message)) {
	type push struct {
		target string
		header http.Header
		body   string
	}
	pushes := make(chan push, 2)
	url := Listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for status := "503 Service Unavailable"; ; status = "200 OK" { // once more, please
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			b, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			pushes <- push{req.Method + " " + req.RequestURI, req.Header, string(b)}
			if _, err := fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status); err != nil {
				return
			}
		}
	})
	h := newHouse(t, s.Kind)
	h.subscribe(t, s.Kind, envelope, url+s.Path)
	h.publish(t, fill)
	first := receive(t, pushes)
	if first.target != "POST "+s.Target {
		t.Errorf("the push is a %s", first.target)
	}
	for name, values := range first.header {
		if strings.EqualFold(name, "Injected") {
			t.Errorf("a field of the message became the header %s: %q", name, values)
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				t.Errorf("header %s has a control character: %q", name, v)
			}
		}
	}
	if again := receive(t, pushes); again.body != first.body {
		t.Errorf("the second try has another body:\n%q\n%q", first.body, again.body)
	}
}

func receive[T any](t *testing.T, c chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(30 * time.Second):
		t.Fatal("nothing arrived")
		panic("unreachable")
	}
}

// redirects checks that an endpoint cannot send a push elsewhere.
func redirects(t *testing.T, s *Suite) {
	kind := s.Kind
	stolen := make(chan string, 16)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen <- r.URL.Path }))
	defer thief.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		asked := make(chan struct{}, 16)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			w.Header().Set("Location", thief.URL+"/stolen")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, s.Refusal)
		}))
		h := newHouse(t, kind)
		h.subscribe(t, kind, "", server.URL+s.Path)
		h.publish(t, body)
		receive(t, asked)
		waitFor(t, func() bool { st := h.egress.Stats(); return st.Failed+st.Refused > 0 })
		server.Close()
		if kind.Judge(status) == egress.Delivered {
			t.Errorf("a redirect %d counts as delivered", status)
		}
	}
	select {
	case path := <-stolen:
		t.Errorf("a redirect was followed to %s", path)
	default:
	}
}

// waitFor polls a figure that only grows.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	timeout := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatal("it never came to that")
		}
	}
}

// answers checks that what the kind says of a status is what becomes of the delivery.
func answers(t *testing.T, s *Suite) {
	kind := s.Kind
	for _, status := range []int{200, 201, 202, 204, 299, 400, 403, 404, 408, 410, 429, 500, 502, 503, 504} {
		var mu sync.Mutex
		tries := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			tries++
			mu.Unlock()
			w.WriteHeader(status)
			if status > 299 {
				_, _ = io.WriteString(w, s.Refusal)
			}
		}))
		h := newHouse(t, kind)
		sub := h.subscribe(t, kind, "", server.URL+s.Path)
		h.publish(t, body)
		outcome := kind.Judge(status)
		wantTries := map[egress.Outcome]int{egress.Delivered: 1, egress.Dead: 1, egress.Retry: 3}[outcome]
		if outcome == egress.Delivered {
			waitFor(t, func() bool { return h.egress.Stats().Delivered == 1 })
		} else {
			waitFor(t, func() bool { return h.egress.Stats().Buried == 1 })
			var letters []engine.DeadLetter
			waitFor(t, func() bool {
				letters = nil
				err := h.engine.DeadLetters(sub, engine.DeadLetterFilter{}, func(d engine.DeadLetter, _ *engine.Message) bool {
					letters = append(letters, d)
					return true
				})
				return err == nil && len(letters) == 1
			})
			if letters[0].Status != status || letters[0].Attempts != wantTries {
				t.Errorf("status %d: dead letter %+v, want %d attempts", status, letters[0], wantTries)
			}
		}
		server.Close()
		mu.Lock()
		if tries != wantTries {
			t.Errorf("status %d (%v): %d tries, want %d", status, outcome, tries, wantTries)
		}
		mu.Unlock()
		if class := status / 100; class == 2 != (outcome == egress.Delivered) || class == 5 && outcome != egress.Retry {
			t.Errorf("status %d is %v", status, outcome)
		}
	}
}

// reset checks that a connection that breaks is a failure worth another try.
func reset(t *testing.T, s *Suite) {
	tries := make(chan int, 16)
	n := 0
	var mu sync.Mutex
	url := Listen(t, func(c net.Conn) {
		defer c.Close()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		mu.Lock()
		n++
		first := n == 1
		tries <- n
		mu.Unlock()
		if !first {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}
	})
	h := newHouse(t, s.Kind)
	h.subscribe(t, s.Kind, "", url+s.Path)
	h.publish(t, body)
	receive(t, tries)
	receive(t, tries)
	waitFor(t, func() bool { return h.egress.Stats().Delivered == 1 })
}
