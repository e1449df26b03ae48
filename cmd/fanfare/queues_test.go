package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

const declaredQueues = `
queues:
  - name: orders
  - name: quick.fifo
    fifo: {by_content: true}
    visibility: 0s
    delay: 5s
    retention: 1h
    receive_wait: 20s
    message_max: 64KiB
    dead_letters: {queue: failed.fifo, receives: 3}
  - name: failed.fifo
    fifo: {}
topics:
  - name: events.fifo
    fifo: {per_group: true}
`

func TestQueuesOfTheFile(t *testing.T) {
	c, err := loadText(t, declaredQueues)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]engine.QueueConfig, 0, len(c.Queues))
	for i := range c.Queues {
		got = append(got, c.Queues[i].engine())
	}
	failed := engine.NewQueueConfig("failed.fifo")
	failed.FIFO = &engine.FIFO{}
	want := []engine.QueueConfig{engine.NewQueueConfig("orders"), {
		Name: "quick.fifo", FIFO: &engine.FIFO{ByContent: true}, Delay: 5 * time.Second, Retention: time.Hour, ReceiveWait: 20 * time.Second,
		MessageMax: 64 << 10, DeadLetters: engine.QueueRedrive{Queue: "failed.fifo", Receives: 3},
	}, failed}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&engine.FIFO{PerGroup: true}, c.Topics[0].FIFO.engine()); diff != "" {
		t.Errorf("topic (-want +got):\n%s", diff)
	}
	wantLoadsAgain(t, c)
}

func TestFaultsOfQueues(t *testing.T) {
	f := func(text string, want ...string) { t.Helper(); wantFaults(t, text, want...) }
	f("queues: [{name: a}, {name: a}]", `FILE:1: queues[1].name: "a" is declared twice`)
	f("queues: [{visibility: 1s}]", `FILE: queues[0].name: must be 1 to 256 letters, digits, '-', '_', '.', '%' or '|'`)
	f("queues:\n  - name: a\n    visibility: 13h\n    delay: -1s\n    retention: 0s\n    receive_wait: 21s\n    message_max: 0",
		"FILE:3: queues[0].visibility: must be between 0s and 12h0m0s", "FILE:4: queues[0].delay: must be between 0s and 15m0s",
		"FILE:5: queues[0].retention: must be between 1m0s and 336h0m0s", "FILE:6: queues[0].receive_wait: must be between 0s and 20s",
		"FILE:7: queues[0].message_max: must be between 1024 and 1048576 bytes")
	f("queues: [{name: a, dead_letters: {queue: b}}]", "FILE: queues[0].dead_letters.receives: must be between 1 and 1000")
	f("queues: [{name: a, dead_letters: {receives: 1}}]", "FILE: queues[0].dead_letters.queue: is not the name of a queue")
	f("queues: [{name: a, dead_letters: {queue: a, receives: 1}}]", "FILE:1: queues[0].dead_letters.queue: is the queue itself")
	f("queues: [{name: a, dead_letters: {queue: b, receives: 1}}, {name: b, fifo: {}}]",
		"FILE:1: queues[0].dead_letters.queue: must be FIFO if the queue is, and must not if it is not")
	f("queues: [{name: a, fifo: true}]", "FILE:1: queues[0].fifo: must be a mapping of keys to values")
	f("queues: [{name: a, fifo: {by_contents: true}}]", "FILE:1: queues[0].fifo.by_contents: is not a known key; known here: by_content, per_group")
	f("queues: [{name: a, fifo: }]", "FILE:1: queues[0].fifo: has no value")
	f("limits: {queues: 0, receivers: -1}", "FILE:1: limits.queues: must be between 1 and 16777216", "FILE:1: limits.receivers: must be between 1 and 16777216")
}

