package crashtest

import (
	"flag"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

var (
	seedFlag     = flag.Uint64("seed", 0, "replay the plan of one seed, many times")
	patienceFlag = flag.Duration("patience", 0, "how long is waited for what is owed; 0: as long as a busy machine may need")
	cutsFlag     = flag.Int("cuts", 0, "how many power cuts, or runs, to make at least")
)

// goal is how much a test does: in the short form, in the long form, or what was asked for.
func goal(short, long int, variable string) int {
	n := short
	if testing.Short() { // of race builds, which are many times slower
		n = short / 40
	}
	if os.Getenv("FANFARE_LONG") == "1" {
		n = long
		if asked, err := strconv.Atoi(os.Getenv(variable)); err == nil {
			n = asked
		}
	}
	if *cutsFlag > 0 {
		n = *cutsFlag
	}
	return n
}

// campaign performs plans of ever new seeds, several at a time, until it is enough or one fails.
type campaign struct {
	plan   func(seed uint64) plan
	enough func(total *tally, runs int) bool

	mu    sync.Mutex
	total tally
	base  uint64
	runs  int
	ended bool
}

const atATime = 6

func (c *campaign) run(t *testing.T, test string) (total *tally, first, last uint64) {
	c.base = uint64(time.Now().UnixNano()) % 1_000_000_000 * 10_000_000
	c.total.kinds = map[string]int{}
	begin := time.Now()
	var wg sync.WaitGroup
	for range atATime {
		wg.Go(func() {
			for {
				seed, ok := c.next()
				if !ok {
					return
				}
				n, f := perform(c.plan(seed))
				c.mu.Lock()
				c.total.add(n)
				c.ended = c.ended || f != nil
				c.mu.Unlock()
				if f != nil {
					t.Errorf("%v\nreplay it with: go test ./egress/crashtest -run %s -seed %d", f, test, seed)
				}
			}
		})
	}
	wg.Wait()
	c.total.took = time.Since(begin)
	return &c.total, c.base + 1, c.base + uint64(c.runs)
}

func (c *campaign) next() (seed uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.enough(&c.total, c.runs) {
		return 0, false
	}
	c.runs++
	return c.base + uint64(c.runs), true
}

// replays is how often a plan is repeated: goroutines interleave anew each time.
const replays = 30

func replay(t *testing.T, p plan) {
	t.Helper()
	for i := range replays {
		if _, f := perform(p); f != nil {
			t.Fatalf("repetition %d: %v", i, f)
		}
	}
}

// complain fails the test when runs never came to something that they are there for.
func (t *tally) complain(tt *testing.T, cuts bool) {
	tt.Helper()
	seen := map[string]int{
		"acknowledged": t.acknowledged, "claims": t.obliged, "restarts": t.restarts, "retries on the timer": t.parked,
		"dead letters": t.dead, "delayed messages": t.waiting, "held messages": t.held, "trimmed topics": t.trimmed,
	}
	if cuts {
		seen["power losses"], seen["clones driven on"] = t.losses, t.drives
		for _, o := range []op{opCreate, opWrite, opSync, opRename, opRemove} {
			seen["cuts at "+o.String()] = t.kinds[o.String()]
		}
	}
	for what, n := range seen {
		if n == 0 {
			tt.Errorf("not one of: %s", what)
		}
	}
}
