package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// receiverBytesMax is what a client that waits for a message may add to the live memory: the connection with its
	// buffers and its goroutine, and its place among those who wait.
	receiverBytesMax = 48 << 10
	// receiverSpare is how many goroutines there may be beside one for each connection.
	receiverSpare = 50
)

// Very many clients wait for messages of one queue at a time. Each costs a bounded piece of memory and one goroutine, that
// of its connection; then there is a message for each, and each gets one. What was sent is not given to those who have gone.
func TestWaitingReceivers(t *testing.T) {
	n := 1_000
	if longForm() {
		n = 10_000
	}
	p := startProgram(t, "--data", t.TempDir())
	// What a receiver gets stays hidden for longer than the test takes: a message that was given to nobody would be missed.
	p.sqs("CreateQueue", `{"QueueName":"jobs","Attributes":{"VisibilityTimeout":"43200"}}`)
	before := p.live()

	w := newWaiters(t, p)
	gone := make([]net.Conn, 0, n/10)
	for range n / 10 {
		gone = append(gone, w.dial())
	}
	for range n {
		w.wait(t)
	}
	waiting := float64(n + len(gone))
	p.waitFor("fanfare_connections_open", func(open float64) bool { return open >= waiting })
	during := p.live()
	each := (during.bytes - before.bytes) / waiting
	for _, conn := range gone {
		_ = conn.Close()
	}
	t.Logf("%d waiting receivers: %.0f bytes each, %.0f goroutines for all, peak memory %d MiB", n+len(gone), each, during.goroutines, peakMemory(t, p.cmd.Process.Pid)>>20)
	if each > receiverBytesMax {
		t.Errorf("a waiting receiver takes %.0f bytes, at most %d are stated", each, receiverBytesMax)
	}
	if most := waiting + before.goroutines + receiverSpare; during.goroutines > most {
		t.Errorf("%.0f goroutines, at most %.0f are stated", during.goroutines, most)
	}

	for from := 0; from < n; from += 10 {
		entries := make([]string, 0, 10)
		for i := from; i < from+10; i++ {
			entries = append(entries, fmt.Sprintf(`{"Id":"%d","MessageBody":"job %d"}`, i, i))
		}
		p.sqs("SendMessageBatch", `{"QueueUrl":"`+p.url+`/000000000000/jobs","Entries":[`+strings.Join(entries, ",")+`]}`)
	}
	w.all.Wait()
	if failed := w.failed.Load(); failed != nil {
		t.Fatal(*failed)
	}
	if len(w.got) != n {
		t.Errorf("%d receivers got %d different messages", n, len(w.got))
	}
	for body, times := range w.got {
		if times != 1 {
			t.Errorf("%q was received %d times", body, times)
		}
	}
	if err := p.terminate(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, p.output)
	}
}

// receiverWait is the longest wait a receiver can ask for.
const receiverWait = 20 * time.Second

// waiters are clients that wait for one message each.
type waiters struct {
	program *program
	all     sync.WaitGroup
	failed  atomic.Pointer[string] // why the first one that failed did

	mu  sync.Mutex
	got map[string]int // messages by body; guarded by mu
}

// newWaiters returns none yet. All there will be have ended when the test has.
func newWaiters(t *testing.T, p *program) *waiters {
	w := &waiters{program: p, got: map[string]int{}}
	t.Cleanup(w.all.Wait)
	return w
}

// request is what a receiver asks.
func (w *waiters) request() string {
	body := fmt.Sprintf(`{"QueueUrl":"%s/000000000000/jobs","MaxNumberOfMessages":1,"WaitTimeSeconds":%d}`, w.program.url, int(receiverWait.Seconds()))
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: %d\r\n\r\n%s",
		strings.TrimPrefix(w.program.url, "http://"), len(body), body)
}

// dial makes a connection on which a receiver waits.
func (w *waiters) dial() net.Conn {
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.program.url, "http://"))
	if err == nil {
		_, err = io.WriteString(conn, w.request())
	}
	if err != nil {
		w.program.t.Fatal(err)
	}
	return conn
}

// wait begins to wait; when the time is over without a message it asks again.
func (w *waiters) wait(t testing.TB) {
	conn := w.dial()
	t.Cleanup(func() { _ = conn.Close() })
	w.all.Go(func() {
		for r := bufio.NewReaderSize(conn, 2<<10); ; {
			done, err := w.read(r)
			if err == nil && !done {
				_, err = io.WriteString(conn, w.request())
			}
			if err != nil {
				text := err.Error()
				w.failed.CompareAndSwap(nil, &text)
			}
			if done || err != nil {
				return
			}
		}
	})
}

var errRefused = errors.New("a receive was refused")

// read takes an answer, and reports whether no other is wanted.
func (w *waiters) read(r *bufio.Reader) (done bool, err error) {
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	var reply struct {
		Messages []struct{ Body string }
	}
	if err := json.NewDecoder(res.Body).Decode(&reply); err != nil {
		return false, err
	}
	if res.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%w: status %d", errRefused, res.StatusCode)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range reply.Messages {
		w.got[m.Body]++
	}
	return len(reply.Messages) > 0, nil
}

// sqs makes a call of the queues' API.
func (p *program) sqs(action, input string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/", strings.NewReader(input))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: status %d: %s, %v", action, res.StatusCode, reply, err)
	}
}

// figure is the value of a metric without labels.
func (p *program) figure(name string) float64 {
	p.t.Helper()
	for line := range strings.Lines(p.metrics()) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				p.t.Fatalf("%s: %v", name, err)
			}
			return value
		}
	}
	p.t.Fatalf("there is no metric %s", name)
	return 0
}

// waitFor looks at a metric until it is as it should be.
func (p *program) waitFor(name string, is func(float64) bool) {
	p.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(time.Minute)
	for {
		value := p.figure(name)
		if is(value) {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			p.t.Fatalf("%s is %v", name, value)
		}
	}
}

// liveFigures are what a process holds behind a collection.
type liveFigures struct{ bytes, goroutines float64 }

func (p *program) live() liveFigures {
	p.t.Helper()
	if status, _, err := request(http.DefaultClient, http.MethodGet, p.admin+"/debug/pprof/heap?gc=1", ""); err != nil || status != http.StatusOK {
		p.t.Fatalf("a collection: status %d, %v", status, err)
	}
	return liveFigures{
		bytes:      p.figure("go_memstats_heap_alloc_bytes") + p.figure("go_memstats_stack_inuse_bytes"),
		goroutines: p.figure("go_goroutines"),
	}
}
