package crashtest

import (
	"flag"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seedFlag = flag.Uint64("seed", 0, "replay one seed")
	cutsFlag = flag.Int("cuts", 0, "power cuts to make at least")
)

func TestPowerCuts(t *testing.T) {
	if *seedFlag != 0 {
		replay(t, *seedFlag)
		return
	}
	goal := 10_000
	if os.Getenv("FANFARE_LONG") == "1" {
		goal = 500_000
		if n, err := strconv.Atoi(os.Getenv("FANFARE_CUTS")); err == nil {
			goal = n
		}
	}
	if *cutsFlag > 0 {
		goal = *cutsFlag
	}
	base := uint64(time.Now().UnixNano()) % 1_000_000_000 * 1000
	seed := base
	total := tally{kinds: map[string]int{}}
	begin := time.Now()
	var mu sync.Mutex
	var failed atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !failed.Load() {
				mu.Lock()
				if total.cuts >= goal {
					mu.Unlock()
					return
				}
				seed++
				mine := seed
				mu.Unlock()
				n, f := perform(cutPlan(mine))
				if f != nil {
					failed.Store(true)
					t.Errorf("%v\nreplay it with: go test ./egress/crashtest -run TestPowerCuts -seed %d", f, mine)
				}
				mu.Lock()
				total.add(n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("power cuts: %d, seeds %d..%d, messages acknowledged %d, claims checked %d, driven on %d, power losses in a run %d, restarts %d, by kind of write %v, %v",
		total.cuts, base+1, seed, total.acknowledged, total.obliged, total.drives, total.losses, total.restarts, total.kinds, time.Since(begin).Round(time.Millisecond))
}

func cutPlan(seed uint64) plan {
	return plan{seed: seed, generations: 1 + int(seed%4), steps: 40, cutsMax: 60, drivesEach: 1}
}

const replays = 30

func replay(t *testing.T, seed uint64) {
	for range replays {
		if _, f := perform(cutPlan(seed)); f != nil {
			t.Fatal(f)
		}
	}
}
