package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// The latency counts from the time in the body, not from when the request was made.
func TestArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArrivals()
		intended := time.Now()
		for ms := 1; ms <= 1000; ms++ {
			time.Sleep(time.Millisecond)
			a.take(fmt.Appendf(nil, "sent-%019d and the rest", intended.UnixNano()))
			a.take([]byte("a body without a stamp"))
		}
		a.take(fmt.Appendf(nil, "sent-%019d a clock that is ahead", time.Now().Add(time.Hour).UnixNano()))
		var got arrived
		if err := json.Unmarshal(a.json(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Count != 1001 || !near(got.P50, 500_000) || !near(got.P99, 990_000) || !near(got.P999, 999_000) || !near(got.Max, 1_000_000) {
			t.Errorf("%+v", got)
		}
		a.reset()
		if got := string(a.json()); got != `{"count":0,"p50_us":0,"p99_us":0,"p999_us":0,"max_us":0}` {
			t.Error(got)
		}
	})
}

// From the load generator's intended time to the sink, through the wire.
func TestSinkTellsLatencies(t *testing.T) {
	noneLeft(t)
	s, addr := newTestSink(t, SinkOptions{})
	ask := func(method string) (a arrived) {
		t.Helper()
		status, body, err := call(t.Context(), addr, method, "/latency", "")
		if err != nil || status != 200 {
			t.Fatal(status, err)
		}
		if method == "GET" {
			if err := json.Unmarshal([]byte(body), &a); err != nil {
				t.Fatal(err)
			}
		}
		return a
	}
	l := PublishOptions{Target: "http://" + addr, Topic: "t", Conns: 2, Duration: 50 * time.Millisecond, Stamp: true, SizeBytes: 64, Rate: 200}
	if _, err := Publish(context.Background(), l, nil); err != nil {
		t.Fatal(err)
	}
	if a := ask("GET"); a.Count != 10 || a.P50 < 1 || a.P50 > a.P99 || a.P99 > a.P999 || a.P999 > a.Max {
		t.Errorf("%+v", a)
	}
	ask("DELETE")
	if a := ask("GET"); a.Count != 0 || s.Requests() != 10 {
		t.Errorf("%+v, %d requests", a, s.Requests())
	}
	post(t, addr, "/latency", "a push to a path of this name is one as any other")
	if s.Requests() != 11 {
		t.Errorf("%d requests", s.Requests())
	}
}
