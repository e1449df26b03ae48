package sns_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/sign"
	"fanfare/egress/sns"
	"fanfare/engine"
	"fanfare/engine/memstore"
)

// TestOneSigningPerMessage pushes every message to many subscriptions, twice since the first try fails, from lanes that
// are so short that they read most of it from the store: one signing each.
func TestOneSigningPerMessage(t *testing.T) {
	const lanes, messages = 20, 30
	signer, err := sign.New(sign.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	tries := map[string]int{} // by lane and message
	bodies := map[string]string{}
	acknowledged := make(chan struct{}, lanes*messages)
	end := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		key := r.URL.Path + r.Header.Get("x-amz-sns-message-id")
		mu.Lock()
		defer mu.Unlock()
		if tries[key]++; tries[key] == 1 {
			bodies[key] = string(body)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if bodies[key] != string(body) {
			t.Errorf("the second try has another body:\n%s\n%s", bodies[key], body)
		}
		acknowledged <- struct{}{}
	}))
	defer end.Close()

	e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	g, err := egress.New(e, egress.Options{
		Kinds:          []egress.Kind{sns.New(sns.Options{Signer: signer, SignAlways: true})},
		WindowMessages: 2, BreakerFailures: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	e.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { e.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		run.Wait()
		e.Close()
		drain, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		if err := g.Drain(drain); err != nil {
			t.Error(err)
		}
	})
	topic, _, err := e.CreateTopic("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range lanes {
		_, _, err := e.PutSubscription(topic, engine.SubscriptionConfig{
			Name: fmt.Sprint("lane-", i), Kind: "sns", Endpoint: fmt.Sprintf("%s/%d/", end.URL, i), MaxInFlight: 1,
			Retry: engine.RetryPolicy{MinDelay: time.Millisecond, MaxDelay: time.Millisecond, MaxAttempts: 3},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range messages {
		m := engine.NewMessage()
		m.Set(engine.FieldBody, fmt.Appendf(nil, "order %d paid", i))
		if err := e.Publish(topic, m); err != nil {
			t.Fatal(err)
		}
		m.Release()
	}
	timeout := time.After(time.Minute)
	for i := range lanes * messages {
		select {
		case <-acknowledged:
		case <-timeout:
			t.Fatalf("%d of %d deliveries", i, lanes*messages)
		}
	}
	if n := signer.Signings(); n != messages {
		t.Errorf("%d signings for %d messages", n, messages)
	}
}
