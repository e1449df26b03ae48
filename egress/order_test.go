package egress_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// spoiled is an endpoint that is in a bad mood towards one group until it is healed.
type spoiled struct {
	group  string
	bad    mood
	healed atomic.Bool
}

func (s *spoiled) mood(group string, _, _ int) mood {
	if group == s.group && !s.healed.Load() {
		return s.bad
	}
	return sings
}

// A group whose messages fail, or are never answered, delays no other: neither those that are fed live, nor those
// that are read from the store because most of the window is taken.
func TestGroupThatFailsHoldsUpNoOther(t *testing.T) {
	f := func(name string, bad mood, sub engine.SubscriptionConfig) {
		t.Run(name, func(t *testing.T) {
			s := &spoiled{group: "bad", bad: bad}
			c := newChoir(t, s.mood)
			sub.Retry = engine.RetryPolicy{MinDelay: time.Second, MaxDelay: 10 * time.Second, Timeout: 5 * time.Second}
			inConcert(t, c, egress.Options{WindowMessages: 16}, sub, func(b *concert) {
				for i := range 270 {
					if i%25 == 0 {
						b.sing("bad", i/25)
					}
					b.sing(fmt.Sprint("good", i%9), i/9)
				}
				b.until("the others are through", func() bool { return b.state().Lag == 11 })
				for g := range 9 {
					b.expect(fmt.Sprint("good", g), 30)
				}
				b.expect("bad", 0)
				b.until("the group rests", func() bool { return b.state().Groups == 1 })
				s.healed.Store(true)
				b.untilSettled()
				b.expect("bad", 11)
				if n := b.state().Groups; n != 0 {
					b.t.Errorf("%d groups rest", n)
				}
			})
		})
	}
	f("fails", coughs, engine.SubscriptionConfig{})
	f("is cut off", leaves, engine.SubscriptionConfig{MaxInFlight: 2})
	f("hangs", sleeps, engine.SubscriptionConfig{MaxInFlight: 2})
	f("pipelined, fails", coughs, engine.SubscriptionConfig{Pipeline: 8, MaxInFlight: 16})
	f("pipelined, hangs", sleeps, engine.SubscriptionConfig{Pipeline: 8, MaxInFlight: 16})
}

// What waits behind a resting group is in the window: when it fills it, the lane waits.
func TestRestingGroupsBoundTheLane(t *testing.T) {
	s := &spoiled{group: "bad", bad: coughs}
	c := newChoir(t, s.mood)
	sub := engine.SubscriptionConfig{Retry: engine.RetryPolicy{MinDelay: time.Second, MaxDelay: 10 * time.Second}}
	inConcert(t, c, egress.Options{WindowMessages: 8, BreakerFailures: 1000}, sub, func(b *concert) {
		for i := range 20 {
			b.sing("bad", i)
		}
		for i := range 5 {
			b.sing("good", i)
		}
		b.pass(time.Minute)
		if st := b.state(); st.InFlight != 8 || st.State != "lagging" || st.Lag != 25 {
			b.t.Errorf("the lane: %+v", st)
		}
		s.healed.Store(true)
		b.untilSettled()
		b.expect("bad", 20)
		b.expect("good", 5)
	})
}

// However the first of a group ends, the next follows.
func TestGroupGoesOnBehindOneThatEnds(t *testing.T) {
	f := func(name string, bad mood, retry engine.RetryPolicy, life time.Duration, letters int) {
		t.Run(name, func(t *testing.T) {
			c := newChoir(t, func(_ string, number, _ int) mood {
				if number == 0 {
					return bad
				}
				return sings
			})
			c.attemptsMax = 1 // any may be the last
			inConcert(t, c, egress.Options{BreakerFailures: 1000}, engine.SubscriptionConfig{Retry: retry}, func(b *concert) {
				var expires time.Time
				if life > 0 {
					expires = time.Now().Add(life)
				}
				b.singUntil("g", 0, expires)
				b.sing("g", 1)
				b.untilSettled()
				b.expect("g", 2)
				if n := b.Egress.Stats().Buried; n != uint64(letters) {
					b.t.Errorf("%d dead letters, want %d", n, letters)
				}
			})
		})
	}
	second := engine.RetryPolicy{MinDelay: time.Second, MaxDelay: time.Second}
	f("refused", refuses, second, 0, 1)
	f("out of attempts", coughs, engine.RetryPolicy{MinDelay: time.Second, MaxDelay: time.Second, MaxAttempts: 4}, 0, 1)
	f("out of time", coughs, engine.RetryPolicy{MinDelay: time.Second, MaxDelay: time.Second, MaxAge: time.Minute}, 0, 1)
	f("expired", coughs, second, time.Minute, 0)
}

