package bench

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"
)

func newTestSink(t *testing.T, o SinkOptions) (*Sink, string) {
	t.Helper()
	s, err := NewSink(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, serve(t, s)
}

func post(t *testing.T, addr, path, body string) int {
	t.Helper()
	status, _, err := call(t.Context(), addr, "POST", path, body)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestSinkCounts(t *testing.T) {
	s, addr := newTestSink(t, SinkOptions{Status: 204})
	for range 3 {
		if status := post(t, addr, "/hook", "12345"); status != 204 {
			t.Errorf("status %d", status)
		}
	}
	if status := post(t, addr, "/count", "1"); status != 204 {
		t.Errorf("POST /count: status %d", status)
	}
	status, body, err := call(t.Context(), addr, "GET", "/count", "")
	if err != nil || status != 200 || body != `{"requests":4,"bytes":16}` {
		t.Errorf("GET /count: %d %s %v", status, body, err)
	}
	if s.Requests() != 4 || s.Bytes() != 16 || len(s.Seen()) != 0 {
		t.Errorf("%d requests, %d bytes, seen %v", s.Requests(), s.Bytes(), s.Seen())
	}
}

func TestSinkOptionsValidate(t *testing.T) {
	_, err := NewSink(SinkOptions{Status: 100, Delay: -1})
	if got := fmt.Sprint(err); got != "bench: sink: status: 100 is not between 200 and 599\ndelay: -1ns is negative" {
		t.Error(got)
	}
}

func TestSinkPrints(t *testing.T) {
	var out bytes.Buffer
	_, addr := newTestSink(t, SinkOptions{Print: &out})
	post(t, addr, "/a?b=%1b[2J", "two\nlines \x1b]0;title\x07 \xff é")
	post(t, addr, "/", strings.Repeat("x", printedBytesMax+7))
	got := regexp.MustCompile(`  \d\d:\d\d:\d\d\.\d{3}  from 127\.0\.0\.1:\d+`).ReplaceAllString(out.String(), "")
	got = strings.ReplaceAll(got, addr, "ADDR")
	want := `--- 1
POST /a?b=%1b[2J
Host: ADDR
Connection: close
Content-Type: application/json
Content-Length: 25

two
lines \x1b]0;title\a \xff é
--- 2
POST /
Host: ADDR
Connection: close
Content-Type: application/json
Content-Length: 4103

` + strings.Repeat("x", printedBytesMax) + `
(and 7 bytes more)
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSinkRecords(t *testing.T) {
	s, addr := newTestSink(t, SinkOptions{Record: true})
	post(t, addr, "/", "one")
	post(t, addr, "/", "two")
	post(t, addr, "/", "two")
	var req fasthttp.Request
	req.SetRequestURI("http://" + addr)
	req.Header.DisableNormalizing()
	req.Header.SetMethod("POST")
	req.Header.Set("fanfare-Message-ID", "id-1")
	req.SetBodyString("two")
	client := fasthttp.HostClient{Addr: addr, MaxIdleConnDuration: 10 * time.Millisecond}
	defer client.CloseIdleConnections()
	if err := client.Do(&req, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"one": 1, "two": 2, "id-1": 1}, s.Seen()); diff != "" {
		t.Error(diff)
	}
}

func TestSinkWait(t *testing.T) {
	s, addr := newTestSink(t, SinkOptions{})
	var waiting sync.WaitGroup
	for _, n := range []int64{0, 1, 5, 10} {
		waiting.Go(func() {
			if err := s.Wait(t.Context(), n); err != nil || s.Requests() < n {
				t.Errorf("wait for %d: %v at %d", n, err, s.Requests())
			}
		})
	}
	for range 10 {
		post(t, addr, "/", "")
	}
	waiting.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(ctx, 11); err == nil {
		t.Error("Wait outlived its context")
	}
}

// Shutdown does not wait for an answer that is being delayed: it is given at once.
func TestSinkDelay(t *testing.T) {
	noneLeft(t)
	arrived := make(chan struct{})
	s, addr := newTestSink(t, SinkOptions{Delay: time.Hour, Print: writerFunc(func([]byte) { close(arrived) })})
	var posting sync.WaitGroup
	posting.Go(func() {
		if status, _, err := call(t.Context(), addr, "POST", "/", ""); err != nil || status != 200 {
			t.Errorf("status %d, %v", status, err)
		}
	})
	<-arrived
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	posting.Wait()
}

func TestSinkProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		s, err := NewSink(SinkOptions{Progress: &lines})
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		var reporting sync.WaitGroup
		reporting.Go(func() { s.report(served) })
		s.requests.Store(1500)
		s.bytes.Store(1_536_000)
		time.Sleep(3500 * time.Millisecond) // two seconds of silence, which are not told
		s.requests.Add(1)
		time.Sleep(time.Second)
		close(served)
		reporting.Wait()
		want := "       1,500 requests      1,500/s  1,536,000 bytes\n       1,501 requests          1/s  1,536,000 bytes\n"
		if diff := cmp.Diff(want, lines.String()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPrintable(t *testing.T) {
	f := func(in string, lines bool, want string) {
		t.Helper()
		if got := string(appendPrintable(nil, []byte(in), lines)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	f("plain é 漢", false, "plain é 漢")
	f("a\nb\tc\r", true, "a\nb\tc\\r")
	f("a\nb", false, `a\nb`)
	f("\x00\x1b\x7f\u202e", true, `\x00\x1b\x7f\u202e`)
	f("\xc3", true, `\xc3`)
}

func TestPushLoop(t *testing.T) {
	noneLeft(t)
	s, addr := newTestSink(t, SinkOptions{})
	r, err := PushLoop(t.Context(), PushLoopOptions{Target: "http://" + addr + "/x", Conns: 4, Count: 100, Duration: time.Minute})
	if err != nil || r.Pushed != 100 || r.Errors != 0 || s.Requests() != 100 || s.Bytes() != 100*1024 {
		t.Errorf("%+v, %v; the sink has %d requests", r, err, s.Requests())
	}
	if !strings.HasPrefix(r.String(), "pushed 100, ") {
		t.Error(r)
	}
	before := s.Requests()
	r, err = PushLoop(t.Context(), PushLoopOptions{Target: "http://" + addr, Conns: 2, Duration: 30 * time.Millisecond})
	if err != nil || r.Pushed == 0 || r.Pushed != s.Requests()-before {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPushLoopErrors(t *testing.T) {
	_, addr := newTestSink(t, SinkOptions{Status: 500})
	r, err := PushLoop(t.Context(), PushLoopOptions{Target: "http://" + addr, Conns: 1, Count: 5})
	if err != nil || r.Pushed != 0 || r.Errors != 5 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := PushLoop(t.Context(), PushLoopOptions{Count: -1}); err == nil {
		t.Error("no error for a negative count")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := PushLoop(ctx, PushLoopOptions{Target: "http://" + addr}); err != nil || r.Pushed != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
