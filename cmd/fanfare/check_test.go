package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fanfare/engine/pebblestore"
)

// status runs the program and returns what it printed and its exit status.
func status(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	output, err := runProgram(args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return output, exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return output, 0
}

// files returns the names and contents of a directory's files.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

// A store goes from a server through check, export and import to another server, which delivers what the first did not.
func TestCheckExportImport(t *testing.T) {
	base := t.TempDir()
	dir, moved, file := filepath.Join(base, "data"), filepath.Join(base, "moved"), filepath.Join(base, "export")
	sub := newSubscriber(t)
	p := startProgram(t, "--data", dir)
	p.call(http.MethodPut, topicPath, "", http.StatusCreated)
	closed := newSubscriber(t)
	closed.Close()
	p.call(http.MethodPut, subscriptionPath, webhookTo(closed.URL), http.StatusCreated)
	want := map[string]bool{}
	for i := range 20 {
		body := fmt.Sprint("message ", i)
		p.call(http.MethodPost, messagesPath, body, http.StatusCreated)
		want[body] = true
	}
	if out, code := status(t, "check", "--data", dir); code != 2 || !contains(out, "in use by another process") {
		t.Errorf("check beside a server: status %d, want 2\n%s", code, out)
	}
	if out, code := status(t, "export", "--data", dir, file); code != 1 || !contains(out, "in use by another process") {
		t.Errorf("export beside a server: status %d, want 1\n%s", code, out)
	}
	p.kill()
	before := files(t, dir)
	out, code := status(t, "check", "--data", dir)
	if code != 0 || !contains(out, "orders") || !contains(out, "sound") {
		t.Errorf("check: status %d, want 0\n%s", code, out)
	}
	out, code = status(t, "check", "--json", "--data", dir)
	var report pebblestore.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 {
		t.Fatalf("check --json: status %d, %v\n%s", code, err, out)
	}
	if len(report.Subscriptions) != 1 || report.Subscriptions[0].Owed+report.Subscriptions[0].Scheduled != 20 {
		t.Errorf("the report is %+v, want 20 messages, each owed or scheduled", report)
	}
	if out, code := status(t, "export", "--data", dir, file); code != 0 || !contains(out, "exported 1 topics, ") {
		t.Fatalf("export: status %d\n%s", code, out)
	}
	for name, content := range files(t, dir) {
		if before[name] != content {
			t.Errorf("%s was changed by check or export", name)
		}
	}
	if out, code := status(t, "export", "--data", dir, file); code != 1 || !contains(out, "exists") {
		t.Errorf("export over a file: status %d, want 1\n%s", code, out)
	}
	importCases(t, base, dir, moved, file)
	p = startProgram(t, "--data", moved)
	p.call(http.MethodPut, subscriptionPath, webhookTo(sub.URL), http.StatusOK)
	sub.waitForAll(t, want)
}

// importCases ends with an import into the directory moved.
func importCases(t *testing.T, base, dir, moved, file string) {
	t.Helper()
	if out, code := status(t, "import", "--data", dir, file); code != 1 || !contains(out, "is not empty") {
		t.Errorf("import over a store: status %d, want 1\n%s", code, out)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(base, "cut")
	if err := os.WriteFile(cut, whole[:len(whole)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := status(t, "import", "--data", moved, cut); code != 1 || !contains(out, "cut off") {
		t.Errorf("import of a file without its last byte: status %d, want 1\n%s", code, out)
	}
	if left, _ := filepath.Glob(moved + "*"); len(left) != 0 {
		t.Errorf("a failed import left %v", left)
	}
	if out, code := status(t, "import", "--data", moved, file); code != 0 || !contains(out, "imported 1 topics, ") {
		t.Fatalf("import: status %d\n%s", code, out)
	}
}

func TestCheckStatus(t *testing.T) {
	if out, code := status(t, "check", "--data", filepath.Join(t.TempDir(), "nothing")); code != 2 {
		t.Errorf("check of nothing: status %d, want 2\n%s", code, out)
	}
	dir := filepath.Join(t.TempDir(), "data")
	p := startProgram(t, "--data", dir)
	p.call(http.MethodPut, topicPath, "", http.StatusCreated)
	p.kill()
	for name := range files(t, dir) {
		if filepath.Ext(name) == ".log" {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if out, code := status(t, "check", "--data", dir); code != 1 || !contains(out, "DAMAGED") || !contains(out, "is missing") {
		t.Errorf("check of a store without its log: status %d, want 1\n%s", code, out)
	}
}
