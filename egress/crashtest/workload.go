package crashtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine"
)

// retryDelayMax is the longest wait between two attempts.
const retryDelayMax = 6 * time.Millisecond

// Names of what the model has to find again in the store.
const (
	lifeLabel     = "life"     // of a topic
	revisionLabel = "revision" // of a subscription's settings
)

const (
	publishers = 3
	topicsMax  = 3
	subsMax    = 4
)

// workload does to a world what the seed says. The controller makes and removes topics and subscriptions and
// changes the endpoints' moods, the publishers publish; all at once.
type workload struct {
	world  *world
	cutter *cutter // nil for none
	seed   uint64  // of this generation
	steps  int     // of each publisher
	calm   bool    // endpoints stay well

	unsure atomic.Int64 // answers that leave open what happened

	mu     sync.Mutex
	topics [topicsMax]*topicLife // guarded by mu: what publishers publish to
	held   []*messageLife        // guarded by mu: not settled
	faults []string              // guarded by mu: answers that the model does not allow
}

func newWorkload(w *world, c *cutter, seed uint64, steps int) *workload {
	l := &workload{world: w, cutter: c, seed: seed, steps: steps}
	for _, t := range w.history.topics {
		if t.create.end != 0 && t.remove.begin == 0 {
			l.topics[slotOf(t.name)] = t
			t.subs = nil
		}
	}
	for _, s := range w.history.subs {
		if s.create.end != 0 && s.remove.begin == 0 && s.topic.remove.begin == 0 {
			s.topic.subs = append(s.topic.subs, s)
		}
	}
	for _, m := range w.history.messages {
		if m.held && m.outcome == accepted && m.settle.begin == 0 && m.topic.remove.begin == 0 {
			l.held = append(l.held, m)
		}
	}
	return l
}

func slotOf(topic string) int { return int(topic[1] - '0') }

func (l *workload) fault(format string, args ...any) {
	l.mu.Lock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
	l.mu.Unlock()
}

// run does the whole of it.
func (l *workload) run() {
	var wg sync.WaitGroup
	wg.Go(func() {
		c := &controller{workload: l, rng: newRand(l.seed, 0)}
		c.prepare()
		for range l.steps / 2 {
			c.step()
			pause(c.rng)
		}
	})
	for p := range publishers {
		wg.Go(func() {
			x := &publisher{workload: l, number: p, rng: newRand(l.seed, uint64(p)+1)}
			for i := range l.steps {
				x.step()
				if l.cutter != nil && x.rng.IntN(60) == 0 {
					l.cutter.quiet(uint64(p)<<32 | uint64(i))
				}
				pause(x.rng)
			}
		})
	}
	wg.Wait()
}

// pause waits now and then, so that timers get their turn.
func pause(rng *rand.Rand) {
	if rng.IntN(6) == 0 {
		<-time.After(time.Duration(rng.IntN(2000)) * time.Microsecond)
	}
}

// open reports whether an error leaves it open what became of an operation.
func (l *workload) open(err error) bool {
	if !errors.Is(err, engine.ErrUnavailable) {
		return false
	}
	l.unsure.Add(1)
	return true
}

// controller is the one who changes topics and subscriptions.
type controller struct {
	*workload
	rng *rand.Rand
}

func (c *controller) topic(slot int) *topicLife {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.topics[slot]
}

func (c *controller) setTopic(slot int, t *topicLife) {
	c.mu.Lock()
	c.topics[slot] = t
	c.mu.Unlock()
}

// prepare makes sure that there is something to publish to.
func (c *controller) prepare() {
	if c.topic(0) == nil {
		c.createTopic(0)
	}
	if t := c.topic(0); t != nil && len(t.subs) == 0 {
		c.subscribe(t)
		c.subscribe(t)
	}
}

func (c *controller) step() {
	slot := c.rng.IntN(topicsMax)
	t := c.topic(slot)
	if t == nil {
		c.createTopic(slot)
		return
	}
	switch n := c.rng.IntN(24); {
	case n < 8 && len(t.subs) < subsMax:
		c.subscribe(t)
	case n < 10 && len(t.subs) > 0:
		c.unsubscribe(t)
	case n < 13 && len(t.subs) > 0:
		c.change(t.subs[c.rng.IntN(len(t.subs))])
	case n < 14:
		c.removeTopic(slot, t)
	case n < 24 && !c.calm:
		m := mood(c.rng.IntN(int(moods) + 2))
		if m >= moods {
			m = fine
		}
		c.world.network.setMood(c.rng.IntN(hosts), m)
	}
}

func (c *controller) createTopic(slot int) {
	h := c.world.history
	t := h.newTopic("t" + strconv.Itoa(slot))
	t.create.begin = h.tick()
	at, created, err := c.world.engine.CreateTopic(t.name, map[string]string{lifeLabel: strconv.Itoa(t.index)})
	switch {
	case err == nil && !created:
		c.fault("topic %s was there before it was created", t.name)
	case err == nil:
		t.create.end = h.tick()
		t.at = at
		c.setTopic(slot, t)
	case !c.open(err):
		c.fault("creating topic %s: %v", t.name, err)
	}
}

