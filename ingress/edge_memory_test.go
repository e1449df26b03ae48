//go:build !race

package ingress_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"
)

// TestSizesInMemory lets many clients send without end at once and watches the live heap. fasthttp's buffer of a body
// of unknown length doubles: a chunk that ends at the limit makes it twice the limit beside the full one before it,
// and the buffer of the client's request before may not be free yet. Of those four only two are ever touched.
func TestSizesInMemory(t *testing.T) {
	const (
		clients = 8
		factor  = 4
		slack   = 16 << 20 // what else lives while the requests are read
	)
	address := edgeServer(t)
	for _, a := range sizedAPIs {
		if strings.Contains(a.name, " ") && a.name != "sns publish" {
			continue // of the same face
		}
		base := liveHeap()
		done := make(chan struct{})
		var senders sync.WaitGroup
		for range clients {
			senders.Go(func() {
				for _, size := range []int{64 << 10, a.bodyMax/2 + 1} {
					if reply, _, err := sendAll(address, a.endless(size)); err != nil || !matches(reply, a.refused) {
						t.Errorf("%s: %v, %.300s", a.name, err, reply)
					}
				}
			})
		}
		go func() { senders.Wait(); close(done) }()
		peak := uint64(0)
		for running := true; running; {
			peak = max(peak, liveHeap())
			select {
			case <-done:
				running = false
			default:
			}
		}
		if limit := base + clients*factor*uint64(a.bodyMax) + slack; peak > limit {
			t.Errorf("%s: %d MiB live, %d before; %d clients may take %d", a.name, peak>>20, base>>20, clients, limit>>20)
		}
		t.Logf("%s: %.1f MiB for each of %d requests with a limit of %.1f", a.name, float64(max(peak, base)-base)/clients/(1<<20), clients, float64(a.bodyMax)/(1<<20))
	}
}

// liveHeap is what is in use behind a collection.
func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
