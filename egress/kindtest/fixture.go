package kindtest

import (
	"maps"
	"net"
	"sync"
	"testing"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/memstore"
)

// Fixture is an engine with one subscription, for tests of what an Encoder renders. Nothing is pushed.
type Fixture struct {
	Subscription *engine.Subscription
	engine       *engine.Engine
	sink         *sink
}

// sink is an egress that keeps what it is handed.
type sink struct {
	egress.Kind
	messages chan *engine.Message
}

func (s *sink) Open(*engine.Subscription, engine.Progress) engine.Receiver { return nil }
func (s *sink) Update(*engine.Subscription)                                {}
func (s *sink) Close(*engine.Subscription)                                 {}
func (s *sink) Dispatch(m *engine.Message)                                 { m.Retain(); s.messages <- m }

func (s *sink) Due(*engine.Subscription, *engine.Message, engine.Parked) bool { return false }

// NewFixture returns a fixture for a subscription of the kind. What the configuration leaves out is the kind's.
func NewFixture(t testing.TB, kind egress.Kind, topic string, config engine.SubscriptionConfig) *Fixture {
	t.Helper()
	return NewFixtureOn(t, kind, engine.TopicConfig{Name: topic}, config)
}

// NewFixtureOn is NewFixture for a topic with more than a name.
func NewFixtureOn(t testing.TB, kind egress.Kind, topic engine.TopicConfig, config engine.SubscriptionConfig) *Fixture {
	t.Helper()
	e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{kind, make(chan *engine.Message, 1)}
	if err := e.Attach(s); err != nil {
		t.Fatal(err)
	}
	e.Start()
	t.Cleanup(e.Close)
	at, _, err := e.CreateTopicWith(topic)
	if err != nil {
		t.Fatal(err)
	}
	config.Kind = kind.Name()
	sub, _, err := e.PutSubscription(at, config)
	if err != nil {
		t.Fatal(err)
	}
	return &Fixture{sub, e, s}
}

// Label adds labels to the topic, as a face keeps its attributes.
func (f *Fixture) Label(t testing.TB, labels map[string]string) {
	t.Helper()
	if err := f.engine.UpdateTopic(f.Subscription.Topic, func(all map[string]string) { maps.Copy(all, labels) }); err != nil {
		t.Fatal(err)
	}
}

// Commit publishes a message, of an id and a time that are always the same, and returns it as it was committed.
// Valid until the end of the test.
func (f *Fixture) Commit(t testing.TB, fill func(m *engine.Message)) *engine.Message {
	t.Helper()
	m := engine.NewMessage()
	m.SetID(engine.MessageID{0x22, 0xb8, 0x0b, 0x92, 0xfd, 0xea, 0x4c, 0x2c, 0x8f, 0x9d, 0xbd, 0xfb, 0x0c, 0x7b, 0xf3, 0x24})
	m.SetPublishedAt(1_767_323_045_678)
	fill(m)
	if err := f.engine.Publish(f.Subscription.Topic, m); err != nil {
		t.Fatal(err)
	}
	m.Release()
	m = <-f.sink.messages
	t.Cleanup(m.Release)
	return m
}

// Listen starts a raw endpoint and returns its URL: serve is called with every connection, in a goroutine of its own.
// All are closed at the end of the test.
func Listen(t testing.TB, serve func(net.Conn)) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return "http://" + ln.Addr().String()
}
