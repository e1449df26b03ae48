package sns

import (
	"testing"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// recorder is an egress that keeps what it is handed.
type recorder struct{ messages chan *engine.Message }

func (r *recorder) Check(c *engine.SubscriptionConfig) error                   { return New(Options{}).Check(c) }
func (r *recorder) Open(*engine.Subscription, engine.Progress) engine.Receiver { return nil }
func (r *recorder) Update(*engine.Subscription)                                {}
func (r *recorder) Close(*engine.Subscription)                                 {}
func (r *recorder) Dispatch(m *engine.Message)                                 { m.Retain(); r.messages <- m }

func (r *recorder) Due(*engine.Subscription, *engine.Message, int, engine.TimerKey) bool {
	return false
}

// push publishes a message on a fresh engine and returns the encoder of a subscription and the committed message.
func push(t *testing.T, opts Options, envelope string, labels map[string]string, fill func(m *engine.Message)) (egress.Encoder, *engine.Message) {
	t.Helper()
	store, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Store: store, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{messages: make(chan *engine.Message, 1)}
	if err := e.Attach(r); err != nil {
		t.Fatal(err)
	}
	e.Start()
	t.Cleanup(func() {
		e.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	at, _, err := e.CreateTopic("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := e.PutSubscription(at, engine.SubscriptionConfig{
		Name: "c9135db0-26c4-47ec-8998-413945fb5a96", Kind: "sns", Endpoint: "http://127.0.0.1:9/hook", Envelope: envelope, Labels: labels,
	})
	if err != nil {
		t.Fatal(err)
	}
	m := engine.NewMessage()
	m.SetID(engine.MessageID{0x22, 0xb8, 0x0b, 0x92, 0xfd, 0xea, 0x4c, 0x2c, 0x8f, 0x9d, 0xbd, 0xfb, 0x0c, 0x7b, 0xf3, 0x24})
	m.SetPublishedAt(1_767_323_045_678)
	fill(m)
	if err := e.Publish(at, m); err != nil {
		t.Fatal(err)
	}
	m.Release()
	m = <-r.messages
	t.Cleanup(m.Release)
	return New(opts).Compile(s), m
}
