package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// install brings the packages of node/package-lock.json to node/node_modules, once.
var install = sync.OnceValue(func() error {
	lock, err := os.ReadFile(filepath.Join("node", "package-lock.json"))
	if err != nil {
		return err
	}
	// What is installed is what the lock of the last installation said.
	mark := filepath.Join("node", "node_modules", ".fanfare-lock")
	if installed, err := os.ReadFile(mark); err == nil && bytes.Equal(installed, lock) {
		return nil
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	npm.Dir = "node"
	if output, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, output)
	}
	return os.WriteFile(mark, lock, 0o644)
})

// step is one call of an SDK for Node.js: an operation that the program in node/ knows, and its arguments.
type step map[string]any

// outcome is what a step ended in: a value, or an error.
type outcome struct {
	Value json.RawMessage `json:"value"`
	Error *nodeError      `json:"error"`
}

// nodeError is an error as the SDKs throw it: what they know of it.
type nodeError struct {
	Name    string `json:"name"`
	Code    string `json:"code"`
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// nodeProgram is one of the programs in node/ with what it is told.
type nodeProgram struct {
	file string
	url  string   // of the faces
	env  []string // beside the environment of the test
}

// run runs the program, which performs the steps in their order, and returns their outcomes.
func (n nodeProgram) run(t testing.TB, steps ...step) []outcome {
	t.Helper()
	if err := install(); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "--no-deprecation", n.file, n.url)
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), n.env...)
	cmd.Stdin = bytes.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("node %s: %v\n%s%s", n.file, err, stdout.String(), stderr.String())
	}
	var outcomes []outcome
	if err := json.Unmarshal(stdout.Bytes(), &outcomes); err != nil || len(outcomes) != len(steps) {
		t.Fatalf("node %s printed %q for %d steps: %v\n%s", n.file, stdout.String(), len(steps), err, stderr.String())
	}
	return outcomes
}

// decode reads the value of a step that must have succeeded.
func decode[T any](t testing.TB, what string, o outcome) T {
	t.Helper()
	var v T
	if o.Error != nil {
		t.Fatalf("%s: %+v", what, *o.Error)
	}
	if err := json.Unmarshal(o.Value, &v); err != nil {
		t.Fatalf("%s: %v: %s", what, err, o.Value)
	}
	return v
}

// failed returns the error of a step that must have failed.
func failed(t testing.TB, what string, o outcome) nodeError {
	t.Helper()
	if o.Error == nil {
		t.Fatalf("%s succeeded: %s", what, o.Value)
	}
	return *o.Error
}

// TestLock sees to it that the lock names no place a package was fetched from, and has a checksum for each.
func TestLock(t *testing.T) {
	var lock struct {
		Packages map[string]struct {
			Resolved  string `json:"resolved"`
			Integrity string `json:"integrity"`
			Link      bool   `json:"link"`
		} `json:"packages"`
	}
	text, err := os.ReadFile(filepath.Join("node", "package-lock.json"))
	must(t, "read the lock", err)
	must(t, "read the lock", json.Unmarshal(text, &lock))
	if len(lock.Packages) < 5 {
		t.Fatalf("the lock has %d packages", len(lock.Packages))
	}
	for path, p := range lock.Packages {
		switch {
		case path == "":
		case p.Resolved != "":
			t.Errorf("%s is resolved to %s", path, p.Resolved)
		case p.Integrity == "", p.Link:
			t.Errorf("%s has no checksum", path)
		}
	}
}
