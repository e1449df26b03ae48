package engine_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
)

func queue(t *testing.T, e *engine.Engine, config engine.QueueConfig) *engine.Queue {
	t.Helper()
	q, _, err := e.CreateQueue(config)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// send sends bodies; each may begin with "GROUP:".
func send(t *testing.T, e *engine.Engine, q *engine.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		m := engine.NewMessage()
		m.Set(engine.FieldBody, []byte(body))
		if group, _, ok := strings.Cut(body, ":"); ok {
			m.Set(engine.FieldGroup, []byte(group))
		}
		if err := e.Publish(q.Topic(), m); err != nil {
			t.Fatal(err)
		}
		m.Release()
	}
}

// receive receives up to ten messages.
func receive(t *testing.T, q *engine.Queue, r engine.ReceiveRequest) (bodies []string, receipts []engine.Receipt) {
	t.Helper()
	if r.Max == 0 {
		r.Max = 10
	}
	got, err := q.Receive(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range got {
		bodies = append(bodies, fmt.Sprintf("%s/%d", g.Message.Body(), g.Receives))
		receipts = append(receipts, g.Receipt)
		g.Message.Release()
	}
	return bodies, receipts
}

func remove(t *testing.T, q *engine.Queue, receipts ...engine.Receipt) {
	t.Helper()
	errs := make([]error, len(receipts))
	q.Delete(receipts, errs)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func wantBodies(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("received (-want +got):\n%s", diff)
	}
}

// stores are the stores a queue is tested on. Each opens one again as it was.
func stores(t *testing.T) map[string]func() engine.Store {
	t.Helper()
	fs, memory := vfs.NewMem(), memstore.New(memstore.Options{})
	return map[string]func() engine.Store{
		"memory": func() engine.Store { return memory },
		"pebble": func() engine.Store {
			s, err := pebblestore.Open(pebblestore.Options{Dir: "data", FS: fs, FreeBytesMin: -1})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
}

// inQueueTime runs a test of queues on each store, in a bubble of time.
func inQueueTime(t *testing.T, run func(t *testing.T, open func() (e *engine.Engine, stop func()))) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			runtime.GC() // pooled messages carry channels of another bubble
			synctest.Test(t, func(t *testing.T) {
				run(t, func() (*engine.Engine, func()) {
					s := store()
					e, stop := begin(t, s, newTaker(nil))
					return e, sync.OnceFunc(func() {
						stop()
						if err := s.Close(); err != nil {
							t.Error(err)
						}
					})
				})
			})
			runtime.GC()
			runtime.GC()
		})
	}
}

func TestQueueReceivesAndDeletes(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		send(t, e, q, "a", "b", "c")
		got, receipts := receive(t, q, engine.ReceiveRequest{Max: 2, Visibility: -1})
		wantBodies(t, got, "a/1", "b/1")
		got, _ = receive(t, q, engine.ReceiveRequest{Visibility: time.Hour})
		wantBodies(t, got, "c/1")
		remove(t, q, receipts[0])
		remove(t, q, receipts[0]) // twice is fine
		if got := q.Counts(); got != (engine.QueueCounts{InFlight: 2}) {
			t.Fatalf("counts: %+v", got)
		}
		time.Sleep(31 * time.Second)
		if got := q.Counts(); got != (engine.QueueCounts{InFlight: 1, Visible: 1}) {
			t.Fatalf("counts behind the visibility timeout: %+v", got)
		}
		got, receipts = receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got, "b/2")
		stop()

		e, stop = open()
		defer stop()
		q = e.Queue([]byte("jobs"))
		got, _ = receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got)
		if got := q.Counts(); got != (engine.QueueCounts{InFlight: 2}) {
			t.Fatalf("counts behind the restart: %+v", got)
		}
		remove(t, q, receipts...)
		send(t, e, q, "d")
		time.Sleep(time.Hour)
		got, receipts = receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got, "c/2", "d/1")
		remove(t, q, receipts...)
		if got := q.Counts(); got != (engine.QueueCounts{}) {
			t.Fatalf("counts of an empty queue: %+v", got)
		}
		stop()

		e, stop = open()
		defer stop()
		q = e.Queue([]byte("jobs"))
		send(t, e, q, "e") // its sequence is none that was given
		time.Sleep(time.Hour)
		got, receipts = receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got, "e/1")
		if receipts[0].Sequence != 5 {
			t.Fatalf("sequence %d, want 5", receipts[0].Sequence)
		}
		bad := receipts[0]
		bad.Topic++
		errs := make([]error, 2)
		q.Delete([]engine.Receipt{bad, {Topic: q.Topic().ID, Sequence: 6}}, errs)
		if !errors.Is(errs[0], engine.ErrReceiptInvalid) || !errors.Is(errs[1], engine.ErrReceiptInvalid) {
			t.Fatal(errs)
		}
	})
}

