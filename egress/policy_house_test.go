package egress_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/egress"
	"fanfare/egress/smn"
	"fanfare/egress/smq"
	"fanfare/egress/sns"
	"fanfare/egress/webhook"
	"fanfare/engine"
)

// attempt is one push as an endpoint saw it.
type attempt struct {
	at     time.Time
	header http.Header // of the first attempt only
	body   string
}

// answer is what an endpoint says to a push. A status 0 is no answer at all.
type answer struct {
	status int
	header string // lines, each ended by CRLF
	body   string
}

// wire is a network in memory. An endpoint is a host name; it notes every attempt by the message it carries.
type wire struct {
	mu      sync.Mutex
	answers map[string]func(message string, n int) answer                          // by host: to the n-th attempt of a message, from 1
	servers map[string]func(target string, header http.Header, body string) answer // by host
	seen    map[string]map[string][]attempt                                        // guarded by mu: by host and message
	serving sync.WaitGroup
	closed  chan struct{}
}

func newWire() *wire {
	return &wire{
		answers: map[string]func(string, int) answer{},
		servers: map[string]func(string, http.Header, string) answer{},
		seen:    map[string]map[string][]attempt{},
		closed:  make(chan struct{}),
	}
}

// always is an endpoint that has one answer.
func always(a answer) func(string, int) answer { return func(string, int) answer { return a } }

// host makes an endpoint and returns its URL. It comes before the first push.
func (w *wire) host(name string, fn func(message string, n int) answer) (url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[name], w.seen[name] = fn, map[string][]attempt{}
	return "http://" + name + "/hook"
}

// hostOf makes a server that looks at whole requests, and returns its URL.
func (w *wire) hostOf(name string, fn func(target string, header http.Header, body string) answer) (url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.servers[name] = fn
	return "http://" + name
}

// answer notes a request and says what is answered to it.
func (w *wire) answer(host string, req *http.Request, body string) answer {
	w.mu.Lock()
	if fn := w.servers[host]; fn != nil {
		w.mu.Unlock()
		return fn(req.RequestURI, req.Header, body)
	}
	name := messageName.FindString(body)
	all := w.seen[host][name]
	this := attempt{time.Now(), req.Header, body}
	if len(all) > 0 && this.body == all[0].body {
		this.header, this.body = nil, all[0].body // a million of them have to fit into memory
	}
	all = append(all, this)
	w.seen[host][name] = all
	fn := w.answers[host]
	w.mu.Unlock()
	return fn(name, len(all))
}

func (w *wire) dial(_ context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	known := w.answers[host] != nil || w.servers[host] != nil
	w.mu.Unlock()
	if !known {
		return nil, fmt.Errorf("no endpoint %s", host)
	}
	ours, theirs := net.Pipe()
	w.serving.Go(func() { w.serve(theirs, host) })
	return ours, nil
}

// messageName is how tests call their messages, in whatever envelope they are.
var messageName = regexp.MustCompile(`m-[0-9]+-m`)

func (w *wire) serve(c net.Conn, host string) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		a := w.answer(host, req, string(body))
		if a.status == 0 {
			<-w.closed
			return
		}
		if _, err := fmt.Fprintf(c, "HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s", a.status, a.header, len(a.body), a.body); err != nil {
			return
		}
	}
}

// attempts are those of a message at a host.
func (w *wire) attempts(host, message string) []attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[host][message]
}

// bubble is a house on a wire, in a bubble of time: it stands still while anything runs.
type bubble struct {
	*house
	*wire
	topic *engine.Topic
}

// inBubble runs a test in a bubble. The messages' channels belong to the bubble they were made in, so none may be left
// in the pool behind it; two collections empty it.
func inBubble(t *testing.T, opts egress.Options, fn func(t *testing.T, b *bubble)) {
	t.Helper()
	runtime.GC()
	runtime.GC()
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		opts.Dial = w.dial
		opts.Kinds = []egress.Kind{webhook.New(webhook.Options{}), sns.New(sns.Options{}), smq.New(smq.Options{}), smn.New(smn.Options{}), queueKind()}
		h := newHouse(t, newMemory(), opts)
		fn(t, &bubble{h, w, h.topic("orders")})
		close(w.closed)
		h.close()
		w.serving.Wait()
	})
}

// pass lets time go by, and then whatever it brought come to an end.
func (b *bubble) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// put makes a subscription of any kind.
func (b *bubble) put(c engine.SubscriptionConfig) *engine.Subscription {
	b.t.Helper()
	s, _, err := b.Engine.PutSubscription(b.topic, c)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// send publishes a message and returns its name.
func (b *bubble) send(i int) string {
	name := fmt.Sprintf("m-%d-m", i)
	b.publish(b.topic, name)
	return name
}

// letters are the dead letters of a subscription, by message.
func (h *house) letters(s *engine.Subscription) map[string]engine.DeadLetter {
	h.t.Helper()
	all := map[string]engine.DeadLetter{}
	err := h.Engine.DeadLetters(s, engine.DeadLetterFilter{}, func(d engine.DeadLetter, m *engine.Message) bool {
		all[messageName.FindString(string(m.Body()))] = d
		return true
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}
