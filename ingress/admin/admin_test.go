package admin

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func serve(t *testing.T, opts Options) (*Server, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(opts)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := errors.Join(s.Shutdown(context.Background()), <-served); err != nil {
			t.Error(err)
		}
	})
	return s, "http://" + ln.Addr().String()
}

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s was cut off: %v", url, err)
	}
	return res.StatusCode, body
}

// Every profile the documentation names is there, as what happened within the seconds asked for, and whole.
func TestProfilesOfSomeSeconds(t *testing.T) {
	_, url := serve(t, Options{Metrics: http.NotFoundHandler()})
	for _, path := range []string{"profile", "heap", "allocs", "mutex", "block", "goroutine", "threadcreate"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			status, body := get(t, url+"/debug/pprof/"+path+"?seconds=1")
			if status != http.StatusOK {
				t.Fatalf("status %d: %s", status, body)
			}
			if took := time.Since(begin); took < time.Second {
				t.Errorf("answered after %v: not a profile of one second", took)
			}
			r, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if raw, err := io.ReadAll(r); err != nil || len(raw) == 0 {
				t.Errorf("%d bytes, %v", len(raw), err)
			}
		})
	}
}

// net/http refuses a profile that the write timeout would cut off, and a server without one serves any length.
func TestNoTimeoutCutsProfiles(t *testing.T) {
	s := New(Options{Metrics: http.NotFoundHandler()})
	if s.http.WriteTimeout != 0 || s.http.ReadTimeout != 0 {
		t.Errorf("timeouts: write %v, read %v", s.http.WriteTimeout, s.http.ReadTimeout)
	}
}

func TestReadiness(t *testing.T) {
	failure := errors.New("the disk is full")
	var err error
	s, url := serve(t, Options{
		Ready:   func() error { return err },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") }),
	})
	f := func(path string, wantStatus int, wantBody string) {
		t.Helper()
		if status, body := get(t, url+path); status != wantStatus || string(body) != wantBody {
			t.Errorf("%s: %d %q, want %d %q", path, status, body, wantStatus, wantBody)
		}
	}
	f("/healthz", http.StatusOK, "ok\n")
	f("/metrics", http.StatusOK, "metrics")
	f("/readyz", http.StatusOK, "ready\n")
	err = failure
	f("/readyz", http.StatusServiceUnavailable, "the disk is full\n")
	f("/healthz", http.StatusOK, "ok\n")
	err = nil
	s.Drain()
	f("/readyz", http.StatusServiceUnavailable, "draining\n")
}
