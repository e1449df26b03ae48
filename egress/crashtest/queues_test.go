package crashtest

import (
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble runs fn in a bubble of time.
func inBubble(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	runtime.GC()
	runtime.GC() // pooled messages carry channels of another bubble
	synctest.Test(t, fn)
	runtime.GC()
	runtime.GC()
}

// The power goes while messages are sent, received, deleted, purged and moved, by the minute and within a bubble of
// time: what was acknowledged is there once, in its order, and what was deleted is not.
func TestQueueCuts(t *testing.T) {
	base := uint64(time.Now().UnixNano()) % 1_000_000_000 * 10_000_000
	wanted := goal(1500, 200_000, "FANFARE_CUTS")
	if *seedFlag != 0 {
		base, wanted = *seedFlag-1, 0
	}
	workers := atATime
	if testing.Short() {
		workers = 1
	}
	total, last := queueTally{kinds: map[string]int{}}, base
	begin := time.Now()
	inBubble(t, func(t *testing.T) {
		var mu sync.Mutex
		next := func() (uint64, bool) {
			mu.Lock()
			defer mu.Unlock()
			if t.Failed() || total.cuts >= wanted && (*seedFlag == 0 || last-base >= replays) {
				return 0, false
			}
			last++
			if *seedFlag != 0 {
				return *seedFlag, true
			}
			return last, true
		}
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for {
					seed, ok := next()
					if !ok {
						return
					}
					n, f := performQueues(queuePlanOf(seed))
					mu.Lock()
					total.add(n)
					mu.Unlock()
					if f != nil {
						t.Errorf("%v\nreplay it with: go test ./egress/crashtest -run TestQueueCuts -seed %d", f, seed)
					}
				}
			})
		}
		wg.Wait()
	})
	t.Logf("power cuts: %d, seeds %d..%d, %v; %v", total.cuts, base+1, last, &total, time.Since(begin).Round(time.Millisecond))
	if *seedFlag != 0 {
		return
	}
	for what, n := range map[string]int{
		"power losses": total.losses, "restarts": total.restarts, "receives": total.received, "deletes": total.deleted,
		"duplicates": total.duplicates, "moves": total.moved,
	} {
		if n == 0 && !testing.Short() {
			t.Errorf("not one of: %s", what)
		}
	}
}

// The same with a disk whose operations fail, once and from there on: nothing is acknowledged, deleted or moved that is
// not saved.
func TestQueueFaults(t *testing.T) {
	for _, seed := range []uint64{3, 4} {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			tryFaults(t, func(f fault) faulty { return newQueueTrial(seed, f) }, 5)
		})
	}
}
