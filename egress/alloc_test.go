//go:build !race && !invariant

package egress_test

import (
	"bytes"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// fixedEndpoint answers every request of a known size with one fixed reply, without allocating.
func fixedEndpoint(t *testing.T, arrived chan struct{}) (url string, requests *atomic.Int64) {
	requests = &atomic.Int64{}
	url = kindtest.Listen(t, func(c net.Conn) {
		buf := make([]byte, 64<<10)
		answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		end := []byte("END!")
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			for range bytes.Count(buf[:n], end) {
				requests.Add(1)
				if _, err := c.Write(answer); err != nil {
					return
				}
				arrived <- struct{}{}
			}
		}
	})
	return url, requests
}

// From the publish of a message to its settled delivery nothing is allocated: dispatch, lane, pusher,
// rendering, write, answer, settle, and the way back of the publisher.
func TestPublishAndPushAllocateNothing(t *testing.T) {
	f := func(name string, c engine.SubscriptionConfig) {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newMemory(), egress.Options{})
			topic := h.topic("orders")
			arrived := make(chan struct{}, 16)
			url, requests := fixedEndpoint(t, arrived)
			c.Endpoint = url
			h.subscribe(topic, c)
			body := append(bytes.Repeat([]byte("x"), 1020), "END!"...)
			group := 0
			one := func() {
				m := engine.NewMessage()
				group = (group + 1) % 1000
				m.End(strconv.AppendInt(m.Begin(engine.FieldGroup), int64(group), 10))
				m.Set(engine.FieldBody, body)
				m.Set(engine.FieldTag, []byte("red"))
				m.AddAttribute([]byte("colour"), []byte("String"), []byte("reddish"), false)
				if err := h.Engine.Publish(topic, m); err != nil {
					t.Fatal(err)
				}
				m.Release()
				<-arrived
			}
			for range 3000 {
				one()
			}
			// What saving progress every few milliseconds and the garbage collector itself allocate is spread
			// over the messages; AllocsPerRun rounds it down.
			if n := testing.AllocsPerRun(5000, one); n != 0 {
				t.Errorf("%v allocations per published and pushed message", n)
			}
			if requests.Load() != 8001 {
				t.Errorf("%d pushes arrived, want 8001", requests.Load())
			}
		})
	}
	f("plain", engine.SubscriptionConfig{Name: "s"})
	f("pipelined", engine.SubscriptionConfig{Name: "s", Pipeline: 16})
	f("ordered", engine.SubscriptionConfig{Name: "s", Ordered: true})
	f("ordered, pipelined", engine.SubscriptionConfig{Name: "s", Ordered: true, Pipeline: 16})
	f("filtered by tag", engine.SubscriptionConfig{Name: "s", FilterTag: "red"})
	f("filtered by attribute", engine.SubscriptionConfig{Name: "s", FilterPolicy: `{"colour":["red",{"prefix":"r"}],"size":[{"exists":false}]}`})
}
