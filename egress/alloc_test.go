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

// What a message costs that goes into a queue by way of a topic is no allocation more than one that is sent to the queue:
// dispatch, lane, rendering, the publish to the queue and the settling make none.
func TestPlacingAllocatesNothing(t *testing.T) {
	for _, envelope := range []string{"sns", "raw"} {
		t.Run(envelope, func(t *testing.T) {
			h := newHouse(t, newMemory(), placing())
			topic := h.topic("orders")
			q := h.queue(engine.QueueConfig{Name: "q"})
			h.into(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "queue:q", Envelope: envelope})
			direct, through := h.queueAllocs(q.Topic(), q), h.queueAllocs(topic, q)
			// What saving progress every few milliseconds allocates is spread over the messages.
			if through > direct+0.5 {
				t.Errorf("%.2f allocations per message through the topic, %.2f without it", through, direct)
			}
		})
	}
}

// queueAllocs is how often a message is allocated for that is published and then received from a queue and deleted.
func (h *house) queueAllocs(to *engine.Topic, q *engine.Queue) float64 {
	const few = 10
	body := bytes.Repeat([]byte("x"), 1024)
	messages, errs := make([]*engine.Message, few), make([]error, few)
	received, receipts := make([]engine.Received, 0, few), make([]engine.Receipt, few)
	several := func() {
		for i := range messages {
			messages[i] = engine.NewMessage()
			messages[i].Set(engine.FieldBody, body)
			messages[i].AddAttribute([]byte("colour"), []byte("String"), []byte("reddish"), false)
		}
		h.Engine.PublishGroup(to, messages, errs)
		for i, m := range messages {
			if errs[i] != nil {
				h.t.Fatal(errs[i])
			}
			m.Release()
		}
		for n := 0; n < few; n += len(received) {
			var err error
			if received, err = q.Receive(engine.ReceiveRequest{Max: few, Visibility: -1, Wait: engine.ReceiveWaitMax}, received[:0]); err != nil {
				h.t.Fatal(err)
			}
			for i, r := range received {
				receipts[i] = r.Receipt
				r.Message.Release()
			}
			q.Delete(receipts[:len(received)], errs[:len(received)])
		}
	}
	for range 300 {
		several()
	}
	return testing.AllocsPerRun(1000, several) / few
}
