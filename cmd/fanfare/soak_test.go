package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	soakTopics    = 8
	soakSamples   = 12
	soakLatencies = 1 << 20 // kept of a slice
)

// soak is a running server under steady load, with subscribers that fail in every way.
type soak struct {
	t       *testing.T
	p       *program
	well    *gate
	flappy  *gate
	hanging string
	body    []byte

	mu        sync.Mutex
	latencies []time.Duration // of the current slice
	errors    int
	published int
}

// sample is what is measured at the end of a slice.
type sample struct {
	rss, fds, goroutines int
	p99                  time.Duration
}

// Under steady load with mixed faults nothing grows: memory, file descriptors and goroutines stay where they were, and
// publishes take no longer. The short form shows that what the faults took is given back; the long form, of
// FANFARE_SOAK (8h), measures slopes.
func TestSoak(t *testing.T) {
	span := 8 * time.Second
	if testing.Short() {
		span = 3 * time.Second
	}
	if longForm() {
		span = 8 * time.Hour
		if text := os.Getenv("FANFARE_SOAK"); text != "" {
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			span = d
		}
	}
	s := newSoak(t)
	peak := s.peakRate()
	rate := 0.7 * peak
	before := s.measure()
	stop := make(chan struct{})
	var faults sync.WaitGroup
	faults.Go(func() { s.flap(stop) })
	faults.Go(func() { s.churn(stop) })
	samples := make([]sample, 0, soakSamples)
	for range soakSamples {
		s.load(rate, span/soakSamples)
		samples = append(samples, s.measure())
	}
	close(stop)
	faults.Wait()
	s.flappy.open.Store(true)
	for i := range soakTopics {
		s.p.call(http.MethodDelete, soakTopic(i)+"/subscriptions/hanging", "", http.StatusNoContent)
	}
	until(t, "nothing is owed any more", func() bool { return s.owed() == 0 })
	var after sample
	until(t, "what the faults took is given back", func() bool {
		after = s.measure()
		return after.goroutines <= before.goroutines+64 && after.fds <= before.fds+soakTopics*2*64
	})
	t.Logf("%d messages in %v at %.0f/s, 70 %% of the peak, %d refused; before %+v, after %+v", s.published, span, rate, s.errors, before, after)
	for i, m := range samples {
		t.Logf("slice %d: %+v", i, m)
	}
	if s.errors > s.published/100 {
		t.Errorf("%d of %d publishes failed", s.errors, s.published)
	}
	if longForm() {
		checkSlopes(t, samples, span)
	}
}

// checkSlopes compares the second quarter with the last: the first warms up.
func checkSlopes(t *testing.T, samples []sample, span time.Duration) {
	quarter := len(samples) / 4
	mean := func(part []sample, value func(sample) float64) float64 {
		sum := 0.0
		for _, m := range part {
			sum += value(m)
		}
		return sum / float64(len(part))
	}
	early, late := samples[quarter:2*quarter], samples[len(samples)-quarter:]
	grown := func(value func(sample) float64) float64 { return mean(late, value)/mean(early, value) - 1 }
	if days := span.Hours() / 24 / 2; grown(func(m sample) float64 { return float64(m.rss) }) > max(0.05, 0.01*days) {
		t.Errorf("memory grew by %.1f %%", 100*grown(func(m sample) float64 { return float64(m.rss) }))
	}
	if g := grown(func(m sample) float64 { return float64(m.p99) }); g > 0.10 {
		t.Errorf("the p99 of a publish grew by %.1f %%", 100*g)
	}
	if g := grown(func(m sample) float64 { return float64(m.goroutines) }); g > 0.10 {
		t.Errorf("goroutines grew by %.1f %%", 100*g)
	}
}

func soakTopic(i int) string { return fmt.Sprintf("/v1/topics/soak-%d", i) }

func newSoak(t *testing.T) *soak {
	s := &soak{t: t, p: startProgram(t, "--data", t.TempDir()), well: newGate(t), flappy: newGate(t), hanging: hangingEndpoint(t), body: bytes.Repeat([]byte("x"), 1024)}
	for i := range soakTopics {
		s.p.call(http.MethodPut, soakTopic(i), "", http.StatusCreated)
		for name, endpoint := range map[string]string{"well": s.well.url, "flappy": s.flappy.url, "hanging": s.hanging} {
			s.p.call(http.MethodPut, soakTopic(i)+"/subscriptions/"+name, fmt.Sprintf(
				`{"kind":"webhook","endpoint":%q,"retry":{"min_delay":"20ms","max_delay":"100ms","timeout":"100ms","max_attempts":3}}`, endpoint), http.StatusCreated)
		}
	}
	return s
}

