package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/valyala/fasthttp"
)

// quotaFS is a file system with so much room, whatever the disk below has.
type quotaFS struct {
	vfs.FS
	mu    sync.Mutex
	quota int64            // guarded by mu
	used  int64            // guarded by mu
	sizes map[string]int64 // guarded by mu
	short int              // guarded by mu: writes that found no room
}

func newQuotaFS(quota int64) *quotaFS {
	return &quotaFS{FS: vfs.Default, quota: quota, sizes: map[string]int64{}}
}

func (q *quotaFS) grow(by int64) {
	q.mu.Lock()
	q.quota += by
	q.mu.Unlock()
}

// take reserves room for a write to a file.
func (q *quotaFS) take(name string, n int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.used+int64(n) > q.quota {
		q.short++
		return syscall.ENOSPC
	}
	q.used += int64(n)
	q.sizes[name] += int64(n)
	return nil
}

func (q *quotaFS) give(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.used -= q.sizes[name]
	delete(q.sizes, name)
}

func (q *quotaFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return vfs.DiskUsage{AvailBytes: uint64(max(0, q.quota-q.used)), TotalBytes: uint64(q.quota), UsedBytes: uint64(q.used)}, nil
}

func (q *quotaFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := q.FS.Create(name, c)
	q.give(name)
	return &quotaFile{f, q, name}, err
}

// ReuseForWrite begins a recycled log as if it were new.
func (q *quotaFS) ReuseForWrite(oldName, newName string, c vfs.DiskWriteCategory) (vfs.File, error) {
	q.give(oldName)
	if err := q.FS.Remove(oldName); err != nil {
		return nil, err
	}
	return q.Create(newName, c)
}

func (q *quotaFS) Remove(name string) error {
	err := q.FS.Remove(name)
	if err == nil {
		q.give(name)
	}
	return err
}

func (q *quotaFS) Rename(oldName, newName string) error {
	err := q.FS.Rename(oldName, newName)
	if err == nil {
		q.give(newName)
		q.mu.Lock()
		q.sizes[newName] = q.sizes[oldName]
		delete(q.sizes, oldName)
		q.mu.Unlock()
	}
	return err
}

func (q *quotaFS) Unwrap() vfs.FS { return q.FS }

type quotaFile struct {
	vfs.File
	q    *quotaFS
	name string
}

func (f *quotaFile) Write(p []byte) (int, error) {
	if err := f.q.take(f.name, len(p)); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *quotaFile) Preallocate(int64, int64) error { return nil }

// publishUntil publishes messages of 16 KiB until one is not accepted, and returns those that were.
func publishUntil(t *testing.T, url string, most int) (accepted map[string]bool, refused int, reply string) {
	t.Helper()
	accepted = map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := 0
	client := &fasthttp.Client{MaxConnsPerHost: 64}
	defer client.CloseIdleConnections()
	for range 16 {
		wg.Go(func() {
			req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(req)
			defer fasthttp.ReleaseResponse(res)
			req.Header.SetMethod(http.MethodPost)
			for {
				mu.Lock()
				i := next
				next++
				stop := refused > 0 || i >= most
				mu.Unlock()
				if stop {
					return
				}
				name := fmt.Sprintf("%06d", i)
				req.SetRequestURI(url + messagesPath)
				req.SetBodyRaw(append([]byte(name), noise(uint64(i), 16<<10)...))
				err := client.Do(req, res)
				mu.Lock()
				if err == nil && res.StatusCode() == http.StatusCreated {
					accepted[name] = true
				} else if refused = res.StatusCode(); err != nil {
					reply = err.Error()
				} else {
					reply = string(res.Body())
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return accepted, refused, reply
}

// noise is what no compression makes smaller.
func noise(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 0, size+8)
	for len(b) < size {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b
}

// names collects the first six bytes of what arrives.
type names struct {
	mu   sync.Mutex
	seen map[string]bool
	open bool
}

func (n *names) serve(ctx *fasthttp.RequestCtx) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.open {
		ctx.SetStatusCode(http.StatusServiceUnavailable)
		return
	}
	n.seen[string(ctx.PostBody()[:min(6, len(ctx.PostBody()))])] = true
}

func (n *names) missing(want map[string]bool) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range want {
		if !n.seen[name] {
			count++
		}
	}
	return count
}

// The disk is full for a while. With a floor of free space publishes are refused before it comes to that, deliveries
// go on and make room, and accepting resumes by itself. Without one a write fails, and the store is opened anew
// when there is room. In both everything acknowledged arrives, without a restart.
func TestFullDisk(t *testing.T) {
	for _, floor := range []byteCount{32 << 20, 0} {
		t.Run("floor="+mustText(floor), func(t *testing.T) {
			disk := newQuotaFS(160 << 20)
			p := startHouse(t, func(c *config) {
				c.storeFS, c.Memory, c.Limits.FreeBytes = disk, memoryMin, floor
				c.RetryScale = 0.05
			})
			got := &names{seen: map[string]bool{}}
			url := serveFast(t, got.serve)
			p.ask(http.MethodPut, p.url+topicPath, "")
			p.ask(http.MethodPut, p.url+subscriptionPath, webhookTo(url))
			want, refused, reply := publishUntil(t, p.url, 40_000)
			t.Logf("%d messages of 16 KiB accepted, then %d %s", len(want), refused, strings.TrimSpace(reply))
			if refused != http.StatusServiceUnavailable || !strings.Contains(reply, `"unavailable"`) {
				t.Fatalf("on the full disk: %d %s", refused, reply)
			}
			if len(want) < 1000 {
				t.Errorf("only %d messages were accepted", len(want))
			}
			if status, text := p.ready(); status != http.StatusServiceUnavailable || !strings.Contains(text, "free") && !strings.Contains(text, "space") {
				t.Errorf("/readyz on the full disk: %d %s", status, text)
			}
			if floor == 0 {
				disk.grow(64 << 20) // somebody makes room: the store cannot be opened before
			} else if disk.short > 0 {
				t.Errorf("%d writes found no room in spite of the floor", disk.short)
			}
			got.mu.Lock()
			got.open = true
			got.mu.Unlock()
			until(t, "everything accepted arrives", func() bool { return got.missing(want) == 0 })
			until(t, "messages are accepted again", func() bool {
				status, _ := p.ask(http.MethodPost, p.url+messagesPath, "000000 again")
				return status == http.StatusCreated
			})
			if status, text := p.ready(); status != http.StatusOK {
				t.Errorf("/readyz with room again: %d %s", status, text)
			}
		})
	}
}
