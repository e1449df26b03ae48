package egress_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// What waits goes out together, through TLS as well, and each answer is that of its request.
func TestPipeliningThroughTLS(t *testing.T) {
	ours := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "127.0.0.1", -time.Hour, time.Hour)}}
	d := &depths{}
	release := make(chan struct{})
	serve := d.serve(func(_, _ int, bodies []string) (string, bool) {
		<-release
		return times(len(bodies), empty200), true
	})
	url := kindtest.Listen(t, func(c net.Conn) {
		if tc := tls.Server(c, config); tc.Handshake() == nil {
			serve(tc)
		}
	})
	h := newHouse(t, newMemory(), egress.Options{TLS: &tls.Config{RootCAs: ours.pool}})
	topic := h.topic("orders")
	h.subscribe(topic, engine.SubscriptionConfig{
		Name: "s", Endpoint: "https" + strings.TrimPrefix(url, "http"), Pipeline: 16, MaxInFlight: 16,
	})
	h.publishMany(topic, 1, 41)
	close(release)
	d.waitFor(t, 41)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != 1 || len(d.deep) == 0 {
		t.Errorf("%d connections, %d batches of several; want one connection and several batches", d.conn, len(d.deep))
	}
	for body, n := range d.seen {
		if n != 1 {
			t.Errorf("%.20s arrived %d times", body, n)
		}
	}
}

// arrivesInOrder publishes bodies to a pipelined subscription of a kind, all of which are there before the endpoint answers the
// first, and sees that they arrive whole, in their order, and several in one batch.
func arrivesInOrder(t *testing.T, kind egress.Kind, bodies []string) {
	t.Helper()
	var order []string // of the one connection
	d := &depths{}
	release := make(chan struct{})
	url := kindtest.Listen(t, d.serve(func(_, _ int, bodies []string) (string, bool) {
		<-release
		order = append(order, bodies...)
		return times(len(bodies), empty200), true
	}))
	h := newHouse(t, newMemory(), egress.Options{Kinds: []egress.Kind{kind}})
	topic := h.topic("orders")
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Kind: kind.Name(), Endpoint: url, Pipeline: 16, MaxInFlight: 16})
	for _, body := range bodies {
		h.publish(topic, body)
	}
	close(release)
	d.waitFor(t, len(bodies))
	for i, want := range bodies {
		if order[i] != want {
			t.Fatalf("message %d has %d bytes %.10q, want %d bytes %.10q", i, len(order[i]), order[i], len(want), want)
		}
	}
	if len(d.deep) == 0 {
		t.Error("no batch had several requests")
	}
}

// Large bodies are written from where they lie, small ones among them are copied: all arrive whole and in their order.
func TestBodiesOfAllSizesInOneBatch(t *testing.T) {
	var bodies []string
	for i, size := range []int{0, 1, 8 << 10, 100, 8<<10 - 1, 64 << 10, 8 << 10, 3, 200 << 10, 8<<10 + 1} {
		bodies = append(bodies, strings.Repeat(string(rune('a'+i)), size))
	}
	arrivesInOrder(t, plain{}, bodies)
}

// nested renders bodies that are views into the scratch memory, behind its beginning, as the envelopes do that look for a
// text by protocol.
type nested struct{ plain }

func (nested) Compile(*engine.Subscription) egress.Encoder { return nested{} }

func (nested) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	grown = append(append(scratch, "unused "...), m.Body()...)
	return grown[len("unused "):], grown
}

// A large body that lies in the memory in which the next one is rendered arrives as it was, too.
func TestRenderedBodiesInOneBatch(t *testing.T) {
	var bodies []string
	for i := range 12 {
		bodies = append(bodies, strings.Repeat(string(rune('a'+i)), 10<<10))
	}
	arrivesInOrder(t, nested{}, bodies)
}
