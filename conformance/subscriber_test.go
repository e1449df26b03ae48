package conformance

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what has to come. Nothing takes that long: it is for busy machines.
const patience = 20 * time.Second

// subscriber is an HTTP server that keeps what it is sent as it was sent: net/http would have changed the
// spelling of header names, and receivers in the field compare some of them case by case.
type subscriber struct {
	t        testing.TB
	listener net.Listener
	status   atomic.Int32 // of every answer
	attempts atomic.Int64 // requests seen, whatever they were answered

	mu        sync.Mutex
	closed    bool                  // guarded by mu
	conns     map[net.Conn]struct{} // guarded by mu
	endpoints map[string]*endpoint  // by path; guarded by mu
	running   sync.WaitGroup
}

// endpoint is one path of a subscriber, with the pushes that were acknowledged on it.
type endpoint struct {
	t      testing.TB
	url    string
	pushes chan *push
}

// push is one request as it was on the wire.
type push struct {
	Method, Target string
	Header         []header // in their order, names as spelled
	Body           string
	At             time.Time
}

type header struct{ Name, Value string }

// listen starts a subscriber that acknowledges everything.
func listen(t testing.TB) *subscriber {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &subscriber{t: t, listener: ln, conns: map[net.Conn]struct{}{}, endpoints: map[string]*endpoint{}}
	s.status.Store(204)
	s.running.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

// at returns the endpoint of a path; "" is the endpoint of a URL without one, whose pushes come on defaultPath.
func (s *subscriber) at(path string) *endpoint { return s.atDefault(path, path) }

func (s *subscriber) atDefault(path, defaultPath string) *endpoint {
	e := &endpoint{t: s.t, url: "http://" + s.listener.Addr().String() + path, pushes: make(chan *push, 1024)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints[defaultPath] = e
	return e
}

func (s *subscriber) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			_ = conn.Close()
		} else {
			s.conns[conn] = struct{}{}
			s.running.Go(func() { s.serve(conn) })
		}
		s.mu.Unlock()
	}
}

func (s *subscriber) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// drain waits until every connection has ended: all that was written on them has been answered then.
func (s *subscriber) drain() {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		s.mu.Lock()
		open := len(s.conns)
		s.mu.Unlock()
		switch {
		case open == 0:
			return
		case time.Now().After(deadline):
			s.t.Fatalf("%d connections are still open", open)
		}
		<-time.After(time.Millisecond)
	}
}

// serve answers the requests of a connection until it ends.
func (s *subscriber) serve(conn net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		_ = conn.Close()
	}()
	for r := bufio.NewReader(conn); ; {
		p, err := readPush(r)
		if err != nil {
			if err != io.EOF && !s.isClosed() {
				// A connection may be cut between requests, and is when the program is killed.
				s.t.Logf("subscriber: %v", err)
			}
			return
		}
		s.attempts.Add(1)
		status := int(s.status.Load())
		if status/100 == 2 {
			s.keep(p)
		}
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 %d x\r\n%s\r\n", status, lengthLine(status)); err != nil {
			return
		}
	}
}

// lengthLine frames the empty body of an answer; a 204 has none by definition.
func lengthLine(status int) string {
	if status == 204 {
		return ""
	}
	return "Content-Length: 0\r\n"
}

func (s *subscriber) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *subscriber) keep(p *push) {
	path, _, _ := strings.Cut(p.Target, "?")
	s.mu.Lock()
	e := s.endpoints[path]
	s.mu.Unlock()
	if e == nil {
		s.t.Errorf("a push came to %q, where nobody subscribed", p.Target)
		return
	}
	e.pushes <- p
}

// readPush reads one request with a body of a stated length.
func readPush(r *bufio.Reader) (*push, error) {
	line, err := readLine(r)
	if err != nil {
		return nil, err
	}
	p := &push{At: time.Now()}
	var version string
	if n, err := fmt.Sscanf(line, "%s %s %s", &p.Method, &p.Target, &version); n != 3 || version != "HTTP/1.1" {
		return nil, fmt.Errorf("request line %q: %w", line, err)
	}
	length := -1
	for {
		line, err := readLine(r)
		if err != nil {
			return nil, fmt.Errorf("header: %w", err)
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("header line %q", line)
		}
		p.Header = append(p.Header, header{name, strings.TrimSpace(value)})
		if strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 {
		return nil, fmt.Errorf("a push without Content-Length: %v", p.Header)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	p.Body = string(body)
	return p, nil
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		if line == "" {
			return "", io.EOF
		}
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// next waits for a push.
func (e *endpoint) next() *push {
	e.t.Helper()
	select {
	case p := <-e.pushes:
		return p
	case <-time.After(patience):
		e.t.Fatalf("nothing was pushed to %s", e.url)
		return nil
	}
}

// collect waits for n pushes and returns them by their bodies, which must differ.
func (e *endpoint) collect(n int) map[string]*push {
	e.t.Helper()
	got, again := e.collectAtLeast(n)
	for _, p := range again {
		e.t.Errorf("%s was pushed twice: %+v, and %+v", e.url, *got[p.Body], *p)
	}
	return got
}

// collectAtLeast waits for pushes with n different bodies, and returns the first of each by its body, and the others.
func (e *endpoint) collectAtLeast(n int) (first map[string]*push, again []*push) {
	e.t.Helper()
	got := map[string]*push{}
	timeout := time.After(patience)
	for len(got) < n {
		select {
		case p := <-e.pushes:
			if got[p.Body] != nil {
				again = append(again, p)
			} else {
				got[p.Body] = p
			}
		case <-timeout:
			bodies := ""
			for body := range maps.Keys(got) {
				bodies += "\n" + body
			}
			e.t.Fatalf("%d of %d messages were pushed to %s:%s", len(got), n, e.url, bodies)
		}
	}
	return got, again
}

// nothingMore fails the test if something comes, or has come, that no next or collect asked for.
func (e *endpoint) nothingMore(wait time.Duration) {
	e.t.Helper()
	select {
	case p := <-e.pushes:
		e.t.Errorf("%s was pushed more than was owed to it: %+v", e.url, *p)
	case <-time.After(wait):
	}
}

// header returns the value of a header line by its exact name.
func (p *push) header(t testing.TB, name string) string {
	t.Helper()
	for _, h := range p.Header {
		if h.Name == name {
			return h.Value
		}
	}
	t.Errorf("no header %q in %v", name, p.Header)
	return ""
}

// headers returns the header lines by their exact names, without those of a list, which may be missing. A name
// that is there twice, in whatever spelling, fails the test.
func (p *push) headers(t testing.TB, without ...string) map[string]string {
	t.Helper()
	seen := map[string]bool{}
	lines := map[string]string{}
	for _, h := range p.Header {
		if folded := strings.ToLower(h.Name); seen[folded] {
			t.Errorf("header %q came twice", h.Name)
		} else {
			seen[folded] = true
		}
		lines[h.Name] = h.Value
	}
	for _, name := range without {
		delete(lines, name)
	}
	return lines
}
