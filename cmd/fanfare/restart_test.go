package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The process is killed at random moments under load, and started again. Every publish that was answered
// with success reaches the subscriber, and a kill doubles no more than a window.
func TestKillNineLosesNothing(t *testing.T) {
	kills, publishers := 50, 6
	switch {
	case longForm():
		kills = 2000
	case testing.Short():
		kills = 5
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	sub := newSubscriber(t)

	var address atomic.Pointer[string] // of the running program
	p := startProgram(t, "--data", dir)
	address.Store(&p.url)
	p.call(http.MethodPut, topicPath, "", http.StatusCreated)
	p.call(http.MethodPut, subscriptionPath, webhookTo(sub.URL), http.StatusCreated)

	var mu sync.Mutex
	acked := map[string]bool{}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range publishers {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				body := fmt.Sprintf("%d-%d", i, n)
				status, _, err := request(client, http.MethodPost, *address.Load()+messagesPath, body)
				if err == nil && status == http.StatusCreated {
					mu.Lock()
					acked[body] = true
					mu.Unlock()
				}
			}
		})
	}
	for range kills {
		// Not a wait for something: the random moment of the kill is what is tested.
		<-time.After(time.Duration(20+random.IntN(250)) * time.Millisecond)
		p.kill()
		p = startProgram(t, "--data", dir)
		address.Store(&p.url)
	}
	close(stop)
	wg.Wait()
	doubles := sub.waitForAll(t, acked)
	t.Logf("%d kills, %d messages acknowledged, none missing, %d deliveries doubled", kills, len(acked), doubles)
	if doubles > kills*1024 {
		t.Errorf("%d deliveries doubled by %d kills", doubles, kills)
	}
	if len(acked) < kills {
		t.Errorf("only %d messages were acknowledged: the test did not load the program", len(acked))
	}
	if err := p.terminate(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, p.output)
	}
}

// A program that is asked to end drains: what was acknowledged before is not delivered again behind the
// restart, and the program ends with 0.
func TestDrainDoublesNothing(t *testing.T) {
	dir := t.TempDir()
	sub := newSubscriber(t)
	p := startProgram(t, "--data", dir)
	p.call(http.MethodPut, topicPath, "", http.StatusCreated)
	p.call(http.MethodPut, subscriptionPath, webhookTo(sub.URL), http.StatusCreated)
	want := map[string]bool{}
	for i := range 200 {
		body := fmt.Sprint(i)
		p.call(http.MethodPost, messagesPath, body, http.StatusCreated)
		want[body] = true
	}
	if err := p.terminate(); err != nil {
		t.Fatalf("SIGTERM: %v\n%s", err, p.output)
	}
	p = startProgram(t, "--data", dir)
	p.call(http.MethodPost, messagesPath, "last", http.StatusCreated)
	want["last"] = true
	if doubles := sub.waitForAll(t, want); doubles != 0 {
		t.Errorf("%d deliveries doubled by an orderly restart", doubles)
	}
}

func TestSecondProgramOnTheSameDataIsRefused(t *testing.T) {
	dir := t.TempDir()
	startProgram(t, "--data", dir)
	out, err := runProgram("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", dir)
	if err == nil || !contains(out, "in use by another process") {
		t.Errorf("the second program: %v\n%s", err, out)
	}
}
