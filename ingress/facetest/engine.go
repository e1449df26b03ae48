package facetest

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Recorder is an egress that keeps a description of every message it is handed. Every kind, envelope and
// endpoint is fine with it.
type Recorder struct {
	mu       sync.Mutex
	messages []string
	notified []string
	quiet    bool // count only
	count    int
}

// Check accepts every subscription.
func (r *Recorder) Check(*engine.SubscriptionConfig) error { return nil }

// Open returns the recorder itself.
func (r *Recorder) Open(*engine.Subscription, engine.Progress) engine.Receiver { return r }

// Update does nothing.
func (r *Recorder) Update(*engine.Subscription) {}

// Close does nothing.
func (r *Recorder) Close(*engine.Subscription) {}

// Offer does nothing: Dispatch has seen the message.
func (r *Recorder) Offer(*engine.Message) {}

// Rewind has nothing to set back.
func (r *Recorder) Rewind(next engine.Sequence) (engine.Sequence, error) { return next, nil }

// State has nothing to report.
func (r *Recorder) State() engine.LaneState { return engine.LaneState{State: "live"} }

// Dispatch records the message.
func (r *Recorder) Dispatch(m *engine.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	if !r.quiet {
		r.messages = append(r.messages, Describe(m))
	}
}

// Due records a message of the subscription protocol.
func (r *Recorder) Due(s *engine.Subscription, m *engine.Message, _ engine.Parked) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notified = append(r.notified, s.Name()+"\n"+Describe(m))
	m.Release()
	return true
}

// Messages returns the descriptions of the messages so far, in the order of their commit.
func (r *Recorder) Messages() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.messages...)
}

// Notified returns the descriptions of the messages of the subscription protocol so far.
func (r *Recorder) Notified() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.notified...)
}

// Describe renders what a face made of a request, one field a line. Id, sequence and publish time differ
// from run to run and are left out; the other times are given relative to the publish.
func Describe(m *engine.Message) string {
	var b strings.Builder
	line := func(name string, value []byte) { fmt.Fprintf(&b, "%s: %q\n", name, value) }
	fmt.Fprintf(&b, "topic: %s\n", m.Topic().Name())
	names := map[engine.Field]string{
		engine.FieldBody: "body", engine.FieldSubject: "subject", engine.FieldTag: "tag", engine.FieldKeys: "keys",
		engine.FieldGroup: "group", engine.FieldDeduplicationID: "deduplication", engine.FieldStructure: "structure",
		engine.FieldContentType: "content-type", engine.FieldToken: "token", engine.FieldTrace: "trace", engine.FieldSource: "source",
	}
	for f := engine.FieldBody; f <= engine.FieldSource; f++ {
		if m.Has(f) {
			line(names[f], m.Get(f))
		}
	}
	for it := m.Attributes(); it.Next(); {
		value := fmt.Sprintf("%q", it.Value)
		if it.Binary {
			value = hex.EncodeToString(it.Value)
		}
		fmt.Fprintf(&b, "attribute: %q %q %s\n", it.Name, it.Type, value)
	}
	if at := m.DeliverAt(); at != 0 {
		fmt.Fprintf(&b, "deliver-at: %d\n", at)
	}
	if at := m.ExpiresAt(); at != 0 {
		fmt.Fprintf(&b, "expires: %d ms after the publish\n", at-m.PublishedAt())
	}
	return b.String()
}

// NewEngine returns a running engine over a store; nil means an embedded store in memory. Both are closed
// at the end of the test.
func NewEngine(t testing.TB, store engine.Store, egress engine.Egress) *engine.Engine {
	t.Helper()
	if store == nil {
		var err error
		if store, err = pebblestore.Open(pebblestore.Options{Dir: "store", FS: vfs.NewMem()}); err != nil {
			t.Fatal(err)
		}
	}
	e, err := engine.New(engine.Options{Store: store, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(egress); err != nil {
		t.Fatal(err)
	}
	e.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { e.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		run.Wait()
		e.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}
