package pebblestore_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// gate holds every sync of the log until it is let through: a disk that takes as long as the test likes.
type gate struct {
	closed  atomic.Bool
	waiting atomic.Int64
	pass    chan struct{}
}

func (g *gate) judge(op, base string) error {
	if op == "sync" && fileKind(base) == "log" && g.closed.Load() {
		g.waiting.Add(1)
		<-g.pass
		g.waiting.Add(-1)
	}
	return nil
}

// nobody is an egress without subscribers.
type nobody struct{}

func (nobody) Check(*engine.SubscriptionConfig) error                     { return nil }
func (nobody) Open(*engine.Subscription, engine.Progress) engine.Receiver { return nil }
func (nobody) Update(*engine.Subscription)                                {}
func (nobody) Close(*engine.Subscription)                                 {}
func (nobody) Dispatch(*engine.Message)                                   {}
func (nobody) Due(*engine.Subscription, *engine.Message, engine.Parked) bool {
	return true
}

// While a sync takes its time nobody is answered with success, only so many wait, and the others are told to come again
// at once; when it ends, exactly those who waited are answered, and what they published is in the store.
func TestSlowDisk(t *testing.T) {
	g := &gate{pass: make(chan struct{})}
	mem := vfs.NewCrashableMem()
	fs := &faultFS{FS: mem}
	s := open(t, pebblestore.Options{Dir: "store", FS: fs, FreeBytesMin: -1})
	e, err := engine.New(engine.Options{Store: s, Shards: 1, RingSlots: 8, GroupMessagesMax: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(nobody{}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	topic, _, err := e.CreateTopic("slow", nil)
	if err != nil {
		t.Fatal(err)
	}
	fs.set(g.judge)
	total := uint64(0)
	for round := range 5 {
		total += slowRound(t, e, topic, g)
		if got := uint64(topic.High()); got != total {
			t.Fatalf("round %d: %d messages are in the topic, %d were acknowledged", round, got, total)
		}
	}
	fs.set(nil)
	after := mem.CrashClone(vfs.CrashCloneCfg{})
	e.Close()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s = open(t, pebblestore.Options{Dir: "store", FS: after, FreeBytesMin: -1})
	defer s.Close()
	if high, err := s.HighWater(topic.ID); uint64(high) != total || err != nil {
		t.Errorf("behind a power cut there are %d messages, %d were acknowledged; %v", high, total, err)
	}
}

// slowRound publishes more than there is room for while the disk hangs, and returns how many were acknowledged.
func slowRound(t *testing.T, e *engine.Engine, topic *engine.Topic, g *gate) uint64 {
	t.Helper()
	const publishers = 40
	g.closed.Store(true)
	var acknowledged, busy, other atomic.Int64
	var wg sync.WaitGroup
	for i := range publishers {
		wg.Go(func() {
			m := engine.NewMessage()
			defer m.Release()
			m.Set(engine.FieldBody, fmt.Append(nil, i))
			switch err := e.Publish(topic, m); {
			case err == nil:
				acknowledged.Add(1)
			case errors.Is(err, engine.ErrBusy):
				busy.Add(1)
			default:
				other.Add(1)
			}
		})
	}
	eventually(t, "a sync that hangs and publishers that were sent away", func() bool {
		return g.waiting.Load() == 1 && busy.Load() >= publishers-8
	})
	// It goes on hanging: nothing may change meanwhile.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 20 {
		<-tick.C
		if acknowledged.Load() != 0 {
			t.Error("a publish was acknowledged while its sync hangs")
		}
	}
	g.closed.Store(false)
	close(g.pass)
	within(t, time.Minute, "a publisher", wg.Wait)
	g.pass = make(chan struct{})
	if acknowledged.Load()+busy.Load() != publishers || acknowledged.Load() == 0 || acknowledged.Load() > 8 {
		t.Errorf("%d were acknowledged, %d sent away, %d answered otherwise, of %d with room for 8", acknowledged.Load(), busy.Load(), other.Load(), publishers)
	}
	return uint64(acknowledged.Load())
}

// Syncs that take between nothing and 50 ms: no wait ends before a sync that began behind its Apply has ended.
func TestNoWaitEndsBeforeItsSync(t *testing.T) {
	fs := &faultFS{FS: vfs.NewMem()}
	s := open(t, small(fs))
	defer s.Close()
	var begun, ended atomic.Int64
	fs.set(func(op, base string) error {
		if op == "sync" && fileKind(base) == "log" {
			n := begun.Add(1)
			<-time.After(time.Duration(n*7%50) * time.Millisecond) // the slow disk itself
			ended.Add(1)
		}
		return nil
	})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			b := s.NewBatch()
			for i := range 10 {
				b.Reset()
				b.SaveProgress(engine.SubscriptionID(w+1), fmt.Append(nil, i))
				before := ended.Load()
				if err := errors.Join(b.Apply(true), b.Wait()); err != nil {
					t.Error(err)
				}
				if ended.Load() == before {
					t.Error("a wait ended before any sync did")
				}
			}
		})
	}
	wg.Wait()
}
