package egress_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// Over real sockets, pipelined and not, with failures and with connections that are cut: what an endpoint acknowledges
// of a group comes in the order of the group.
func TestOrderOverSockets(t *testing.T) {
	const groups, each = 16, 60
	f := func(name string, sub engine.SubscriptionConfig) {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			next := map[string]int{}
			r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, body string) bool {
				switch rand.N(20) {
				case 0, 1:
					w.WriteHeader(http.StatusServiceUnavailable)
					return false
				case 2:
					panic(http.ErrAbortHandler)
				}
				group, text, _ := strings.Cut(body, "/")
				number, err := strconv.Atoi(text)
				mu.Lock()
				defer mu.Unlock()
				// One that was acknowledged may come again, when its connection was cut by the answer to another.
				if err != nil || number > next[group] {
					t.Errorf("%s is pushed when %d is next", body, next[group])
				}
				next[group] = max(next[group], number+1)
				return true
			})
			h := newHouse(t, newMemory(), egress.Options{WindowMessages: 64, BreakerFailures: 5, BreakerDelayMax: 20 * time.Millisecond})
			topic := h.topic("orders")
			sub.Name, sub.Endpoint, sub.Ordered, sub.Retry = "s", r.URL, true, fastRetry()
			h.subscribe(topic, sub)
			var publishers sync.WaitGroup
			for g := range groups {
				publishers.Go(func() {
					for i := range each {
						m := engine.NewMessage()
						m.Set(engine.FieldGroup, fmt.Append(nil, g))
						m.Set(engine.FieldBody, fmt.Appendf(nil, "%d/%d", g, i))
						if err := h.Engine.Publish(topic, m); err != nil {
							t.Error(err)
						}
						m.Release()
					}
				})
			}
			publishers.Wait()
			r.waitFor(t, groups*each)
		})
	}
	f("plain", engine.SubscriptionConfig{})
	f("pipelined", engine.SubscriptionConfig{Pipeline: 16, MaxInFlight: 32})
}
