package bench

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// arrivals is the latencies a sink took on arrival: from the intended send time in a body until it was here.
type arrivals struct {
	mu      sync.Mutex
	latency *hdrhistogram.Histogram // guarded by mu: in µs
}

// arrived is how a sink reports them, in µs.
type arrived struct {
	Count int64 `json:"count"`
	P50   int64 `json:"p50_us"`
	P99   int64 `json:"p99_us"`
	P999  int64 `json:"p999_us"`
	Max   int64 `json:"max_us"`
}

func newArrivals() *arrivals {
	return &arrivals{latency: hdrhistogram.New(1, latencyMax.Microseconds(), 3)}
}

// take records a body that begins with a stamp; others have no latency.
func (a *arrivals) take(body []byte) {
	intended, ok := stampOf(body)
	if !ok {
		return
	}
	late := min(max(time.Since(intended), 0), latencyMax)
	a.mu.Lock()
	_ = a.latency.RecordValue(late.Microseconds()) // it is in range
	a.mu.Unlock()
}

func (a *arrivals) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latency.Reset()
}

func (a *arrivals) json() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, err := json.Marshal(arrived{
		Count: a.latency.TotalCount(), P50: a.latency.ValueAtQuantile(50), P99: a.latency.ValueAtQuantile(99),
		P999: a.latency.ValueAtQuantile(99.9), Max: a.latency.Max(),
	})
	if err != nil {
		panic("BUG: bench: a count has no JSON form: " + err.Error())
	}
	return b
}