// A dead letter is in the store before the next of the group begins, or a crash between the two would turn them round.
func TestGroupWaitsForTheDeadLetter(t *testing.T) {
	c := newChoir(t, func(_ string, number, _ int) mood {
		if number == 0 {
			return refuses
		}
		return sings
	})
	inConcert(t, c, egress.Options{}, engine.SubscriptionConfig{}, func(b *concert) {
		b.store.delay.Store(int64(time.Minute))
		b.sing("g", 0)
		b.sing("g", 1)
		b.sing("other", 0)
		b.pass(30 * time.Second)
		if n := c.attempts(); n != 2 {
			b.t.Errorf("%d attempts while the letter is being written, want those of g/0 and other/0", n)
		}
		b.untilSettled()
		b.expect("g", 2)
	})
}

// One group fails until the breaker opens. What comes next finds out that the endpoint is there.
func TestBreakerProbesAnotherGroup(t *testing.T) {
	s := &spoiled{group: "bad", bad: coughs}
	c := newChoir(t, s.mood)
	sub := engine.SubscriptionConfig{Retry: engine.RetryPolicy{MinDelay: time.Second, MaxDelay: time.Minute, Jitter: engine.JitterNone}}
	inConcert(t, c, egress.Options{BreakerFailures: 3, BreakerDelayMax: 10 * time.Second}, sub, func(b *concert) {
		b.sing("bad", 0)
		b.sing("bad", 1)
		b.until("paused", func() bool { return b.state().State == "paused" })
		before := c.attempts()
		b.pass(time.Minute)
		if c.attempts() == before {
			b.t.Error("the endpoint is not probed while its only group rests")
		}
		b.sing("good", 0)
		b.until("the other group is through", func() bool { return c.settledOf("good") == 1 })
		b.expect("bad", 0)
		s.healed.Store(true)
		b.untilSettled()
		b.expect("bad", 2)
	})
}

// The whole endpoint is down, and up again later.
func TestOrderedLanePausesAndRecovers(t *testing.T) {
	var up atomic.Bool
	c := newChoir(t, func(string, int, int) mood {
		if !up.Load() {
			return leaves
		}
		return sings
	})
	sub := engine.SubscriptionConfig{Pipeline: 4, Retry: engine.RetryPolicy{MinDelay: time.Second, MaxDelay: time.Minute}}
	inConcert(t, c, egress.Options{BreakerFailures: 3, WindowMessages: 8}, sub, func(b *concert) {
		for i := range 100 {
			b.sing(fmt.Sprint("g", i%5), i/5)
		}
		b.until("paused", func() bool { return b.state().State == "paused" })
		b.pass(10 * time.Minute)
		if st := b.state(); st.State != "paused" || st.InFlight > 8 {
			b.t.Errorf("the lane: %+v", st)
		}
		if n := c.attempts(); n > 200 {
			b.t.Errorf("%d attempts in ten minutes", n)
		}
		up.Store(true)
		b.untilSettled()
		for g := range 5 {
			b.expect(fmt.Sprint("g", g), 20)
		}
	})
}

