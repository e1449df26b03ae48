package egress_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// names is a name server whose answers change.
type names struct {
	*net.Resolver
	servers sync.WaitGroup
	over    chan struct{} // the test has ended

	mu      sync.Mutex
	answer  func() ([]netip.Addr, rcode) // guarded by mu
	ended   bool                         // guarded by mu
	lookups int                          // guarded by mu: for addresses of the fourth version
}

type rcode byte

const (
	found     rcode = 0
	serveFail rcode = 2
	noSuch    rcode = 3
	silence   rcode = 255 // no answer at all
)

const (
	typeA    = 1
	typeAAAA = 28
	hookName = "hook.test"
)

func newNames(t *testing.T, addrs ...string) *names {
	n := &names{over: make(chan struct{})}
	n.set(addrs...)
	n.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.ended { // the resolver goes on for a while by itself
			return nil, net.ErrClosed
		}
		ours, theirs := net.Pipe()
		n.servers.Go(func() { n.serve(theirs) })
		return ours, nil
	}}
	t.Cleanup(func() {
		n.mu.Lock()
		n.ended = true
		n.mu.Unlock()
		close(n.over)
		n.servers.Wait()
	})
	return n
}

// set makes addresses the answer.
func (n *names) set(addrs ...string) {
	var parsed []netip.Addr
	for _, a := range addrs {
		parsed = append(parsed, netip.MustParseAddr(a))
	}
	n.change(func() ([]netip.Addr, rcode) { return parsed, found })
}

func (n *names) change(answer func() ([]netip.Addr, rcode)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = answer
}

// serve answers one question, in the framing of TCP.
func (n *names) serve(c net.Conn) {
	defer c.Close()
	for {
		size := make([]byte, 2)
		if _, err := io.ReadFull(c, size); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		answer := n.respond(query)
		if answer == nil {
			<-n.over
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// respond makes the answer to a query: the head, the question as it was asked, and the records.
func (n *names) respond(query []byte) []byte {
	end, name := 12, ""
	for query[end] != 0 {
		name += string(query[end+1:end+1+int(query[end])]) + "."
		end += 1 + int(query[end])
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	addrs, code := []netip.Addr(nil), noSuch
	if name == hookName+"." {
		n.mu.Lock()
		if addrs, code = n.answer(); kind == typeA {
			n.lookups++
		}
		n.mu.Unlock()
	}
	if code == silence {
		return nil
	}
	addrs = slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return a.Is4() != (kind == typeA) })
	b := append([]byte(nil), query[:2]...)
	b = append(b, 0x81, 0x80|byte(code), 0, 1, 0, byte(len(addrs)), 0, 0, 0, 0)
	b = append(b, query[12:end+5]...)
	for _, a := range addrs {
		data := a.AsSlice()
		b = append(b, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(data)))
		b = append(b, data...)
	}
	return b
}

// pair listens on one port of several addresses and counts who connects. Every request is answered with a text.
func pair(t *testing.T, answer string, addrs ...string) (port uint16, connects []*atomic.Int32) {
	t.Helper()
	var listeners []net.Listener
	for range 100 {
		for _, a := range addrs {
			ln, err := net.Listen("tcp", fmt.Sprintf("%s:%d", a, port))
			if err != nil {
				break
			}
			listeners = append(listeners, ln)
			port = ln.Addr().(*net.TCPAddr).AddrPort().Port()
		}
		if len(listeners) == len(addrs) {
			break
		}
		for _, ln := range listeners {
			ln.Close()
		}
		listeners, port = nil, 0
	}
	if len(listeners) == 0 {
		t.Fatal("no port is free on all addresses")
	}
	var running sync.WaitGroup
	var open sync.Map
	for _, ln := range listeners {
		n := &atomic.Int32{}
		connects = append(connects, n)
		running.Go(func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				open.Store(c, nil)
				running.Go(func() { serveAll(n, func(int) string { return answer })(c); c.Close() })
			}
		})
	}
	t.Cleanup(func() {
		for _, ln := range listeners {
			ln.Close()
		}
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		running.Wait()
	})
	return port, connects
}

const closing200 = ok200 + "Connection: close\r\nContent-Length: 0\r\n\r\n"

