package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/rs/zerolog"
)

// failing is a file system whose syncs of the write-ahead log fail with an error while it is set.
type failing struct {
	mu     sync.Mutex
	err    error
	opened bool // fail the opening of the store too
	hits   int
}

func (f *failing) set(err error, opened bool) {
	f.mu.Lock()
	f.err, f.opened = err, opened
	f.mu.Unlock()
}

func (f *failing) String() string { return "failing syncs" }

func (f *failing) MaybeError(op errorfs.Op) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	sync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileFlush
	if f.err != nil && (sync && strings.HasSuffix(op.Path, ".log") || f.opened && op.Kind == errorfs.OpList) {
		f.hits++
		return f.err
	}
	return nil
}

// inProcess runs a house inside the test.
type inProcess struct {
	*house
	t   testing.TB
	url string
	end func() error
}

// openHouseFor opens a house that is closed at the end of the test.
func openHouseFor(t *testing.T, c *config) *house {
	t.Helper()
	h, err := openHouse(c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func startHouse(t testing.TB, change func(*config)) *inProcess {
	t.Helper()
	c := defaultConfig()
	c.Listen, c.Admin, c.Data = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	change(c)
	h, err := openHouse(c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx, func() (*config, error) { return c, nil }) }()
	p := &inProcess{house: h, t: t, url: "http://" + h.listen.Addr().String()}
	p.end = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = p.end() })
	return p
}

func (p *inProcess) ask(method, url, body string) (int, string) {
	p.t.Helper()
	status, reply, err := request(http.DefaultClient, method, url, body)
	if err != nil {
		p.t.Fatal(err)
	}
	return status, reply
}

func (p *inProcess) ready() (int, string) {
	return p.ask(http.MethodGet, "http://"+p.manage.Addr().String()+"/readyz", "")
}

// until polls what another goroutine brings about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(60 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatal("it never came to that: " + what)
		}
	}
}

// A sync that fails stops the accepting, is seen on /readyz, and the store is opened anew in the same process:
// with everything acknowledged, and without a success for what was not saved.
func TestFailedSyncReopensTheStore(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		t.Run(errno.Error(), func(t *testing.T) {
			disk := &failing{}
			p := startHouse(t, func(c *config) { c.storeFS = errorfs.Wrap(vfs.Default, disk) })
			sub := newSubscriber(t)
			publish := func(body string) int {
				status, _ := p.ask(http.MethodPost, p.url+messagesPath, body)
				return status
			}
			p.ask(http.MethodPut, p.url+topicPath, "")
			p.ask(http.MethodPut, p.url+subscriptionPath, webhookTo(sub.URL))
			want := map[string]bool{}
			for round := range 3 {
				body := fmt.Sprint("before ", round)
				if status := publish(body); status != http.StatusCreated {
					t.Fatalf("round %d: status %d", round, status)
				}
				want[body] = true
				disk.set(errno, true)
				for i := range 5 {
					if status := publish(fmt.Sprint("unsaved ", round, i)); status != http.StatusServiceUnavailable {
						t.Errorf("a publish while syncs fail: status %d", status)
					}
				}
				if status, reply := p.ready(); status != http.StatusServiceUnavailable || !strings.Contains(reply, errno.Error()) {
					t.Errorf("/readyz while syncs fail: %d %s", status, reply)
				}
				disk.set(nil, false)
				until(t, "ready again", func() bool { status, _ := p.ready(); return status == http.StatusOK })
				body = fmt.Sprint("after ", round)
				if status := publish(body); status != http.StatusCreated {
					t.Errorf("a publish behind the reopening: status %d", status)
				}
				want[body] = true
			}
			sub.waitForAll(t, want)
			if n := p.reopened.Load(); n < 3 {
				t.Errorf("reopened %d times, want at least 3", n)
			}
			if disk.hits == 0 {
				t.Error("no fault was injected")
			}
			if err := p.end(); err != nil {
				t.Errorf("the end: %v", err)
			}
		})
	}
}

// A process that is told to end while its store cannot be opened ends.
func TestEndWhileTheStoreIsBroken(t *testing.T) {
	disk := &failing{}
	p := startHouse(t, func(c *config) { c.storeFS = errorfs.Wrap(vfs.Default, disk) })
	p.ask(http.MethodPut, p.url+topicPath, "")
	disk.set(syscall.EIO, true)
	p.ask(http.MethodPost, p.url+messagesPath, "unsaved")
	until(t, "attempts to open it anew", func() bool {
		disk.mu.Lock()
		defer disk.mu.Unlock()
		return disk.hits > 3
	})
	if err := p.end(); err != nil {
		t.Errorf("the end: %v", err)
	}
}
