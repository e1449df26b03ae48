package main

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/alecthomas/kong"
)

// Without being asked for, nothing is recorded of locks and waits; a server that is asked does.
func TestProfilingOfLocksAndWaits(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		wants bool
	}{
		"default": {nil, false},
		"flags":   {[]string{"--profiling-mutex-fraction", "1", "--profiling-block-rate-ns", "1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProgram(t, append(c.args, "--durability", "memory")...)
			p.call(http.MethodPut, topicPath, "", http.StatusCreated)
			p.call(http.MethodPost, messagesPath, "hello", http.StatusCreated)
			res, err := http.Get(p.admin + "/debug/pprof/block?debug=1")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if recorded := bytes.Contains(text, []byte("sync.")) || bytes.Contains(text, []byte("runtime.selectgo")); recorded != c.wants {
				t.Errorf("recorded: %v, want %v:\n%s", recorded, c.wants, text)
			}
		})
	}
}

// A flag of 0 switches off what the environment switched on.
func TestProfilingFlagsPrecede(t *testing.T) {
	t.Setenv("FANFARE_PROFILING_MUTEX_FRACTION", "7")
	t.Setenv("FANFARE_PROFILING_BLOCK_RATE_NS", "1000")
	var flags struct {
		Serve serveCommand `cmd:""`
	}
	if _, err := kong.Must(&flags).Parse([]string{"serve", "--profiling-block-rate-ns", "0"}); err != nil {
		t.Fatal(err)
	}
	c, err := flags.Serve.load()
	if err != nil {
		t.Fatal(err)
	}
	if want := (profilingConfig{MutexFraction: 7}); c.Profiling != want {
		t.Errorf("%+v, want %+v", c.Profiling, want)
	}
}
