package egress_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"fanfare/engine"
)

func refuseAll(w http.ResponseWriter, _ *http.Request, _ string) bool {
	w.WriteHeader(http.StatusGone)
	return false
}

func reaches(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	timeout := time.After(5 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Error("it never came to that")
			return
		}
	}
}

// runFor runs the timer until something is so.
func runFor(t *testing.T, e *engine.Engine, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { e.Run(ctx) })
	reaches(t, ok)
	cancel()
	wg.Wait()
}
