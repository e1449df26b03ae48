package main

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

// Ten thousand idle connections are held, and publishers are served beside them.
func TestIdleConnections(t *testing.T) {
	idle := 10_000
	if testing.Short() {
		idle = 1_000
	}
	p := startProgram(t, "--data", t.TempDir())
	p.call(http.MethodPut, topicPath, "", http.StatusCreated)
	conns := make([]net.Conn, 0, idle)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range idle {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatalf("connection %d: %v", len(conns)+1, err)
		}
		conns = append(conns, c)
	}
	for range 200 {
		p.call(http.MethodPost, messagesPath, "x", http.StatusCreated)
	}
	peak := peakMemory(t, p.cmd.Process.Pid)
	t.Logf("%d idle connections, peak memory %d MiB", idle, peak>>20)
	if peak > memoryMax {
		t.Errorf("peak memory %d MiB, at most %d MiB are stated", peak>>20, memoryMax>>20)
	}
}