// A name that leads to a forbidden address is not connected to. A listener stands where the connection would go:
// the unspecified address leads to the loopback interface.
func TestForbiddenAddressBehindAName(t *testing.T) {
	port, connects := pair(t, closing200, "127.0.0.1", "127.0.0.2")
	thief, honest := connects[0], connects[1]
	f := func(wantDelivered bool, addrs ...string) {
		t.Run(fmt.Sprint(addrs), func(t *testing.T) {
			n := newNames(t, addrs...)
			honest.Store(0)
			config := engine.SubscriptionConfig{Endpoint: fmt.Sprintf("http://%s:%d", hookName, port)}
			o := suffer(t, egress.Options{Resolver: n.Resolver, ConnectTimeout: 10 * time.Second}, config, "hello")
			if wantDelivered {
				o.delivered(t)
			} else {
				o.buried(t, "address forbidden")
			}
			if got := thief.Load(); got != 0 || wantDelivered != (honest.Load() == 1) {
				t.Errorf("%d connects to a forbidden address, %d to the other", got, honest.Load())
			}
		})
	}
	f(true, "127.0.0.2")
	f(false, "0.0.0.0")
	f(false, "::ffff:0.0.0.0")
	f(false, "::")
	f(false, "0.0.0.0", "::")
	f(false, "169.254.169.254")
	f(false, "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200")
	f(false, "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "::ffff:0:169.254.169.254")
	f(true, "0.0.0.0", "127.0.0.2")
	f(true, "127.0.0.2", "0.0.0.0")
	f(true, "::ffff:0.0.0.0", "127.0.0.2")
	f(true, "::", "0.0.0.0", "::ffff:127.0.0.2")
}

// The name leads to another set of addresses each time it is asked for. Whatever the mix, nothing connects to a
// forbidden one, and every message arrives in the end.
func TestFlippingNameNeverLeadsAstray(t *testing.T) {
	port, connects := pair(t, closing200, "127.0.0.1", "127.0.0.2")
	n := newNames(t)
	mixes := [][]string{
		{"127.0.0.2"},
		{"0.0.0.0"},
		{"::"},
		{"::ffff:0.0.0.0"},
		{"0.0.0.0", "127.0.0.2"},
		{"127.0.0.2", "0.0.0.0", "::"},
		{"::", "::ffff:127.0.0.2"},
		{"169.254.169.254", "0.0.0.0"},
	}
	n.change(func() ([]netip.Addr, rcode) {
		var addrs []netip.Addr
		for _, a := range mixes[rand.N(len(mixes))] {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		return addrs, found
	})
	h := newHouse(t, newMemory(), egress.Options{Resolver: n.Resolver, BreakerFailures: 1 << 30})
	topic := h.topic("orders")
	retry := engine.RetryPolicy{MinDelay: time.Millisecond, MaxDelay: time.Millisecond}
	h.subscribe(topic, engine.SubscriptionConfig{
		Name: "s", Endpoint: fmt.Sprintf("http://%s:%d", hookName, port), Retry: retry, MaxInFlight: 1,
	})
	const pushes = 500
	h.publishMany(topic, 1, pushes)
	eventually(t, "all is delivered", func() bool { return h.Egress.Stats().Delivered == pushes })
	if got := connects[0].Load(); got != 0 {
		t.Errorf("%d connects to a forbidden address", got)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if failed := h.Egress.Stats().Failed; failed == 0 || n.lookups < pushes {
		t.Errorf("%d attempts failed, %d look-ups: the name did not flip", failed, n.lookups)
	}
}

// A name that cannot be resolved is an attempt that failed, and comes back to life by itself.
func TestNameThatStopsResolving(t *testing.T) {
	f := func(code rcode, failure string) {
		t.Run(failure, func(t *testing.T) {
			port, connects := pair(t, closing200, "127.0.0.2")
			n := newNames(t, "127.0.0.2")
			h := newHouse(t, newMemory(), egress.Options{
				Resolver: n.Resolver, ConnectTimeout: 100 * time.Millisecond, BreakerFailures: 2, BreakerDelayMax: 5 * time.Millisecond,
			})
			topic := h.topic("orders")
			s := h.subscribe(topic, engine.SubscriptionConfig{
				Name: "s", Endpoint: fmt.Sprintf("http://%s:%d", hookName, port), Retry: fastRetry(), MaxInFlight: 1,
			})
			h.publish(topic, "before")
			eventually(t, "the first is delivered", func() bool { return h.Egress.Stats().Delivered == 1 })
			n.change(func() ([]netip.Addr, rcode) { return nil, code })
			h.publish(topic, "meanwhile")
			h.publish(topic, "meanwhile")
			eventually(t, "attempts fail", func() bool { return h.Egress.Stats().Failed >= 3 })
			if got := s.Receiver().State().LastFailure; got != failure {
				t.Errorf("it failed with %q, want %q", got, failure)
			}
			n.set("127.0.0.2")
			eventually(t, "all is delivered", func() bool { return h.Egress.Stats().Delivered == 3 })
			if st := h.Egress.Stats(); st.Buried+st.Refused+st.Expired != 0 || connects[0].Load() != 3 {
				t.Errorf("%+v, %d connects", st, connects[0].Load())
			}
		})
	}
	f(noSuch, "no such host")
	f(serveFail, "name look-up failed")
	f(silence, "name look-up timed out")
}

// The endpoint moves to another address; the old one goes on answering on the connections it has. An idle connection
// is used no longer than IdleConnTimeout behind its last use, and one in use no longer than ConnAgeMax.
func TestNewAddressIsNoticed(t *testing.T) {
	f := func(name string, opts egress.Options, pause time.Duration) {
		t.Run(name, func(t *testing.T) {
			port, connects := pair(t, ok200+"Content-Length: 0\r\n\r\n", "127.0.0.2", "127.0.0.3")
			n := newNames(t, "127.0.0.2")
			opts.Resolver = n.Resolver
			h := newHouse(t, newMemory(), opts)
			topic := h.topic("orders")
			h.subscribe(topic, engine.SubscriptionConfig{
				Name: "s", Endpoint: fmt.Sprintf("http://%s:%d", hookName, port), MaxInFlight: 1,
			})
			h.publish(topic, "before")
			eventually(t, "the first is delivered", func() bool { return h.Egress.Stats().Delivered == 1 })
			n.set("127.0.0.3")
			eventually(t, "the new address gets a connection", func() bool {
				if pause > 0 {
					<-time.After(pause)
				}
				for range cmp.Or(int(pause/time.Millisecond), 100) { // with no pause, more than can be pushed
					h.publish(topic, "behind")
				}
				return connects[1].Load() > 0
			})
			if h.Egress.Stats().Failed > 0 || connects[0].Load() == 0 {
				t.Errorf("%d attempts failed, %d connects to the old address", h.Egress.Stats().Failed, connects[0].Load())
			}
		})
	}
	const never = time.Hour
	f("now and then", egress.Options{IdleConnTimeout: 50 * time.Millisecond, ConnAgeMax: never}, 100*time.Millisecond)
	f("often", egress.Options{IdleConnTimeout: never, ConnAgeMax: 200 * time.Millisecond}, time.Millisecond)
	f("without a rest", egress.Options{IdleConnTimeout: never, ConnAgeMax: 200 * time.Millisecond}, 0)
}
