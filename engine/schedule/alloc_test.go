//go:build !race

package schedule_test

import (
	"context"
	"testing"
	"time"

	"fanfare/engine/schedule"
)

// Firing what is overdue, and adding what is near, allocates nothing once the heaps have their size.
func TestTimerAllocatesNothingPerEntry(t *testing.T) {
	timer := schedule.New(endless{}, func(err error) { t.Error(err) })
	ctx, cancel := context.WithCancel(t.Context())
	step, stepped := make(chan int), make(chan struct{})
	done := make(chan struct{})
	left := 0
	go func() {
		defer close(done)
		timer.Run(ctx, func(k schedule.Key) {
			if left == 0 {
				if left = <-step; left == 0 {
					cancel()
					return
				}
			}
			timer.Settled(k)
			if left%2 == 0 {
				timer.Added(timer.NewKey(time.Now().UnixMilli()))
			}
			if left--; left == 0 {
				stepped <- struct{}{}
			}
		})
	}()
	batch := func() { step <- 10_000; <-stepped }
	for range 20 {
		batch()
	}
	if n := testing.AllocsPerRun(20, batch); n > 5 {
		t.Errorf("%v allocations for 10,000 entries, want none", n)
	}
	step <- 0
	<-done
}
