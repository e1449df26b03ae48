package bench

import (
	"context"
	"os"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// times are of something that was done many times, in µs.
type times struct{ p50, p99 float64 }

// syncTimes appends 1 KiB to a file of its own and waits until it is on the disk, again and again for some time.
func syncTimes(ctx context.Context, file string, d time.Duration) (times, error) {
	f, err := os.Create(file)
	if err != nil {
		return times{}, err
	}
	defer os.Remove(file)
	defer f.Close()
	record := []byte(Text(1024))
	h := hdrhistogram.New(1, latencyMax.Microseconds(), 3)
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		begin := time.Now()
		if _, err := f.Write(record); err != nil {
			return times{}, err
		}
		if err := dataSync(f); err != nil {
			return times{}, err
		}
		_ = h.RecordValue(min(time.Since(begin), latencyMax).Microseconds()) // it is in range
	}
	return times{float64(h.ValueAtQuantile(50)), float64(h.ValueAtQuantile(99))}, ctx.Err()
}
