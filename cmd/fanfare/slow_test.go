package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// memoryMax is what a server may take that has a hanging subscriber and 100,000 messages of 1 KiB to
// keep for it: the store's write buffers and cache, the rings, and the lanes' windows.
const memoryMax = 256 << 20

// One subscriber of the topic accepts and never answers, another is well. The good one gets everything as
// fast as without its neighbour, and the memory stays bounded.
func TestHangingSubscriberCostsNobody(t *testing.T) {
	messages := 100_000
	if testing.Short() {
		messages = 9_600 // a multiple of the publishers
	}
	alone := deliverAll(t, messages, false)
	beside := deliverAll(t, messages, true)
	t.Logf("%d messages: alone %v, beside a hanging subscriber %v", messages, alone, beside)
	// Wide, since the machine may be busy with something else in one of the halves.
	if beside > 2*alone {
		t.Errorf("beside a hanging subscriber it took %v, alone %v", beside, alone)
	}
}

// deliverAll publishes messages of 1 KiB and returns how long it took until the good subscriber had all.
func deliverAll(t *testing.T, messages int, hanging bool) time.Duration {
	const publishers = 32
	sub := newCounter(t, messages)
	p := startProgram(t, "--data", t.TempDir())
	p.call(http.MethodPut, topicPath, "", http.StatusCreated)
	p.call(http.MethodPut, subscriptionPath, webhookTo(sub.URL), http.StatusCreated)
	if hanging {
		p.call(http.MethodPut, topicPath+"/subscriptions/hanging", webhookTo(hangingEndpoint(t)), http.StatusCreated)
	}
	body := strings.Repeat("x", 1024)
	begin := time.Now()
	var wg sync.WaitGroup
	for range publishers {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for range messages / publishers {
				status, reply, err := request(client, http.MethodPost, p.url+messagesPath, body)
				if err != nil || status != http.StatusCreated {
					t.Errorf("publish: %d %s %v", status, reply, err)
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case <-sub.all:
	case <-time.After(2 * time.Minute):
		t.Fatalf("%d of %d messages arrived", sub.count(), messages)
	}
	took := time.Since(begin)
	peak := peakMemory(t, p.cmd.Process.Pid)
	t.Logf("hanging %v: peak memory %d MiB", hanging, peak>>20)
	if peak > memoryMax {
		t.Errorf("peak memory %d MiB, at most %d MiB are stated", peak>>20, memoryMax>>20)
	}
	p.kill()
	return took
}

// peakMemory is the largest resident size the process had.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kb int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	t.Fatal("the process has no VmHWM")
	return 0
}

// hangingEndpoint accepts, reads and never answers.
func hangingEndpoint(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_, _ = io.Copy(io.Discard, c) // ends when the program is killed
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return "http://" + ln.Addr().String() + "/"
}
