package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary is the program itself when this variable is set: the tests start, kill and start again
// what the build made.
const asProgram = "FANFARE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a running fanfare.
type program struct {
	t      testing.TB
	cmd    *exec.Cmd
	url    string // of the faces
	admin  string // of the admin listener
	output *bytes.Buffer
	ended  chan struct{}
	err    error // how it ended; after ended
}

// startProgram starts a server and waits until it listens.
func startProgram(t testing.TB, args ...string) *program {
	t.Helper()
	p := &program{t: t, output: &bytes.Buffer{}, ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...)
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan bool, 1)
	var mu sync.Mutex
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			var line struct{ Message, Listen, Admin string }
			_ = json.Unmarshal(lines.Bytes(), &line)
			mu.Lock()
			fmt.Fprintln(p.output, lines.Text())
			if line.Message == "listening" {
				p.url, p.admin = "http://"+line.Listen, "http://"+line.Admin
			}
			mu.Unlock()
			if line.Message == "listening" {
				listening <- true
			}
		}
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	select {
	case <-listening:
	case <-p.ended:
		t.Fatalf("the server ended at its start: %v\n%s", p.err, p.output)
	case <-time.After(60 * time.Second):
		t.Fatal("the server did not say that it listens")
	}
	return p
}

// kill ends the program as a power switch would, as far as the process goes.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// terminate asks the program to end and returns how it did.
func (p *program) terminate() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.ended
	return p.err
}

// call makes a request and fails the test unless the status is the wanted one.
func (p *program) call(method, path, body string, want int) string {
	p.t.Helper()
	status, reply, err := request(http.DefaultClient, method, p.url+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if status != want {
		p.t.Fatalf("%s %s: status %d, want %d: %s", method, path, status, want, reply)
	}
	return reply
}

func request(c *http.Client, method, url, body string) (status int, reply string, err error) {
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// subscriber is an endpoint that counts what it acknowledged, by body.
type subscriber struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]int
	wake chan struct{}
}

func newSubscriber(t testing.TB) *subscriber {
	s := &subscriber{seen: map[string]int{}, wake: make(chan struct{}, 1)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.seen[string(b)]++
		s.mu.Unlock()
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// waitForAll blocks until everything wanted was acknowledged, and returns how often something came twice.
func (s *subscriber) waitForAll(t testing.TB, want map[string]bool) (doubles int) {
	t.Helper()
	timeout := time.After(2 * time.Minute)
	for {
		missing := 0
		s.mu.Lock()
		for body := range want {
			if s.seen[body] == 0 {
				missing++
			}
		}
		s.mu.Unlock()
		if missing == 0 {
			break
		}
		select {
		case <-s.wake:
		case <-timeout:
			t.Fatalf("%d of %d acknowledged messages never arrived", missing, len(want))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.seen {
		doubles += n - 1
	}
	return doubles
}

const (
	topicPath        = "/v1/topics/orders"
	subscriptionPath = topicPath + "/subscriptions/s"
	messagesPath     = topicPath + "/messages"
)

func webhookTo(url string) string { return fmt.Sprintf(`{"kind":"webhook","endpoint":%q}`, url) }
