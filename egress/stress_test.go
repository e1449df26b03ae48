package egress_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// moods is what an endpoint of the stress test is like at the moment.
const (
	moodFine = iota
	moodFlaky
	moodDown
	moodCutting // ends connections without an answer
	moods
)

// crowd is a set of endpoints with moods; what arrives is noted by the path, which names the subscription.
type crowd struct {
	servers []*httptest.Server
	mood    []atomic.Int32

	mu   sync.Mutex
	seen map[string]map[int]bool
}

func newCrowd(t *testing.T, n int) *crowd {
	c := &crowd{mood: make([]atomic.Int32, n), seen: map[string]map[int]bool{}}
	for i := range n {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(i, w, r) }))
		t.Cleanup(s.Close)
		c.servers = append(c.servers, s)
	}
	return c
}

func (c *crowd) serve(i int, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	mood := c.mood[i].Load()
	switch {
	case mood == moodDown, mood == moodFlaky && rand.N(2) == 0:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case mood == moodFlaky && rand.N(20) == 0:
		w.WriteHeader(http.StatusGone)
		return
	case mood == moodCutting && rand.N(3) == 0:
		panic(http.ErrAbortHandler)
	}
	id, err := strconv.Atoi(string(body))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[r.URL.Path] == nil {
		c.seen[r.URL.Path] = map[int]bool{}
	}
	c.seen[r.URL.Path][id] = true
}

// claim is a subscription of the stress test: owed is every message whose publish began behind its creation.
type claim struct {
	sub  *engine.Subscription
	path string
	from int64
}

// stress is one topic with publishers and somebody who changes its subscriptions all the time.
type stress struct {
	h         *house
	topic     *engine.Topic
	crowd     *crowd
	rng       *rand.Rand
	begun     atomic.Int64
	published []atomic.Bool // by id
	claims    []claim
	made      int
}

func (s *stress) config(path string) engine.SubscriptionConfig {
	retry := fastRetry()
	retry.Timeout = 5 * time.Second
	return engine.SubscriptionConfig{
		Name: path[1:], Kind: "plain", Endpoint: s.crowd.servers[s.rng.IntN(len(s.crowd.servers))].URL + path,
		MaxInFlight: 1 + s.rng.IntN(8), Pipeline: 1 + s.rng.IntN(4), Retry: retry,
	}
}

// change makes, moves or deletes a subscription, or changes an endpoint's mood.
func (s *stress) change() {
	switch n := s.rng.IntN(10); {
	case n < 3 && len(s.claims) < 12:
		s.made++
		path := fmt.Sprintf("/s%d", s.made)
		sub := s.h.subscribe(s.topic, s.config(path))
		s.claims = append(s.claims, claim{sub, path, s.begun.Load() + 1})
	case n < 4 && len(s.claims) > 4:
		i := s.rng.IntN(len(s.claims))
		if err := s.h.Engine.DeleteSubscription(s.claims[i].sub); err != nil {
			s.h.t.Error(err)
		}
		s.claims = append(s.claims[:i], s.claims[i+1:]...)
	case n < 7 && len(s.claims) > 0:
		s.h.subscribe(s.topic, s.config(s.claims[s.rng.IntN(len(s.claims))].path))
	default:
		s.crowd.mood[s.rng.IntN(len(s.crowd.mood))].Store(s.rng.Int32N(moods))
	}
}

// owed returns how many messages a claim still waits for, and one of them.
func (s *stress) owed(c claim) (n, example int) {
	buried := map[int]bool{}
	err := s.h.Engine.DeadLetters(c.sub, engine.DeadLetterFilter{}, func(_ engine.DeadLetter, m *engine.Message) bool {
		id, _ := strconv.Atoi(string(m.Body()))
		buried[id] = true
		return true
	})
	if err != nil {
		s.h.t.Error(err)
	}
	s.crowd.mu.Lock()
	defer s.crowd.mu.Unlock()
	for id := int(c.from); id < len(s.published); id++ {
		if s.published[id].Load() && !s.crowd.seen[c.path][id] && !buried[id] {
			n++
			example = id
		}
	}
	return n, example
}

// Subscriptions come, go and move while endpoints fail in every way and windows are tiny: each gets every
// message whose publish began behind its creation, or has a dead letter for it.
func TestEverySubscriptionGetsEverythingUnderChange(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	const messages, publishers = 3000, 4
	h := newHouse(t, newMemory(), egress.Options{
		WindowMessages: 4, BreakerFailures: 3, BreakerDelayMax: 10 * time.Millisecond, ProgressInterval: time.Millisecond,
	})
	s := &stress{
		h: h, topic: h.topic("orders"), crowd: newCrowd(t, 3), rng: rand.New(rand.NewPCG(seed, 1)),
		published: make([]atomic.Bool, messages+1),
	}
	var wg sync.WaitGroup
	for range publishers {
		wg.Go(func() {
			for {
				id := s.begun.Add(1)
				if id > messages {
					return
				}
				h.publish(s.topic, strconv.FormatInt(id, 10))
				s.published[id].Store(true)
			}
		})
	}
	for s.begun.Load() < messages {
		s.change()
	}
	wg.Wait()
	for range 20 {
		s.change()
	}
	for i := range s.crowd.mood {
		s.crowd.mood[i].Store(moodFine)
	}
	deadline := time.Now().Add(30 * time.Second)
	for _, c := range s.claims {
		for {
			n, example := s.owed(c)
			if n == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d messages never arrived, one is %d; %+v", c.path, n, example, c.sub.Receiver().State())
			}
			time.Sleep(time.Millisecond) // polls endpoints over real sockets
		}
	}
	if n := h.Egress.Stats().Missing; n != 0 {
		t.Logf("%d sequences were passed over: trimmed before their subscription was visible", n)
	}
}
