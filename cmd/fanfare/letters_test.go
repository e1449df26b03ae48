package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fanfare runs a command against the program, with an empty standard input, and returns what it printed and how it
// ended.
func (p *program) fanfare(args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "FANFARE_SERVER="+p.url)
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return out.String(), errors.String(), cmd.ProcessState.ExitCode()
}

// eventually runs a command until its output has the part.
func (p *program) eventually(part string, args ...string) string {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(60 * time.Second)
	for {
		out, stderr, _ := p.fanfare(args...)
		if strings.Contains(out, part) {
			return out
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%v: %q never came:\n%s%s", args, part, out, stderr)
		}
		<-tick.C
	}
}

// A subscriber refuses, its dead letters are looked at, replayed and dropped, and the subscription is set back:
// all with the commands.
func TestDeadLetterCommands(t *testing.T) {
	var up atomic.Bool
	got := make(chan string, 100)
	end := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if !up.Load() {
			w.WriteHeader(http.StatusGone)
			fmt.Fprint(w, "nobody lives here")
			return
		}
		got <- string(body)
	}))
	defer end.Close()
	want := func(bodies ...string) {
		t.Helper()
		missing := map[string]bool{}
		for _, b := range bodies {
			missing[b] = true
		}
		for len(missing) > 0 {
			select {
			case b := <-got:
				if !missing[b] {
					t.Fatalf("%q came, and was not expected", b)
				}
				delete(missing, b)
			case <-time.After(60 * time.Second):
				t.Fatalf("%v never came", missing)
			}
		}
	}
	p := startProgram(t, "--data", t.TempDir())
	p.call(http.MethodPut, topicPath, `{"retention":{"age":"1h"}}`, http.StatusCreated)
	p.call(http.MethodPut, subscriptionPath, fmt.Sprintf(`{"endpoint":%q,"answers":{"final":["410"]}}`, end.URL), http.StatusCreated)
	for _, body := range []string{"one", "two", "three", "four"} {
		p.call(http.MethodPost, messagesPath, body, http.StatusCreated)
	}
	p.eventually("\n4  ", "deadletters", "list", "orders", "s")
	table, _, _ := p.fanfare("deadletters", "list", "orders", "s", "--limit", "2")
	if lines := strings.Split(strings.TrimSpace(table), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "SEQUENCE") ||
		!strings.Contains(lines[1], "refused") || !strings.Contains(lines[1], "410") {
		t.Errorf("the table:\n%s", table)
	}
	rows, _, _ := p.fanfare("deadletters", "list", "orders", "s", "--json")
	var first struct {
		Sequence, Status int
		Reason           string
	}
	line, _, _ := strings.Cut(rows, "\n")
	if err := json.Unmarshal([]byte(line), &first); err != nil || first.Sequence != 1 || first.Status != 410 || first.Reason != "refused" {
		t.Errorf("a line of JSON: %q, %v", line, err)
	}
	if out, _, _ := p.fanfare("deadletters", "list", "orders", "s", "--reason", "max_age"); out != "" {
		t.Errorf("of another reason there are none: %s", out)
	}
	shown, _, code := p.fanfare("deadletters", "show", "orders", "s", "2")
	for _, part := range []string{"two", "refused", "nobody lives here", "410"} {
		if !strings.Contains(shown, part) {
			t.Errorf("show (%d) has no %q:\n%s", code, part, shown)
		}
	}
	if raw, _, _ := p.fanfare("deadletters", "show", "orders", "s", "2", "--raw"); raw != "two" {
		t.Errorf("the raw body is %q", raw)
	}

	if out, stderr, code := p.fanfare("deadletters", "purge", "orders", "s", "--sequence", "1"); code != 1 || out != "" || !strings.Contains(stderr, "--yes") {
		t.Errorf("a purge without a terminal and without --yes: %d %s%s", code, out, stderr)
	}
	if out, _, code := p.fanfare("deadletters", "purge", "orders", "s", "--sequence", "1", "--yes"); code != 0 || !strings.HasPrefix(out, "1 ") {
		t.Errorf("purge: %d %s", code, out)
	}
	up.Store(true)
	if out, _, _ := p.fanfare("deadletters", "replay", "orders", "s", "--sequence", "3", "--json"); out != "{\"replayed\":1}\n" {
		t.Errorf("replay of one: %s", out)
	}
	want("three")
	if out, _, _ := p.fanfare("deadletters", "replay", "orders", "s", "--status", "410", "--rate", "1000"); !strings.HasPrefix(out, "2 ") {
		t.Errorf("replay of the rest: %s", out)
	}
	want("two", "four")
	if out, stderr, code := p.fanfare("deadletters", "list", "orders", "s"); code != 0 || out != "" || stderr != "No dead letters.\n" {
		t.Errorf("behind the replay: %d %s%s", code, out, stderr)
	}

	if out, _, _ := p.fanfare("replay", "orders", "s", "--to-sequence", "2"); out != "The next message that s gets is 2.\n" {
		t.Errorf("replay: %s", out)
	}
	want("two", "three", "four")
	if out, _, _ := p.fanfare("replay", "orders", "s", "--age", "1h", "--json"); out != "{\"sequence\":1}\n" {
		t.Errorf("replay: %s", out)
	}
	want("one", "two", "three", "four")
	p.eventually("s             webhook  live", "subscriptions")
	if out, _, _ := p.fanfare("subscriptions", "orders", "--json"); !strings.Contains(out, `"state":{"state":"live","floor":4,"next":5,"high":4,"lag_messages":0`) {
		t.Errorf("subscriptions: %s", out)
	}
	if metrics := p.metrics(); !strings.Contains(metrics, "fanfare_subscriptions_live 1\n") || !strings.Contains(metrics, "fanfare_dead_letters_replayed_total 3\n") ||
		!strings.Contains(metrics, "fanfare_dead_letters_purged_total 1\n") {
		t.Errorf("the metrics do not tell:\n%s", metrics)
	}
	p.kill()
	if _, stderr, code := p.fanfare("subscriptions"); code != 1 || !strings.Contains(stderr, "is the server running") {
		t.Errorf("without a server: %d %s", code, stderr)
	}
}

