package egress_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"fanfare/egress"
	"fanfare/engine"
)

// Every connection is opened by the function the options give.
func TestConnectionsAreOpenedByTheGivenDial(t *testing.T) {
	r := newRecorder(t, nil)
	var dialled atomic.Value
	h := newHouse(t, newMemory(), egress.Options{
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled.Store(network + " " + address)
			return new(net.Dialer).DialContext(ctx, network, r.Listener.Addr().String())
		},
	})
	topic := h.topic("orders")
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "http://no.such.name.invalid:8123/x"})
	h.publish(topic, "hello")
	r.waitFor(t, 1)
	if got := dialled.Load(); got != "tcp no.such.name.invalid:8123" {
		t.Errorf("dialled %v", got)
	}
}