func TestQueueChangesVisibility(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		send(t, e, q, "a", "b")
		_, receipts := receive(t, q, engine.ReceiveRequest{Visibility: -1})
		errs := make([]error, 2)
		q.ChangeVisibility(receipts, []time.Duration{0, 10 * time.Hour}, errs)
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		got, again := receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got, "a/2")
		q.ChangeVisibility(receipts[:1], []time.Duration{time.Second}, errs) // an old receipt of a standard queue is good for this
		if errs[0] != nil {
			t.Fatal(errs[0])
		}
		time.Sleep(2 * time.Second)
		q.ChangeVisibility(receipts[:1], []time.Duration{time.Hour}, errs) // and hides a message whose time is over
		if errs[0] != nil {
			t.Fatal(errs[0])
		}
		got, _ = receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got)
		remove(t, q, receipts[0]) // and for this
		q.ChangeVisibility(again, []time.Duration{time.Second}, errs)
		if !errors.Is(errs[0], engine.ErrNotInFlight) {
			t.Fatal(errs[0])
		}
		stop()
		e, stop = open()
		defer stop()
		q = e.Queue([]byte("jobs"))
		time.Sleep(9 * time.Hour)
		got, _ = receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got)
		time.Sleep(time.Hour)
		got, _ = receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got, "b/2")
	})
}

func TestQueueReceiversWait(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		defer stop()
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		begin := time.Now()
		got, _ := receive(t, q, engine.ReceiveRequest{Wait: 20 * time.Second, Visibility: -1})
		if wantBodies(t, got); time.Since(begin) != 20*time.Second {
			t.Fatalf("waited %v", time.Since(begin))
		}
		var mu sync.Mutex
		var all []string
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				got, _ := receive(t, q, engine.ReceiveRequest{Max: 1, Wait: 20 * time.Second, Visibility: time.Second})
				mu.Lock()
				all = append(all, got...)
				mu.Unlock()
			})
		}
		synctest.Wait()
		begin = time.Now()
		for i := range 49 {
			send(t, e, q, fmt.Sprint(i))
		}
		wg.Wait() // the last gets the one that becomes visible first
		if took := time.Since(begin); len(all) != 50 || took != time.Second {
			t.Fatalf("%d receivers got a message within %v", len(all), took)
		}
		slices.Sort(all)
		if n := len(slices.Compact(all)); n != 50 {
			t.Fatalf("%d of 50 receipts differ", n)
		}
		other := queue(t, e, engine.NewQueueConfig("other"))
		for _, alive := range []bool{false, true} { // the one that is not is first, and passes its message on
			wg.Go(func() {
				got, _ := receive(t, other, engine.ReceiveRequest{Max: 1, Wait: 20 * time.Second, Alive: func() bool { return alive }})
				if len(got) == 1 != alive {
					t.Errorf("alive %v: received %v", alive, got)
				}
			})
			synctest.Wait()
		}
		send(t, e, other, "x")
		wg.Wait()
	})
}

func TestQueueDelaysAndExpires(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		defer stop()
		config := engine.NewQueueConfig("jobs")
		config.Delay, config.Retention = time.Minute, time.Hour
		q := queue(t, e, config)
		send(t, e, q, "a")
		if got := q.Counts(); got != (engine.QueueCounts{Delayed: 1}) {
			t.Fatalf("counts: %+v", got)
		}
		begin := time.Now()
		for range 4 {
			if got, _ := receive(t, q, engine.ReceiveRequest{Wait: 20 * time.Second, Visibility: 0}); len(got) > 0 {
				wantBodies(t, got, "a/1")
				break
			}
		}
		if d := time.Since(begin); d < time.Minute || d > time.Minute+time.Second {
			t.Fatalf("received behind %v", d)
		}
		if got := q.Counts(); got != (engine.QueueCounts{Visible: 1}) {
			t.Fatalf("counts: %+v", got)
		}
		time.Sleep(time.Hour)
		got, _ := receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got)
		if got := q.Counts(); got != (engine.QueueCounts{}) {
			t.Fatalf("counts: %+v", got)
		}
	})
}