// Declared queues and FIFO topics are made at the start and changed when the file is read again; what an API set beside
// them stays, and so does a queue that is not declared any more.
func TestDeclaredQueuesAreApplied(t *testing.T) {
	load := func(text string) (*config, error) { return loadText(t, text) }
	c, err := load(declaredQueues)
	if err != nil {
		t.Fatal(err)
	}
	p := startHouse(t, func(into *config) { into.Queues, into.Topics = c.Queues, c.Topics })
	e := p.core.Load().engine
	quick := e.Queue([]byte("quick.fifo"))
	if quick == nil || e.Queue([]byte("orders")) == nil || e.Topic([]byte("events.fifo")).Config().FIFO == nil {
		t.Fatal("not everything that is declared was made")
	}
	if err := e.UpdateQueue(quick, func(c *engine.QueueConfig) { c.Labels = map[string]string{"team": "a"} }); err != nil {
		t.Fatal(err)
	}
	applied := func(text string) error {
		t.Helper()
		n, err := load(text)
		if err != nil {
			t.Fatal(err)
		}
		return p.core.Load().declare(n)
	}
	before := quick.Config()
	if err := applied(declaredQueues); err != nil || quick.Config() != before {
		t.Errorf("the same again: %v, and the settings were written anew: %v", err, quick.Config() != before)
	}
	changed := strings.NewReplacer("  - name: orders\n", "", "delay: 5s", "delay: 6s", "{by_content: true}", "{per_group: true}",
		"    fifo: {per_group: true}", "    fifo: {by_content: true}").Replace(declaredQueues)
	if err := applied(changed); err != nil {
		t.Fatal(err)
	}
	got := quick.Config()
	if got.Delay != 6*time.Second || *got.FIFO != (engine.FIFO{PerGroup: true}) || got.Labels["team"] != "a" || got.CreatedAt != before.CreatedAt {
		t.Errorf("the settings are %+v", got)
	}
	if fifo := e.Topic([]byte("events.fifo")).Config().FIFO; *fifo != (engine.FIFO{ByContent: true}) {
		t.Errorf("the topic finds duplicates by %+v", fifo)
	}
	if e.Queue([]byte("orders")) == nil {
		t.Error("a queue that is not declared any more is gone")
	}
	for _, text := range []string{"queues: [{name: quick.fifo}]", "topics: [{name: events.fifo}]", "queues: [{name: orders, fifo: {}}]"} {
		if err := applied(text); !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), "fifo: cannot be changed") {
			t.Errorf("%s: %v, want an error that says it cannot be changed", text, err)
		}
	}
}

// A store that is opened anew has the queues that were loaded last.
func TestReopenedStoreKeepsReloadedQueues(t *testing.T) {
	c := defaultConfig()
	c.Listen, c.Admin, c.Data, c.Durability = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), string(engine.DurabilityMemory)
	h := openHouseFor(t, c)
	h.reload(func() (*config, error) {
		n, err := loadText(t, "queues: [{name: orders}]")
		if err != nil {
			return nil, err
		}
		r := *c
		r.Queues = n.Queues
		return &r, nil
	})
	if !h.reopen(context.Background()) {
		t.Fatal("the store was not opened anew")
	}
	if h.core.Load().engine.Queue([]byte("orders")) == nil {
		t.Error("the store that was opened anew has no queue")
	}
}

// sendTo sends a message to a queue.
func sendTo(t *testing.T, e *engine.Engine, q *engine.Queue, body string) {
	t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	m.Set(engine.FieldBody, []byte(body))
	if err := e.Publish(q.Topic(), m); err != nil {
		t.Fatal(err)
	}
}

