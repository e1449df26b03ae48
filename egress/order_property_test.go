package egress_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// Whatever an endpoint does, however the process ends, and how far the subscription is set back meanwhile: a message is begun only when the one before it in its
// group is settled, and all end. FANFARE_LONG=1 tries many more seeds.
func TestOrderWithinGroupsUnderFailures(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 10
	}
	if os.Getenv("FANFARE_LONG") != "" {
		seeds = 2000
	}
	first := uint64(time.Now().UnixNano())
	for i := range seeds {
		seed := first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) { orderUnderFailures(t, seed) })
	}
}

// tempers are how often an endpoint shows each mood, in percent; what is left it sings.
type tempers [ages + 1]int

func orderUnderFailures(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	tempersOfSeed := []tempers{
		{coughs: 20, leaves: 5, sleeps: 3, refuses: 3, parts: 3, ages: 1},
		{coughs: 70},
		{leaves: 30, parts: 10},
		{sleeps: 15, coughs: 5},
		{refuses: 20, coughs: 20},
		{ages: 10, leaves: 10, coughs: 10},
	}[rng.IntN(6)]
	var mu sync.Mutex
	var calm bool
	draw := func(string, int, int) mood {
		mu.Lock()
		defer mu.Unlock()
		n := rng.IntN(100)
		for m, share := range tempersOfSeed {
			if n -= share; n < 0 && !calm {
				return mood(m)
			}
		}
		return sings
	}
	intN := func(n int) int { // the endpoint draws from the same numbers at the same time
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(n)
	}
	groups, each := 1+intN(12), 5+intN(40)
	c := newChoir(t, draw)
	retry := engine.RetryPolicy{MinDelay: time.Duration(1+intN(50)) * time.Millisecond, MaxDelay: time.Second, Timeout: time.Second}
	if intN(2) == 0 {
		retry.MaxAttempts = 1 + intN(6)
	}
	if intN(2) == 0 {
		c.fifo = &engine.FIFO{PerGroup: intN(2) == 0}
	}
	c.attemptsMax = retry.MaxAttempts
	opts := egress.Options{
		WindowMessages: 2 + intN(30), BreakerFailures: 2 + intN(30), BreakerDelayMax: 200 * time.Millisecond, ProgressInterval: 10 * time.Millisecond,
	}
	sub := engine.SubscriptionConfig{MaxInFlight: 1 + intN(16), Pipeline: 1, Retry: retry}
	if intN(2) == 0 {
		sub.Pipeline = 2 + intN(8)
	}
	if intN(4) == 0 {
		sub.MaxPerSecond = 500
	}
	inConcert(t, c, opts, sub, func(b *concert) {
		for part := range 4 {
			var publishers sync.WaitGroup
			for g := range groups {
				publishers.Go(func() {
					for i := range each {
						b.sing(fmt.Sprintf("g%d", g), part*each+i)
						if c.fifo != nil && intN(5) == 0 {
							b.sing(fmt.Sprintf("g%d", g), part*each+i) // a duplicate is not there
						}
						if intN(8) == 0 {
							<-time.After(time.Duration(1+intN(40)) * time.Millisecond)
						}
					}
				})
			}
			publishers.Wait()
			b.pass(time.Duration(intN(3000)) * time.Millisecond)
			switch intN(4) {
			case 0:
				b.restart(false)
			case 1:
				b.restart(true)
			case 2:
				c.rewind()
				if _, err := b.Engine.Rewind(b.sub, engine.Sequence(1+intN(1+int(b.state().Floor)))); err != nil {
					b.t.Fatal(err)
				}
			}
		}
		mu.Lock()
		calm = true
		mu.Unlock()
		b.untilSettled()
		for g := range groups {
			b.expect(fmt.Sprintf("g%d", g), 4*each)
		}
	})
	t.Logf("%d attempts for %d groups of %d messages, %+v, window %d, breaker %d, tempers %v",
		c.attempts(), groups, 4*each, sub, opts.WindowMessages, opts.BreakerFailures, tempersOfSeed)
}
