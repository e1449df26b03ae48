package egress_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"fanfare/egress"
	"fanfare/engine"
)

// Many subscriptions whose endpoint never answers hold what they can. All together they stay below the budget, and
// one that is well goes on.
func TestMemoryOfAllLanesIsBounded(t *testing.T) {
	const hanging, messages, size, budget = 60, 300, 1 << 10, 256 << 10
	h := newHouse(t, newMemory(), egress.Options{MemoryBytes: budget, WindowBytes: 128 << 10})
	topic := h.topic("orders")
	stop := make(chan struct{})
	defer close(stop)
	hang := newRecorder(t, func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
		return false
	})
	for i := range hanging {
		h.subscribe(topic, engine.SubscriptionConfig{Name: fmt.Sprint("hanging-", i), Endpoint: hang.URL, MaxInFlight: 1})
	}
	well := newRecorder(t, nil)
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "well", Endpoint: well.URL})
	most := int64(0)
	for i := range messages {
		h.publish(topic, fmt.Sprint(i, strings.Repeat("x", size)))
		most = max(most, h.Egress.Stats().HeldBytes)
	}
	well.waitFor(t, messages)
	t.Logf("%d lanes held %d bytes at the most, with a budget of %d", hanging+1, most, budget)
	// One message a lane may come on top.
	if top := int64(budget + (hanging+1)*(size+256)); most > top {
		t.Errorf("%d bytes were held, at most %d may be", most, top)
	}
	if most < budget/4 {
		t.Errorf("only %d bytes were held: the test did not fill the budget", most)
	}
	eventually(t, "nothing is owed", func() bool { st := s.Receiver().State(); return st.Lag == 0 && st.State == "live" })
}
