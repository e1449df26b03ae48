package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary is the program under test; TestMain builds it.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	// The SDKs look at these, and everything here is on the loopback interface.
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "MNS_GLOBAL_PROXY"} {
		_ = os.Unsetenv(name)
		_ = os.Unsetenv(strings.ToLower(name))
	}
	dir, err := os.MkdirTemp("", "fanfare-conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "fanfare")
	build := exec.Command("go", "build", "-o", binary, "./cmd/fanfare")
	build.Dir = ".."
	build.Env = append(os.Environ(), "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// program is a running fanfare.
type program struct {
	t     testing.TB
	url   string // of the faces
	cmd   *exec.Cmd
	ended chan struct{}

	mu  sync.Mutex
	log []string // guarded by mu
}

// start starts a program on ports of the kernel's choice, with a store of its own.
func start(t testing.TB) *program {
	t.Helper()
	return startOn(t, t.TempDir())
}

// startWith starts a program with a configuration file.
func startWith(t testing.TB, config string) *program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fanfare.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return startOn(t, t.TempDir(), "--config", file)
}

// startOn starts a program on a store that may hold something already, and waits until it listens.
func startOn(t testing.TB, data string, args ...string) *program {
	t.Helper()
	p := &program{t: t, ended: make(chan struct{})}
	p.cmd = exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data}, args...)...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go p.read(stderr, listening)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", p.logged())
		}
	})
	select {
	case address := <-listening:
		p.url = "http://" + address
	case <-p.ended:
		t.Fatal("the program ended at its start")
	case <-time.After(time.Minute):
		t.Fatal("the program did not say that it listens")
	}
	return p
}

// read follows the program's log until its end.
func (p *program) read(stderr io.Reader, listening chan<- string) {
	defer close(p.ended)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var line struct{ Message, Listen string }
		_ = json.Unmarshal(lines.Bytes(), &line) // a line of another form says nothing about the port
		if line.Message == "listening" {
			listening <- line.Listen
		}
		p.mu.Lock()
		p.log = append(p.log, lines.Text())
		p.mu.Unlock()
	}
	_ = p.cmd.Wait()
}

// logged returns the end of the program's log.
func (p *program) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log[max(0, len(p.log)-40):], "\n")
}

// kill ends the program with SIGKILL: it has no chance to save anything.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// address is host:port of the faces.
func (p *program) address() string { return strings.TrimPrefix(p.url, "http://") }

// call makes a request of the native API and returns the reply, which must have one of the statuses.
func (p *program) call(method, path, body string, statuses ...int) string {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, status := range statuses {
		if res.StatusCode == status {
			return string(reply)
		}
	}
	p.t.Fatalf("%s %s: status %d, want %v: %s", method, path, res.StatusCode, statuses, reply)
	return ""
}

// topic makes a topic through the native API.
func (p *program) topic(name string) {
	p.t.Helper()
	p.call("PUT", "/v1/topics/"+name, "", http.StatusCreated)
}

// settings of a subscription, as the native API takes them.
type settings struct {
	Kind      string `json:"kind"`
	Endpoint  string `json:"endpoint"`
	Envelope  string `json:"envelope,omitempty"`
	FilterTag string `json:"filter_tag,omitempty"`
	Retry     *retry `json:"retry,omitempty"`
}

type retry struct {
	MinDelay string `json:"min_delay"`
	MaxDelay string `json:"max_delay"`
}

// subscribe makes a subscription through the native API.
func (p *program) subscribe(topic, name string, s settings) {
	p.t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		p.t.Fatal(err)
	}
	p.call("PUT", "/v1/topics/"+topic+"/subscriptions/"+name, string(body), http.StatusCreated)
}

// get follows a link, as a subscriber does that confirms, and returns the body of the 200.
func get(t testing.TB, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", url, res.StatusCode, body)
	}
	return string(body)
}