func (c *controller) removeTopic(slot int, t *topicLife) {
	h := c.world.history
	t.remove.begin = h.tick()
	c.setTopic(slot, nil)
	if err := c.world.engine.DeleteTopic(t.name); err == nil {
		t.remove.end = h.tick()
	} else if !c.open(err) {
		c.fault("deleting topic %s: %v", t.name, err)
	}
}

// config turns settings into what the engine is asked for.
func (c *controller) config(s *subLife, set *settings) engine.SubscriptionConfig {
	r := c.rng
	config := engine.SubscriptionConfig{
		Name: s.name, Kind: "probe", Endpoint: endpointOf(r.IntN(hosts), s.index),
		MaxInFlight: 1 + r.IntN(4), Pipeline: 1 + r.IntN(4),
		Retry: engine.RetryPolicy{
			MinDelay: time.Millisecond, MaxDelay: retryDelayMax, Timeout: 15 * time.Millisecond,
			MaxAttempts: set.attempts, MaxAge: set.age,
		},
		Labels: map[string]string{revisionLabel: strconv.Itoa(len(s.settings))},
	}
	if set.tag != "" {
		filters(set.tag)[r.IntN(3)](&config)
	}
	return config
}

// filters are the ways to ask for a tag: as such, and as the attribute that every message with a tag has besides, by a
// policy whose value can be looked up, and by one that has to be asked.
func filters(tag string) [3]func(c *engine.SubscriptionConfig) {
	return [...]func(c *engine.SubscriptionConfig){
		func(c *engine.SubscriptionConfig) { c.FilterTag = tag },
		func(c *engine.SubscriptionConfig) { c.FilterPolicy = `{"tag":["` + tag + `"]}` },
		func(c *engine.SubscriptionConfig) { c.FilterPolicy = `{"tag":[{"prefix":"` + tag + `"}]}` },
	}
}

// tagOf is the tag that a subscription asks for in one of those ways; it is not one there is if it asks in another.
func tagOf(stored *engine.SubscriptionConfig) string {
	if stored.FilterTag == "" && stored.FilterPolicy == "" {
		return ""
	}
	for _, tag := range []string{"a", "b"} {
		for _, ask := range filters(tag) {
			var c engine.SubscriptionConfig
			if ask(&c); c.FilterTag == stored.FilterTag && c.FilterPolicy == stored.FilterPolicy {
				return tag
			}
		}
	}
	return "?"
}

func (c *controller) newSettings() settings {
	set := settings{tag: [...]string{"", "", "a", "b"}[c.rng.IntN(4)]}
	if c.rng.IntN(4) == 0 {
		set.attempts = 1 + c.rng.IntN(4)
	}
	if c.rng.IntN(6) == 0 {
		set.age = time.Duration(5+c.rng.IntN(40)) * time.Millisecond
	}
	return set
}

func (c *controller) subscribe(t *topicLife) {
	h := c.world.history
	name := ""
	for used := true; used; {
		name = "s" + strconv.Itoa(c.rng.IntN(subsMax+2))
		used = false
		for _, s := range t.subs {
			used = used || s.name == name
		}
	}
	s := h.newSub(t, name)
	set := c.newSettings()
	config := c.config(s, &set)
	s.create.begin = h.tick()
	set.begin = s.create.begin
	s.settings = append(s.settings, set)
	at, created, err := c.world.engine.PutSubscription(t.at, config)
	switch {
	case err == nil && !created:
		c.fault("subscription %s of %s was there before it was made", s.name, t.name)
	case err == nil:
		s.create.end = h.tick()
		s.settings[0].end = s.create.end
		s.at = at
		t.subs = append(t.subs, s)
	case !c.open(err):
		c.fault("subscribing %s to %s: %v", s.name, t.name, err)
	}
}

func (c *controller) unsubscribe(t *topicLife) {
	h := c.world.history
	i := c.rng.IntN(len(t.subs))
	s := t.subs[i]
	t.subs = append(t.subs[:i:i], t.subs[i+1:]...)
	s.remove.begin = h.tick()
	if err := c.world.engine.DeleteSubscription(s.at); err == nil {
		s.remove.end = h.tick()
	} else if !c.open(err) {
		c.fault("unsubscribing %s from %s: %v", s.name, t.name, err)
	}
}

// change replaces a subscription's settings in one of the two ways there are.
func (c *controller) change(s *subLife) {
	h := c.world.history
	set := c.newSettings()
	if c.rng.IntN(2) == 0 {
		set.tag = s.settings[len(s.settings)-1].tag
	}
	config := c.config(s, &set)
	set.begin = h.tick()
	s.settings = append(s.settings, set)
	var err error
	if c.rng.IntN(2) == 0 {
		_, _, err = c.world.engine.PutSubscription(s.topic.at, config)
	} else {
		err = c.world.engine.UpdateSubscription(s.at, func(old *engine.SubscriptionConfig) {
			config.CreatedAt = old.CreatedAt
			*old = config
		})
	}
	if err == nil {
		s.settings[len(s.settings)-1].end = h.tick()
	} else if !c.open(err) {
		c.fault("changing subscription %s: %v", s.name, err)
	}
}
