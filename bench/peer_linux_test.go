package bench

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// peerSuite is a suite of stand-ins with a sink.
func peerSuite(t *testing.T) (*suite, *bytes.Buffer) {
	t.Helper()
	s := testSuite(t)
	sink, err := s.start(t.Context(), "sink", "--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.stop)
	var out bytes.Buffer
	s.sink, s.opts.Runs, s.opts.Duration, s.opts.Warmup, s.opts.Out = sink, 2, 50*time.Millisecond, 20*time.Millisecond, &out
	return s, &out
}

// peersEnded fails the test if a peer is still there. It returns how many there were.
func peersEnded(t *testing.T, s *suite) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "*", "pid-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s: process %d is still there: %v", file, pid, err)
		}
	}
	return len(files)
}

func TestPeers(t *testing.T) {
	s, out := peerSuite(t)
	s.opts.Peers = fakePeers(t)
	rows := s.peers(t.Context())
	var names []string
	for _, row := range rows {
		names = append(names, row.Name)
		if row.Name == "Fanfare, sns, memory" && strings.HasPrefix(row.Failure, "nothing was published: status 404: no such path") {
			continue // the stand-in of Fanfare knows no SNS
		}
		if row.Failure != "" || row.Group != groupPeers || row.Note == "" || len(row.Runs) != 2 || row.Errors != 0 ||
			row.Engine.Min <= 0 || row.PerSecond.Min <= 0 || row.P50.Min <= 0 {
			t.Errorf("%+v", row)
		}
	}
	const want = "nsqd and nsq_to_http, goaws, Fanfare, native, Fanfare, sns, memory, " +
		"nats-server, JetStream, nats-server, JetStream, synced, Fanfare, native, publish alone"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if n := peersEnded(t, s); n != 5 {
		t.Errorf("%d peers ran, want nsqd, nsq_to_http, goaws and two nats-servers", n)
	}
	// In turns: no row's second run is before another's first.
	first, _, _ := strings.Cut(out.String(), "run 2 of 2")
	if n := strings.Count(first, "run 1 of 2"); n != 6 {
		t.Errorf("%d rows had a first run before one had a second:\n%s", n, out)
	}
}

func TestPeersNone(t *testing.T) {
	s, out := peerSuite(t)
	if rows := s.peers(t.Context()); len(rows) > 0 || out.Len() > 0 {
		t.Errorf("%+v\n%s", rows, out)
	}
	s.opts.Peers, s.opts.Rows = fakePeers(t), "publish smq"
	if rows := s.peers(t.Context()); len(rows) > 0 {
		t.Errorf("%+v", rows)
	}
	s.opts.Rows = ""
	s.opts.Peers.GoAWS, s.opts.Peers.NATSServer, s.opts.Peers.NSQToHTTP = "", "", "" // nsqd alone pushes nothing
	if rows := s.peers(t.Context()); len(rows) > 0 {
		t.Errorf("%+v", rows)
	}
}

func TestPeersThatDoNotWork(t *testing.T) {
	s, _ := peerSuite(t)
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho out of cheese\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.opts.Peers = Peers{GoAWS: broken, NATSServer: "/nonexistent/nats-server"}
	s.opts.Rows = "a" // of every name
	want := map[string]string{
		"goaws":                          "bench: start broken: ended at once: out of cheese",
		"nats-server, JetStream":         "bench: start nats-server: fork/exec /nonexistent",
		"nats-server, JetStream, synced": "bench: start nats-server: fork/exec /nonexistent",
	}
	for _, row := range s.peers(t.Context()) {
		if part, ok := want[row.Name]; ok && !strings.Contains(row.Failure, part) {
			t.Errorf("%s: %q, want %q", row.Name, row.Failure, part)
		}
		delete(want, row.Name)
	}
	if len(want) > 0 {
		t.Errorf("no rows for %v", want)
	}
}

func TestPeersEndWithTheContext(t *testing.T) {
	s, _ := peerSuite(t)
	s.opts.Peers = Peers{NATSServer: fakePeers(t).NATSServer}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.opts.Out = writerFunc(func([]byte) { cancel() }) // at the first run's line
	rows := s.peers(ctx)
	if len(rows) != 1 || len(rows[0].Runs) != 1 || rows[0].Failure != "" {
		t.Errorf("%+v", rows)
	}
	if n := peersEnded(t, s); n != 2 {
		t.Errorf("%d peers ran, want 2", n)
	}
}

func TestFindPeers(t *testing.T) {
	fakes := fakePeers(t)
	t.Setenv("PATH", filepath.Dir(fakes.NSQD))
	if got := FindPeers(Peers{}); got != fakes {
		t.Errorf("%+v, want %+v", got, fakes)
	}
	if got := FindPeers(Peers{GoAWS: "mine"}); got.GoAWS != "mine" || got.NSQD != fakes.NSQD {
		t.Errorf("%+v", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := FindPeers(Peers{NSQD: "mine"}); got != (Peers{NSQD: "mine"}) {
		t.Errorf("%+v", got)
	}
}

func TestNATSConn(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go natsSession(nc)
		}
	}()
	f := func(subject, want string) {
		t.Helper()
		c, err := dialNATS(t.Context(), ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		for range 2 {
			err = errors.Join(err, c.request(t.Context(), subject, []byte("a body")))
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", subject, err, want)
		}
	}
	f("bench", "")
	f("full", "full: no space")
	f("garbled", `the answer "x"`)
	f("refused", "-ERR 'Permissions Violation'")
	f("huge", "99999999999")
	ctx, cancel := context.WithCancel(t.Context())
	c, err := dialNATS(ctx, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	cancel()
	if err := c.request(ctx, "bench", nil); err == nil {
		t.Error("a request after the context")
	}
}

// The suite itself measures them, behind the rows.
func TestSuiteWithPeers(t *testing.T) {
	s := testSuite(t)
	dir := t.TempDir()
	r, err := Suite(t.Context(), SuiteOptions{
		Executable: s.opts.Executable, Runs: 1, Duration: 50 * time.Millisecond, Warmup: 20 * time.Millisecond, Dir: dir,
		Rows: "JetStream", Peers: Peers{NATSServer: fakePeers(t).NATSServer},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) > 0 || len(r.Peers) != 2 || r.Peers[0].Failure != "" || r.Failed() != nil {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