func (p *program) metrics() string {
	p.t.Helper()
	status, reply, err := request(http.DefaultClient, http.MethodGet, p.admin+"/metrics", "")
	if err != nil || status != http.StatusOK {
		p.t.Fatalf("metrics: %d %v", status, err)
	}
	return reply
}

// Wrong flags end a command with 2, before any server is asked.
func TestDeadLetterFlags(t *testing.T) {
	p := &program{t: t, url: "http://127.0.0.1:1"}
	f := func(want int, part string, args ...string) {
		t.Helper()
		if out, stderr, code := p.fanfare(args...); code != want || out != "" || !strings.Contains(stderr, part) {
			t.Errorf("%v: %d %s%s", args, code, out, stderr)
		}
	}
	f(2, "say which", "deadletters", "replay", "t", "s")
	f(2, "exclude", "deadletters", "replay", "t", "s", "--all", "--status", "410")
	f(2, "exclude", "deadletters", "purge", "t", "s", "--all", "--sequence", "1")
	f(2, "say which", "deadletters", "purge", "t", "s", "--yes")
	f(2, "--rate", "deadletters", "replay", "t", "s", "--all", "--rate=-1")
	f(2, "--since", "deadletters", "list", "t", "s", "--since", "yesterday")
	f(2, "--reason", "deadletters", "list", "t", "s", "--reason", "bored")
	f(2, "say where", "replay", "t", "s")
	f(2, "say where", "replay", "t", "s", "--latest", "--earliest")
	f(2, "say where", "replay", "t", "s", "--age", "1h", "--to-sequence", "0")
	f(2, "--to-time", "replay", "t", "s", "--to-time", "noon")
	f(1, "--server", "replay", "t", "s", "--latest", "--server", "nonsense")
	f(1, "is the server running", "deadletters", "list", "t", "s")
}
