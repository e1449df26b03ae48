package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPublishOptionsValidate(t *testing.T) {
	f := func(o PublishOptions, want string) {
		t.Helper()
		if got := fmt.Sprint(o.Validate()); got != want {
			t.Errorf("%+v: %s\nwant %s", o, got, want)
		}
	}
	f(PublishOptions{Target: "http://h", Topic: "t"}, "<nil>")
	f(PublishOptions{Target: "http://h", Topic: "t", Rate: math.Inf(1)}, "rate: +Inf is not a number of publishes per second")
	f(PublishOptions{Target: "http://h", Topic: "t", Rate: math.NaN()}, "rate: NaN is not a number of publishes per second")
	f(PublishOptions{Face: "kafka", SizeBytes: 1 << 30, Conns: -1, Duration: -1, Timeout: -1},
		`target: "" is no http or https URL
face: "kafka" is none of smq, rocketmq, dms, smn, sns, native, sqs
topic: is missing
size: 1073741824 is not between 1 and 16777216 bytes
conns: -1 is not between 1 and 65536
duration: -1ns is negative
timeout: -1ns is negative`)
}

// answer says what a fake server does with its n-th request, counted from 1 over all connections.
type answer func(n int64) (status int, delay time.Duration)

// fakeTarget is a dial function whose connections end at a server in the same bubble.
func fakeTarget(a answer) dialFunc {
	var requests atomic.Int64
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			r := bufio.NewReader(server)
			for {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, req.Body); err != nil {
					return
				}
				status, delay := a(requests.Add(1))
				time.Sleep(delay)
				if status == 0 {
					return
				}
				if _, err := fmt.Fprintf(server, "HTTP/1.1 %d X\r\nContent-Length: 4\r\n\r\nbody", status); err != nil {
					return
				}
			}
		}()
		return client, nil
	}
}

func bubble(t *testing.T, o PublishOptions, a answer, progress io.Writer, check func(*Result)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		o.Target, o.Topic = "http://server", "t"
		o.dial, o.pause = fakeTarget(a), time.Sleep
		r, err := Publish(t.Context(), o, progress)
		if err != nil {
			t.Fatal(err)
		}
		check(r)
		time.Sleep(time.Hour) // of the bubble's time: the fake server is done with its last request
	})
}

func TestClosedLoop(t *testing.T) {
	var lines bytes.Buffer
	opts := PublishOptions{Conns: 4, Duration: 2500 * time.Millisecond}
	bubble(t, opts, func(int64) (int, time.Duration) { return 201, 10 * time.Millisecond }, &lines, func(r *Result) {
		if r.Published != 1000 || r.Errors != 0 || r.PerSecond != 400 || r.Elapsed != 2500*time.Millisecond {
			t.Errorf("%+v", r)
		}
		if !near(r.P50, 10_000) || !near(r.Max, 10_000) {
			t.Errorf("p50 %d, max %d, want 10 ms", r.P50, r.Max)
		}
	})
	// What is answered in the very instant of a line is in this one or the next.
	want := regexp.MustCompile(`^(   [12]s        (39\d|40\d)/s  p50    10 ms  p99    10 ms  errors 0\n){2}$`)
	if !want.MatchString(lines.String()) {
		t.Errorf("progress:\n%s", lines.String())
	}
}

// near allows for the three digits of the histogram.
func near(got, want int64) bool { return math.Abs(float64(got-want)) <= float64(want)/500 }

// A server that stalls once for 200 ms is charged for the requests that should have been sent meanwhile.
func TestOpenLoopCountsFromTheIntendedTime(t *testing.T) {
	opts := PublishOptions{Conns: 1, Duration: time.Second, Rate: 100}
	stall := func(n int64) (int, time.Duration) {
		if n == 10 {
			return 201, 200 * time.Millisecond
		}
		return 201, 0
	}
	bubble(t, opts, stall, nil, func(r *Result) {
		if r.Published != 100 || r.Errors != 0 {
			t.Errorf("%+v", r)
		}
		// Of 100 latencies 80 are 0, and 10, 20, ... 200 ms are those of the request that stalled and of 19 behind it.
		if r.P50 != 0 || !near(r.P99, 190_000) || !near(r.P999, 200_000) || !near(r.Max, 200_000) {
			t.Errorf("p50 %d, p99 %d, p99.9 %d, max %d", r.P50, r.P99, r.P999, r.Max)
		}
	})
	opts.Rate = 0
	opts.Duration = 210 * time.Millisecond
	tick := func(n int64) (int, time.Duration) {
		if n == 10 {
			return 201, 200 * time.Millisecond
		}
		return 201, time.Millisecond
	}
	bubble(t, opts, tick, nil, func(r *Result) {
		if !near(r.P50, 1000) || !near(r.Max, 200_000) {
			t.Errorf("closed loop: p50 %d, max %d", r.P50, r.Max)
		}
	})
}

func TestOpenLoopKeepsTheRate(t *testing.T) {
	opts := PublishOptions{Conns: 8, Duration: 2 * time.Second, Rate: 333}
	bubble(t, opts, func(int64) (int, time.Duration) { return 201, 5 * time.Millisecond }, nil, func(r *Result) {
		if r.Published != 666 || r.Errors != 0 || !near(r.Max, 5000) {
			t.Errorf("%+v", r)
		}
	})
}