// peakRate measures how many publishes a second the server takes.
func (s *soak) peakRate() float64 {
	const n = 4000
	begin := time.Now()
	publishAll(s.t, s.p.url, n, func(i int) string { return fmt.Sprintf("soak-%d", i%soakTopics) })
	return n / time.Since(begin).Seconds()
}

// load publishes at a rate for a while, and notes how long each took from the moment it was due.
func (s *soak) load(rate float64, span time.Duration) {
	s.mu.Lock()
	s.latencies = s.latencies[:0]
	s.mu.Unlock()
	client := &fasthttp.Client{MaxConnsPerHost: 256, ReadTimeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	begin := time.Now()
	var next sync.Mutex
	sent := 0
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for {
				next.Lock()
				n := sent
				sent++
				next.Unlock()
				due := begin.Add(time.Duration(float64(n) / rate * float64(time.Second)))
				if due.Sub(begin) >= span {
					return
				}
				if wait := time.Until(due); wait > 0 {
					<-time.After(wait) // the pace of the load is what is wanted here
				}
				s.publish(client, n, due)
			}
		})
	}
	wg.Wait()
}

func (s *soak) publish(client *fasthttp.Client, n int, due time.Time) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.Header.SetMethod(http.MethodPost)
	req.SetRequestURI(s.p.url + soakTopic(n%soakTopics) + "/messages")
	req.SetBodyRaw(s.body)
	err := client.Do(req, res)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published++
	if took := time.Since(due); len(s.latencies) < soakLatencies {
		s.latencies = append(s.latencies, took)
	} else {
		s.latencies[rand.IntN(soakLatencies)] = took
	}
	if err != nil || res.StatusCode() != http.StatusCreated {
		s.errors++
	}
}

// flap shuts and opens the endpoint that is not always well.
func (s *soak) flap(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(50+rand.IntN(400)) * time.Millisecond):
			s.flappy.open.Store(!s.flappy.open.Load())
		}
	}
}

// churn makes and deletes topics and subscriptions, some with messages that are owed.
func (s *soak) churn(stop <-chan struct{}) {
	ask := func(method, path, body string) { _, _, _ = request(http.DefaultClient, method, s.p.url+path, body) }
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
		topic := fmt.Sprintf("/v1/topics/churn-%d", i%16)
		ask(http.MethodPut, topic, "")
		ask(http.MethodPut, topic+"/subscriptions/s", fmt.Sprintf(`{"kind":"webhook","endpoint":%q,"retry":{"timeout":"200ms"}}`, s.hanging))
		ask(http.MethodPost, topic+"/messages", "owed")
		if i%3 == 0 {
			ask(http.MethodDelete, topic, "")
		}
	}
}

// owed is how many messages the subscriptions that are well have not settled.
func (s *soak) owed() (n int) {
	for i := range soakTopics {
		for _, name := range []string{"well", "flappy"} {
			state := s.p.call(http.MethodGet, soakTopic(i)+"/subscriptions/"+name, "", http.StatusOK)
			if !strings.Contains(state, `"lag_messages":0`) {
				n++
			}
		}
	}
	return n
}

func (s *soak) measure() sample {
	status, text, err := request(http.DefaultClient, http.MethodGet, s.p.admin+"/metrics", "")
	if err != nil || status != http.StatusOK {
		s.t.Fatal(status, err)
	}
	var m sample
	for line := range strings.Lines(text) {
		var value float64
		for name, field := range map[string]*int{"process_resident_memory_bytes": &m.rss, "process_open_fds": &m.fds, "go_goroutines": &m.goroutines} {
			if n, _ := fmt.Sscanf(line, name+" %g", &value); n == 1 {
				*field = int(value)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.latencies); n > 0 {
		sorted := slices.Sorted(slices.Values(s.latencies))
		m.p99 = sorted[n*99/100]
	}
	return m
}