// receiveFrom receives up to ten messages.
func receiveFrom(t *testing.T, q *engine.Queue) (texts []string, receipts []engine.Receipt) {
	t.Helper()
	got, err := q.Receive(engine.ReceiveRequest{Max: 10, Visibility: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		texts = append(texts, fmt.Sprintf("%s %d", r.Message.Body(), r.Receives))
		receipts = append(receipts, r.Receipt)
		r.Message.Release()
	}
	return texts, receipts
}

func TestMetricsOfQueues(t *testing.T) {
	c, err := loadText(t, "queues: [{name: a, visibility: 0s, dead_letters: {queue: b, receives: 2}}, {name: b}]")
	if err != nil {
		t.Fatal(err)
	}
	p := startHouse(t, func(into *config) { into.Queues = c.Queues })
	e := p.core.Load().engine
	q := e.Queue([]byte("a"))
	for i := range 4 {
		sendTo(t, e, q, fmt.Sprint(i))
	}
	_, receipts := receiveFrom(t, q)
	errs := make([]error, 1)
	if q.Delete(receipts[:1], errs); errs[0] != nil {
		t.Fatal(errs[0])
	}
	receiveFrom(t, q) // the last time of the other three
	receiveFrom(t, q)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = q.Receive(engine.ReceiveRequest{Max: 1, Wait: 20 * time.Second}, nil)
	}()
	until(t, "a receiver waits", func() bool { return e.Stats().Receivers == 1 })
	_, metrics := p.ask(http.MethodGet, "http://"+p.manage.Addr().String()+"/metrics", "")
	for _, line := range []string{
		"fanfare_queues 2", "fanfare_queue_received_total 7", "fanfare_queue_deleted_total 1", "fanfare_queue_moved_total 3",
		"fanfare_queue_expired_total 0", "fanfare_receivers_waiting 1", "fanfare_queues_held_bytes ",
	} {
		if !strings.Contains(metrics, "\n"+line) {
			t.Errorf("the metrics have no %q", line)
		}
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
	<-gone
}

// A store with queues goes through check, export and import, and its messages are received from the new one.
func TestQueuesAreCheckedAndMoved(t *testing.T) {
	base := t.TempDir()
	dir, moved, file := filepath.Join(base, "data"), filepath.Join(base, "moved"), filepath.Join(base, "export")
	c, err := loadText(t, "queues: [{name: jobs, visibility: 12h}]")
	if err != nil {
		t.Fatal(err)
	}
	p := startHouse(t, func(into *config) { into.Data, into.Queues = dir, c.Queues })
	e := p.core.Load().engine
	q := e.Queue([]byte("jobs"))
	for i := range 12 {
		sendTo(t, e, q, fmt.Sprint(i))
	}
	_, receipts := receiveFrom(t, q)
	errs := make([]error, 9)
	if q.Delete(receipts[:9], errs); errors.Join(errs...) != nil {
		t.Fatal(errors.Join(errs...))
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	report, err := pebblestore.Check(pebblestore.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := printReport(&text, report); err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(text.String())
	if at := strings.Join(fields, " "); !strings.Contains(at, "QUEUE MESSAGES BYTES RECEIVED SCHEDULED LAST jobs 3 ") || !strings.Contains(at, " 1 0 12 ") || !report.Sound() {
		t.Errorf("the report is\n%s", &text)
	}
	if err := (&exportCommand{Data: dir, File: file}).Run(); err != nil {
		t.Fatal(err)
	}
	if err := (&importCommand{Data: moved, File: file}).Run(); err != nil {
		t.Fatal(err)
	}
	p = startHouse(t, func(into *config) { into.Data = moved })
	q = p.core.Load().engine.Queue([]byte("jobs"))
	if got := q.Counts(); got != (engine.QueueCounts{Visible: 2, InFlight: 1}) {
		t.Errorf("the counts are %+v, want 2 visible and 1 in flight", got)
	}
	texts, _ := receiveFrom(t, q)
	if diff := cmp.Diff([]string{"10 1", "11 1"}, texts); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

// What memory is shared out to is no more than there is.
func TestSharesOfMemory(t *testing.T) {
	for _, memory := range []byteCount{memoryMin, 256 << 20, 1 << 30, 64 << 30} {
		c := defaultConfig()
		c.Memory = memory
		o := c.engineOptions(nil, zerolog.Nop())
		sum := int64(o.WaitingBytesMax*o.Shards+o.QueueMemoryMax) + c.egressOptions(nil, zerolog.Nop()).MemoryBytes + int64(memory/8) + 4*c.memtableBytes()
		if o.QueueMemoryMax < int(memory/32) || sum > int64(memory)*7/8 {
			t.Errorf("of %s, %d bytes are for queues and %d given away", mustText(memory), o.QueueMemoryMax, sum)
		}
	}
}
