package egress_test

import (
	"fmt"
	"net"
	"testing"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

// BenchmarkFilteredSubscriptions publishes to a topic whose subscriptions each want a value of their own, one after the
// other; a message concerns one of them. The second way asks each.
func BenchmarkFilteredSubscriptions(b *testing.B) {
	for _, subs := range []int{100, 10_000} {
		for _, scope := range []string{"MessageAttributes", "MessageBody"} {
			for _, way := range []string{"found", "asked"} {
				b.Run(fmt.Sprintf("subs=%d/scope=%s/%s", subs, scope, way), func(b *testing.B) {
					opts := engine.Options{Store: newMemory(), Shards: 1}
					if way == "asked" {
						opts.FindFrom = 1 << 30
					}
					benchFiltered(b, opts, subs, scope)
				})
			}
		}
	}
}

func benchFiltered(b *testing.B, opts engine.Options, subs int, scope string) {
	h := newHouseOf(b, opts, egress.Options{})
	topic := h.topic("orders")
	arrived := make(chan struct{}, 1024)
	url := kindtest.Listen(b, func(c net.Conn) {
		buf := make([]byte, 64<<10)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")); err != nil {
				return
			}
			arrived <- struct{}{}
		}
	})
	for i := range subs {
		h.subscribe(topic, engine.SubscriptionConfig{
			Name: fmt.Sprint("s", i), Endpoint: url, FilterPolicyScope: scope, FilterPolicy: fmt.Sprintf(`{"customer":["id-%d"]}`, i),
		})
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		m := engine.NewMessage()
		id := fmt.Appendf(nil, "id-%d", i%subs)
		m.AddAttribute([]byte("kind"), []byte("String"), []byte("order"), false)
		m.AddAttribute([]byte("customer"), []byte("String"), id, false)
		m.Set(engine.FieldBody, fmt.Appendf(nil, `{"kind":"order","price":17.5,"customer":%q,"text":"about as much as there is in a small order"}`, id))
		if err := h.Engine.Publish(topic, m); err != nil {
			b.Fatal(err)
		}
		m.Release()
		<-arrived
	}
}