// What nobody receives goes all the same when it is too old, and so does what was received and forgotten.
func TestQueueSweep(t *testing.T) {
	for _, fifo := range []*engine.FIFO{nil, {}} {
		inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
			e, stop := open()
			defer stop()
			config := engine.NewQueueConfig("jobs")
			config.Retention, config.FIFO = time.Hour, fifo
			q := queue(t, e, config)
			for i := range 1000 { // more than memory keeps
				send(t, e, q, fmt.Sprintf("%d:x", i%7))
			}
			receive(t, q, engine.ReceiveRequest{Max: 5, Visibility: 10 * time.Hour})
			time.Sleep(30 * time.Minute)
			send(t, e, q, "7:late")
			time.Sleep(32 * time.Minute)
			if got := q.Counts(); got != (engine.QueueCounts{Visible: 1}) {
				t.Fatalf("counts: %+v", got)
			}
			n := 0
			time.Sleep(time.Second)
			if err := e.ReadTopic(q.Topic(), 0, q.Topic().High(), func(engine.Sequence, *engine.Message) bool { n++; return true }); err != nil || n != 1 {
				t.Fatalf("%d messages are stored: %v", n, err)
			}
			got, _ := receive(t, q, engine.ReceiveRequest{})
			wantBodies(t, got, "7:late/1")
		})
	}
}

// Large messages, of which memory keeps few, come together all the same.
func TestQueueReceivesLargeMessages(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		defer stop()
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		for range 10 {
			send(t, e, q, strings.Repeat("x", 512<<10))
		}
		if got, _ := receive(t, q, engine.ReceiveRequest{Visibility: -1}); len(got) != 10 {
			t.Fatalf("received %d of 10", len(got))
		}
	})
}

func TestQueuePurge(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		q := queue(t, e, engine.NewQueueConfig("jobs"))
		send(t, e, q, "a", "b")
		delayed := engine.NewMessage()
		delayed.Set(engine.FieldBody, []byte("delayed"))
		delayed.SetDeliverAt(delayed.PublishedAt() + 60_000)
		if err := e.Publish(q.Topic(), delayed); err != nil {
			t.Fatal(err)
		}
		delayed.Release()
		_, receipts := receive(t, q, engine.ReceiveRequest{Max: 1, Visibility: -1})
		time.Sleep(time.Second)
		if err := e.PurgeQueue(q); err != nil {
			t.Fatal(err)
		}
		remove(t, q, receipts...)
		send(t, e, q, "c")
		stop()
		e, stop = open()
		defer stop()
		q = e.Queue([]byte("jobs"))
		time.Sleep(time.Hour)
		got, _ := receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got, "c/1")
	})
}

func TestQueueRedrive(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		dead := queue(t, e, engine.NewQueueConfig("dead"))
		config := engine.NewQueueConfig("jobs")
		config.DeadLetters = engine.QueueRedrive{Queue: "dead", Receives: 2}
		q := queue(t, e, config)
		send(t, e, q, "a", "b")
		for range 2 {
			receive(t, q, engine.ReceiveRequest{Visibility: time.Second})
			time.Sleep(2 * time.Second)
		}
		got, _ := receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got)
		time.Sleep(time.Second) // both come by the timer
		got, _ = receive(t, dead, engine.ReceiveRequest{Visibility: time.Second})
		wantBodies(t, got, "a/1", "b/1")
		time.Sleep(2 * time.Second)
		stop()

		e, stop = open()
		defer stop()
		q, dead = e.Queue([]byte("jobs")), e.Queue([]byte("dead"))
		more, err := dead.Receive(engine.ReceiveRequest{Max: 1}, nil)
		if err != nil || len(more) != 1 || string(more[0].Message.Get(engine.FieldSource)) != "jobs" {
			t.Fatalf("%v: a dead letter does not say where it came from", err)
		}
		more[0].Message.Release()
		if move, err := e.StartMove(dead, engine.MoveOptions{To: "dead"}); err == nil {
			t.Fatalf("a queue is moved to itself, without end: %+v", move)
		}
		move, err := e.StartMove(dead, engine.MoveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		moves := e.Moves(dead, 10)
		if len(moves) != 1 || moves[0].ID != move.ID || moves[0].State != engine.MoveCompleted || moves[0].Moved != 2 {
			t.Fatalf("moves: %+v", moves)
		}
		got, _ = receive(t, q, engine.ReceiveRequest{})
		wantBodies(t, got, "a/1", "b/1")
		if got := dead.Counts(); got != (engine.QueueCounts{}) {
			t.Fatalf("counts: %+v", got)
		}
	})
}

// TestPurgedFIFOQueue takes what it had before the purge once more, and only once.
func TestPurgedFIFOQueue(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		config := engine.NewQueueConfig("jobs.fifo")
		config.FIFO = &engine.FIFO{ByContent: true}
		q := queue(t, e, config)
		send(t, e, q, "a:1", "a:1")
		time.Sleep(time.Second)
		if err := e.PurgeQueue(q); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		send(t, e, q, "a:1", "a:1")
		stop()

		e, stop = open()
		defer stop()
		q = e.Queue([]byte("jobs.fifo"))
		send(t, e, q, "a:1")
		got, _ := receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got, "a:1/1")
	})
}

