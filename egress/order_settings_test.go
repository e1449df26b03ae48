package egress_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// What waits when a subscription is made ordered waits in its groups from then on; what waits in groups when it is made
// unordered keeps their order.
func TestSubscriptionBecomesOrderedAndBack(t *testing.T) {
	var hang atomic.Bool
	hang.Store(true)
	c := newChoir(t, func(group string, _, _ int) mood {
		if (group == "wall" || group == "hangs") && hang.Load() {
			return sleeps
		}
		return sings
	})
	sub := engine.SubscriptionConfig{MaxInFlight: 1, Retry: engine.RetryPolicy{MinDelay: time.Second, MaxDelay: time.Second, Timeout: time.Minute}}
	inConcert(t, c, egress.Options{}, sub, func(b *concert) {
		order := func(ordered bool, inFlight int) {
			t.Helper()
			err := b.Engine.UpdateSubscription(b.sub, func(config *engine.SubscriptionConfig) {
				config.Ordered, config.MaxInFlight = ordered, inFlight
			})
			if err != nil {
				b.t.Fatal(err)
			}
		}
		order(false, 1)
		b.sing("wall", 0) // takes the only connection
		for i := range 50 {
			b.sing(fmt.Sprint("g", i%2), i/2)
		}
		b.pass(time.Second)
		b.expect("g0", 0)
		order(true, 16)
		b.pass(time.Second)
		b.expect("g0", 25)
		b.expect("g1", 25)
		for i := range 50 {
			b.sing("hangs", i)
		}
		b.pass(time.Second)
		order(false, 16)
		b.pass(time.Second)
		b.expect("hangs", 0)
		hang.Store(false)
		b.untilSettled()
		b.expect("hangs", 50)
	})
}

// On a topic without FIFO a message that names no group is in none, and what comes from the timer is in none either.
func TestInNoGroup(t *testing.T) {
	var hang atomic.Bool
	hang.Store(true)
	c := newChoir(t, func(group string, number, attempt int) mood {
		switch {
		case number == 0 && group == "" && hang.Load(), group == "g" && number == 1 && hang.Load():
			return sleeps
		case group == "g" && number == 0 && hang.Load():
			return refuses
		}
		return sings
	})
	sub := engine.SubscriptionConfig{Retry: engine.RetryPolicy{MinDelay: time.Second, MaxDelay: time.Second, Timeout: 5 * time.Minute}}
	inConcert(t, c, egress.Options{}, sub, func(b *concert) {
		b.sing("", 0)
		for i := range 10 {
			b.sing("", 1+i)
		}
		b.until("all but the one that hangs", func() bool { return b.state().Lag == 1 })
		b.sing("g", 0) // becomes a dead letter
		b.sing("g", 1) // hangs
		b.pass(time.Second)
		b.expect("g", 1)
		c.lax.Store(true)
		hang.Store(false)
		before := c.attempts()
		if n, _, err := b.Engine.ReplayDeadLetters(b.sub, engine.DeadLetterFilter{}, 0, 10); err != nil || n != 1 {
			b.t.Fatalf("%d replayed (%v)", n, err)
		}
		b.until("the dead letter is delivered while the group hangs", func() bool { return c.attempts() == before+1 })
		if st := b.state(); st.Lag != 2 {
			b.t.Errorf("the lane: %+v", st)
		}
		b.untilSettled()
	})
}

// A subscription of a FIFO topic is ordered whatever it says, and a message without a group is of the empty one.
func TestSubscriptionOfFIFOTopicIsOrdered(t *testing.T) {
	var bad atomic.Bool
	bad.Store(true)
	c := newChoir(t, func(string, int, int) mood {
		if bad.Load() {
			return coughs
		}
		return sings
	})
	retry := engine.RetryPolicy{MinDelay: time.Second, MaxDelay: time.Second}
	inConcert(t, c, egress.Options{BreakerFailures: 1000}, engine.SubscriptionConfig{}, func(b *concert) {
		topic, _, err := b.Engine.CreateTopicWith(engine.TopicConfig{Name: "songs.fifo", FIFO: &engine.FIFO{}})
		if err != nil {
			b.t.Fatal(err)
		}
		b.topic = topic
		b.sub = b.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "http://choir/", Retry: retry})
		ordered := func(when string) {
			b.t.Helper()
			if !b.sub.Config().Ordered {
				b.t.Errorf("%s it is not ordered", when)
			}
		}
		ordered("made")
		if err := b.Engine.UpdateSubscription(b.sub, func(c *engine.SubscriptionConfig) { c.Ordered = false }); err != nil {
			b.t.Fatal(err)
		}
		ordered("updated")
		b.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "http://choir/", Retry: retry})
		ordered("put again")
		for i := range 5 {
			b.sing("", i)
		}
		b.pass(10 * time.Second)
		if st := b.state(); st.Groups != 1 || st.Lag != 5 {
			b.t.Errorf("the lane: %+v", st)
		}
		bad.Store(false)
		b.untilSettled()
		b.expect("", 5)
	})
}
