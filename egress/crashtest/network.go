package crashtest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"fanfare/engine"
)

// mood is how an endpoint behaves at the moment.
type mood int32

const (
	fine    mood = iota
	flaky        // now and then 503, 410, a cut connection, an acknowledgement that gets lost
	failing      // 503 to everything
	down         // nobody listens
	hanging      // reads and never answers
	moods
)

const hosts = 4

// network is the endpoints of a world. They note what they acknowledge at the moment they do.
type network struct {
	history *history
	moods   [hosts]atomic.Int32

	mu      sync.Mutex
	rng     *rand.Rand         // guarded by mu
	open    map[*conn]struct{} // guarded by mu
	severed bool               // guarded by mu: the world lost its power
}

func newNetwork(h *history, rng *rand.Rand) *network {
	return &network{history: h, rng: rng, open: map[*conn]struct{}{}}
}

func endpointOf(host, sub int) string { return fmt.Sprintf("http://h%d.test/s%d", host, sub) }

// lifeOf reads the number of a subscription's life from its endpoint, or the path of it.
func lifeOf(endpoint string) (int, bool) {
	n, err := strconv.Atoi(endpoint[strings.LastIndex(endpoint, "/s")+2:])
	return n, err == nil
}

// Dial is for egress.Options.
func (n *network) dial(_ context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(host, "h"), ".test"))
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.severed || n.mood(number) == down {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	c := &conn{network: n, host: number, wake: make(chan struct{}, 1)}
	n.open[c] = struct{}{}
	return c, nil
}

func (n *network) mood(host int) mood { return mood(n.moods[host].Load()) }

func (n *network) setMood(host int, m mood) {
	n.moods[host].Store(int32(m))
	if m == down {
		n.severAll(host)
	}
}

// heal makes every endpoint well again.
func (n *network) heal() {
	for host := range hosts {
		n.setMood(host, fine)
		n.severAll(host) // connections that hang would go on hanging
	}
}

func (n *network) severAll(host int) {
	n.mu.Lock()
	var cut []*conn
	for c := range n.open {
		if c.host == host {
			cut = append(cut, c)
		}
	}
	n.mu.Unlock()
	for _, c := range cut {
		c.sever()
	}
}

// powerOff ends every connection, and none can be made any more until powerOn.
func (n *network) powerOff() {
	n.mu.Lock()
	n.severed = true
	n.mu.Unlock()
	for host := range hosts {
		n.severAll(host)
	}
}

func (n *network) powerOn() {
	n.mu.Lock()
	n.severed = false
	n.mu.Unlock()
}

func (n *network) forget(c *conn) {
	n.mu.Lock()
	delete(n.open, c)
	n.mu.Unlock()
}

func (n *network) random(k int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rng.IntN(k)
}

const (
	answerOK   = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	answerGone = "HTTP/1.1 410 Gone\r\nContent-Length: 8\r\n\r\nnot mine"
	answerBusy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
)

// serve answers one request. The caller holds the connection's mutex.
func (n *network) serve(c *conn, r *request) {
	a, ok := n.read(r)
	if !ok {
		c.out = append(c.out, answerBusy...)
		return
	}
	switch n.mood(c.host) {
	case failing:
		c.out = append(c.out, answerBusy...)
		return
	case hanging:
		c.stuck = true
		return
	case down:
		c.cut = true
		return
	case flaky:
		switch n.random(10) {
		case 0, 1:
			c.out = append(c.out, answerBusy...)
			return
		case 2:
			a.refused = true
			n.history.arrived(a)
			c.out = append(c.out, answerGone...)
			return
		case 3:
			c.cut = true
			return
		case 4: // the acknowledgement gets lost
			n.history.arrived(a)
			c.cut = true
			return
		}
	default:
	}
	c.heard = append(c.heard, n.history.arrived(a))
	c.out = append(c.out, answerOK...)
}

// read recognises a request and compares what it carries with what was published.
func (n *network) read(r *request) (arrival, bool) {
	sub, ok := lifeOf(r.path)
	if !ok {
		n.history.fault("a push to %q", r.path)
		return arrival{}, false
	}
	number, _, _ := bytes.Cut(r.body, []byte(" "))
	index, err := strconv.Atoi(string(number))
	m := n.history.message(index)
	if err != nil || m == nil || !bytes.Equal(r.body, m.body()) || r.id != string(m.id.AppendHexLower(nil)) {
		n.history.fault("subscription %d got a message that nobody published: id %s, %d bytes, %.20q", sub, r.id, len(r.body), r.body)
		return arrival{}, false
	}
	return arrival{sub: sub, message: index, seq: engine.Sequence(r.sequence)}, true
}