// Groups rest for an hour, but a probe does not wait for that, and when the endpoint is back they do not, either.
func TestGroupsNeedNotRestBehindAnOutage(t *testing.T) {
	var up atomic.Bool
	c := newChoir(t, func(string, int, int) mood {
		if !up.Load() {
			return coughs
		}
		return sings
	})
	sub := engine.SubscriptionConfig{Retry: engine.RetryPolicy{MinDelay: time.Hour, MaxDelay: time.Hour, Jitter: engine.JitterNone, MaxAttempts: 3}}
	inConcert(t, c, egress.Options{BreakerFailures: 3, BreakerDelayMax: 10 * time.Second}, sub, func(b *concert) {
		for i := range 9 {
			b.sing(fmt.Sprint("g", i%3), i/3)
		}
		b.until("all rest", func() bool { return b.state().Groups == 3 })
		b.pass(time.Hour - time.Minute)
		up.Store(true)
		b.pass(30 * time.Second)
		if st := b.state(); st.Lag != 0 || b.Egress.Stats().Buried != 0 {
			b.t.Errorf("the lane: %+v, %+v", st, b.Egress.Stats())
		}
	})
}

// A subscription is set back while one of a group is in flight: the group begins anew when that one has ended.
func TestRewoundGroupWaitsForTheOneInFlight(t *testing.T) {
	var hang atomic.Bool
	c := newChoir(t, func(_ string, number, _ int) mood {
		if number == 2 && hang.Load() {
			return sleeps
		}
		return sings
	})
	sub := engine.SubscriptionConfig{Retry: engine.RetryPolicy{MinDelay: time.Hour, MaxDelay: time.Hour, Timeout: 10 * time.Second}}
	inConcert(t, c, egress.Options{}, sub, func(b *concert) {
		hang.Store(true)
		for i := range 5 {
			b.sing("g", i)
		}
		b.pass(time.Second)
		b.expect("g", 2)
		b.rewind(b.sub, 1, 1)
		c.restart()
		before := c.attempts()
		b.pass(8 * time.Second)
		if n := c.attempts(); n != before {
			b.t.Errorf("%d attempts while g/2 is in flight", n-before)
		}
		hang.Store(false)
		b.pass(10 * time.Second) // not an hour: what failed was forgotten
		b.untilSettled()
		b.expect("g", 5)
		if n := c.attempts(); n != before+5 {
			b.t.Errorf("%d attempts behind the rewind, want 5", n-before)
		}
	})
}

// A rewind forgets that a group rests, and the timer with it.
func TestRewindWakesRestingGroups(t *testing.T) {
	s := &spoiled{group: "g", bad: coughs}
	c := newChoir(t, s.mood)
	sub := engine.SubscriptionConfig{Retry: engine.RetryPolicy{MinDelay: time.Hour, MaxDelay: time.Hour, Jitter: engine.JitterNone}}
	inConcert(t, c, egress.Options{}, sub, func(b *concert) {
		for i := range 3 {
			b.sing("g", i)
		}
		b.until("it rests", func() bool { return b.state().Groups == 1 })
		s.healed.Store(true)
		b.rewind(b.sub, 1, 1)
		c.restart()
		b.pass(time.Second)
		b.untilSettled()
		b.expect("g", 3)
		if n := c.attempts(); n != 4 {
			b.t.Errorf("%d attempts, want 4", n)
		}
	})
}

// A deleted subscription holds nothing, and nothing of it is begun any more.
func TestDeletedSubscriptionDropsItsGroups(t *testing.T) {
	c := newChoir(t, func(group string, _, _ int) mood {
		if group == "hangs" {
			return sleeps
		}
		return coughs
	})
	sub := engine.SubscriptionConfig{Retry: engine.RetryPolicy{MinDelay: time.Minute, MaxDelay: time.Hour, Timeout: time.Minute}}
	inConcert(t, c, egress.Options{}, sub, func(b *concert) {
		for i := range 12 {
			b.sing([]string{"hangs", "g1", "g2", "g3"}[i%4], i/4)
		}
		b.until("three rest", func() bool { return b.state().Groups == 3 })
		if err := b.Engine.DeleteSubscription(b.sub); err != nil {
			b.t.Fatal(err)
		}
		before := c.attempts()
		b.pass(24 * time.Hour)
		if n := c.attempts(); n != before {
			b.t.Errorf("%d attempts behind the deletion", n-before)
		}
		if n := b.Egress.Stats().HeldBytes; n != 0 {
			b.t.Errorf("%d bytes are held", n)
		}
	})
}