func TestFIFOQueue(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		config := engine.NewQueueConfig("jobs.fifo")
		config.FIFO = &engine.FIFO{}
		q := queue(t, e, config)
		send(t, e, q, "a:1", "b:1", "a:2", "c:1", "a:3", "b:2")
		got, first := receive(t, q, engine.ReceiveRequest{Max: 2, Visibility: -1})
		wantBodies(t, got, "a:1/1", "a:2/1")
		got, _ = receive(t, q, engine.ReceiveRequest{Max: 1, Visibility: -1})
		wantBodies(t, got, "b:1/1")
		remove(t, q, first[0])
		got, _ = receive(t, q, engine.ReceiveRequest{Visibility: -1}) // a:2 and b:1 are in flight
		wantBodies(t, got, "c:1/1")
		stop()

		e, stop = open()
		defer stop()
		q = e.Queue([]byte("jobs.fifo"))
		got, _ = receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got)
		remove(t, q, first[1])
		got, third := receive(t, q, engine.ReceiveRequest{Visibility: time.Second})
		wantBodies(t, got, "a:3/1")
		time.Sleep(time.Minute)
		errs := make([]error, 1)
		if q.Delete(third, errs); !errors.Is(errs[0], engine.ErrReceiptExpired) {
			t.Fatalf("deleted by a receipt whose time is over: %v", errs[0])
		}
		got, all := receive(t, q, engine.ReceiveRequest{Visibility: -1})
		wantBodies(t, got, "b:1/2", "b:2/1", "c:1/2", "a:3/2")
		if q.Delete(third, errs); !errors.Is(errs[0], engine.ErrReceiptExpired) {
			t.Fatalf("deleted by an old receipt: %v", errs[0])
		}
		remove(t, q, all...)
		if got := q.Counts(); got != (engine.QueueCounts{}) {
			t.Fatalf("counts: %+v", got)
		}
	})
}

func TestDuplicates(t *testing.T) {
	inQueueTime(t, func(t *testing.T, open func() (*engine.Engine, func())) {
		e, stop := open()
		config := engine.NewQueueConfig("jobs.fifo")
		config.FIFO = &engine.FIFO{ByContent: true}
		q := queue(t, e, config)
		publish := func(body, group, id string) *engine.Message {
			t.Helper()
			m := engine.NewMessage()
			m.Set(engine.FieldBody, []byte(body))
			m.Set(engine.FieldGroup, []byte(group))
			if id != "" {
				m.Set(engine.FieldDeduplicationID, []byte(id))
			}
			if err := e.Publish(q.Topic(), m); err != nil {
				t.Fatal(err)
			}
			return m
		}
		same := func(first, m *engine.Message, duplicate bool) {
			t.Helper()
			if m.Duplicate() != duplicate || (m.ID() == first.ID()) != duplicate || (m.Sequence() == first.Sequence()) != duplicate {
				t.Fatalf("duplicate %v, want %v; sequences %d and %d", m.Duplicate(), duplicate, first.Sequence(), m.Sequence())
			}
		}
		first := publish("order 17 paid", "a", "")
		same(first, publish("order 17 paid", "b", ""), true)
		same(first, publish("something else", "a", "557367980bb8d1a41a9037d2ee2ba6c286f12bfc52c4123b832e4e9573ae1a11"), true) // its hash
		same(first, publish("order 17 paid", "a", "x"), false)
		time.Sleep(4 * time.Minute)
		stop()
		e, stop = open()
		q = e.Queue([]byte("jobs.fifo"))
		same(first, publish("order 17 paid", "a", ""), true)
		time.Sleep(time.Minute)
		again := publish("order 17 paid", "a", "")
		same(first, again, false)
		same(again, publish("order 17 paid", "a", ""), true)
		if err := e.UpdateQueue(q, func(c *engine.QueueConfig) { c.FIFO.PerGroup = true }); err != nil {
			t.Fatal(err)
		}
		first = publish("x", "a", "")
		same(first, publish("x", "b", ""), false)
		same(first, publish("x", "a", ""), true)
		for i := range 2000 { // and what is forgotten is forgotten in the store
			publish(fmt.Sprint(i), "a", "")
			time.Sleep(time.Second)
		}
		n := 0
		if err := e.Store().ReadStates(q.Topic().ID, engine.StatePublished, 0, func(engine.Sequence, []byte) bool { n++; return true }); err != nil || n > 900 {
			t.Fatalf("%d states are kept: %v", n, err)
		}
		stop()
	})
}