// What an overloaded server keeps from being sent is an error, not silence: all 100 are accounted for.
func TestOpenLoopOverloaded(t *testing.T) {
	opts := PublishOptions{Conns: 1, Duration: time.Second, Rate: 100, Timeout: time.Second}
	bubble(t, opts, func(int64) (int, time.Duration) { return 201, 95 * time.Millisecond }, nil, func(r *Result) {
		want := map[string]int64{kindUnsent: 78, "timeout": 1}
		if r.Published != 21 || r.Errors != 79 || !cmp.Equal(r.Kinds, want) {
			t.Errorf("%+v", r)
		}
		if r.Elapsed != 2*time.Second {
			t.Errorf("took %v", r.Elapsed)
		}
	})
}

func TestErrorsByKind(t *testing.T) {
	opts := PublishOptions{Conns: 1, Duration: 10 * time.Millisecond}
	bubble(t, opts, func(n int64) (int, time.Duration) {
		switch n {
		case 2, 3:
			return 503, time.Millisecond
		case 4:
			return 200, time.Millisecond // success of other faces
		case 5:
			return 0, time.Millisecond // hangs up
		default:
			return 201, time.Millisecond
		}
	}, nil, func(r *Result) {
		want := &Result{
			Published: 6, Errors: 4, PerSecond: 600, P50: r.P50, P99: r.P99, P999: r.P999, Max: r.Max,
			Elapsed:  10 * time.Millisecond,
			Kinds:    map[string]int64{"status 503": 2, "status 200": 1, "connection closed": 1},
			Failures: []string{"status 503: body", "status 503: body", "status 200: body"},
		}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTimeoutIsAnError(t *testing.T) {
	opts := PublishOptions{Conns: 2, Duration: time.Second, Timeout: 4 * time.Second}
	bubble(t, opts, func(int64) (int, time.Duration) { return 201, time.Minute }, nil, func(r *Result) {
		if r.Published != 0 || r.Kinds["timeout"] != 2 || r.Elapsed > 5*time.Second {
			t.Errorf("%+v", r)
		}
	})
}

// A context that ends is the caller's wish: what was in flight is neither published nor an error.
func TestContextEnds(t *testing.T) {
	for _, rate := range []float64{0, 50} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 505*time.Millisecond)
			defer cancel()
			r, err := Publish(ctx, PublishOptions{
				Target: "http://server", Topic: "t", Conns: 3, Duration: time.Hour, Rate: rate, pause: time.Sleep,
				dial: fakeTarget(func(int64) (int, time.Duration) { return 201, 100 * time.Millisecond }),
			}, nil)
			if err != nil || r.Errors != 0 || r.Published < 10 || r.Elapsed > 600*time.Millisecond {
				t.Errorf("rate %v: %+v, %v", rate, r, err)
			}
			time.Sleep(time.Hour)
		})
	}
}

func TestReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		server := fakeTarget(func(n int64) (int, time.Duration) {
			if n%3 == 0 {
				return 0, 0
			}
			return 201, 4 * time.Millisecond
		})
		r, err := Publish(t.Context(), PublishOptions{
			Target: "http://server", Topic: "t", Conns: 1, Duration: 100 * time.Millisecond,
			dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if dials++; dials == 3 {
					return nil, errors.New("no route")
				}
				return server(ctx, network, addr)
			},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Kinds["transport"] != 1 || r.Kinds["connection closed"] < 5 || r.Published < 2*r.Kinds["connection closed"] {
			t.Errorf("%+v", r)
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Publish(t.Context(), PublishOptions{Target: "http://" + ln.Addr().String(), Topic: "t"}, nil)
	if err == nil || transportKind(err) != "connection refused" {
		t.Errorf("err %v", err)
	}
	if _, err := Publish(t.Context(), PublishOptions{}, nil); err == nil {
		t.Error("no error for options without a target")
	}
}

// Every face's request is one the fixed-reply server answers with that face's success.
func TestPublishOverTheNetwork(t *testing.T) {
	noneLeft(t)
	addr := serve(t, NewFixedReply())
	for _, face := range Faces {
		for _, rate := range []float64{0, 2000} {
			opts := PublishOptions{Target: "http://" + addr, Face: face, Topic: "t", Conns: 3, Duration: 50 * time.Millisecond, Rate: rate}
			r, err := Publish(t.Context(), opts, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Published == 0 || r.Errors != 0 || (rate > 0 && r.Published != 100) {
				t.Errorf("%s, rate %v: %v", face, rate, r)
			}
		}
	}
}

func TestResultForms(t *testing.T) {
	r := &Result{
		Published: 61234, Errors: 12, PerSecond: 12246.8, P50: 850, P99: 3400, P999: 89000, Max: 1_200_000, Elapsed: 5 * time.Second,
		Kinds: map[string]int64{"timeout": 2, "status 503": 10}, Failures: []string{"status 503: slow down"},
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"published":61234,"errors":12,"per_second":12246.8,"p50_us":850,"p99_us":3400,"p999_us":89000,"max_us":1200000}`
	if string(b) != want {
		t.Errorf("%s\nwant %s", b, want)
	}
	want = `published 61,234 in 5.00 s, 12,246 per second
latency   p50 850 µs  p99 3.4 ms  p99.9 89 ms  max 1.20 s
errors    12
  status 503: 10
  timeout: 2
  such as: status 503: slow down
`
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Error(diff)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// The kinds of error told apart are bounded, whatever a server answers.
func TestErrorKindsAreBounded(t *testing.T) {
	sum, one := newTally(), newTally()
	for status := range 1000 {
		one.fail(fmt.Sprintf("status %d", status), "detail")
		sum.add(one)
		one.reset()
	}
	if len(sum.kinds) != kindsMax+1 || sum.kinds["other"] != 1000-kindsMax || sum.errors != 1000 || len(sum.failures) != failuresKept {
		t.Errorf("%+v", sum)
	}
}
