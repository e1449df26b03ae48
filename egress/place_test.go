package egress_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fill publishes a message.
func (h *house) fill(t *engine.Topic, fill func(m *engine.Message)) {
	h.t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	fill(m)
	if err := h.Engine.Publish(t, m); err != nil {
		h.t.Fatal(err)
	}
}

// once checks that bodies are so many, and no two the same.
func once(t *testing.T, all []got, n int) {
	t.Helper()
	seen := map[string]int{}
	for _, g := range all {
		seen[g.Body]++
	}
	for body, times := range seen {
		if times != 1 {
			t.Errorf("%s arrived %d times", body, times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d messages arrived, want %d", len(seen), n)
	}
}

// TestEveryMessageReachesEveryQueue once on an untroubled run: one with the documents, one with the text of what passes its
// filter.
func TestEveryMessageReachesEveryQueue(t *testing.T) {
	const publishers, each = 8, 200
	h := newHouse(t, newMemory(), placing())
	topic := h.topic("orders")
	documents, texts := h.queue(engine.QueueConfig{Name: "documents"}), h.queue(engine.QueueConfig{Name: "texts"})
	s := h.into(topic, engine.SubscriptionConfig{Name: "documents", Endpoint: "queue:documents"})
	h.into(topic, engine.SubscriptionConfig{Name: "texts", Endpoint: "queue:texts", Envelope: "raw", FilterPolicy: `{"colour":["red"]}`})
	h.publishMany(topic, publishers, each)
	for i := range 25 {
		h.fill(topic, func(m *engine.Message) {
			m.Set(engine.FieldBody, fmt.Append(nil, "red ", i))
			m.SetExpiresAt(time.Now().Add(time.Hour).UnixMilli())
			m.AddAttribute([]byte("colour"), []byte("String"), []byte("red"), false)
		})
	}
	all := drainQueue(t, documents, publishers*each+25)
	for _, g := range all {
		if g.Origin != engine.OriginTopic || g.Attributes != 0 || !strings.HasPrefix(g.Body, "{\n  \"Type\" : \"Notification\"") {
			t.Fatalf("the queue has %+v", g)
		}
	}
	once(t, all, publishers*each+25)
	all = drainQueue(t, texts, 25)
	for _, g := range all {
		if g.Attributes != 1 || !strings.HasPrefix(g.Body, "red ") {
			t.Errorf("the queue has %+v", g)
		}
	}
	once(t, all, 25)
	wantEmpty(t, documents)
	wantEmpty(t, texts)
	eventually(t, "everything is settled", func() bool { return settled(s) })
	if st := h.Egress.Stats(); st.Delivered != publishers*each+50 || st.Failed+st.Refused+st.Buried != 0 {
		t.Errorf("%+v", st)
	}
}

// TestNoQueue makes dead letters, until there is a queue.
func TestNoQueue(t *testing.T) {
	h := newHouse(t, newMemory(), placing())
	topic := h.topic("orders")
	c := engine.SubscriptionConfig{Name: "s", Endpoint: "queue:later", Envelope: "raw"}
	s := h.into(topic, c)
	h.publish(topic, "m-1-m")
	eventually(t, "the first message is a dead letter", func() bool { return len(h.letters(s)) == 1 })
	if d := h.letters(s)["m-1-m"]; d.Reason != engine.ReasonRefused || d.Attempts != 1 || d.Failure != "the queue does not exist" {
		t.Errorf("dead letter %+v", d)
	}
	later := h.queue(engine.QueueConfig{Name: "later"})
	h.publish(topic, "m-2-m")
	if all := drainQueue(t, later, 1); all[0].Body != "m-2-m" {
		t.Errorf("the queue has %+v", all)
	}
	if err := h.Engine.DeleteQueue("later"); err != nil {
		t.Fatal(err)
	}
	dead := h.queue(engine.QueueConfig{Name: "dead"})
	c.DeadLetters.Queue = "queue:dead"
	h.into(topic, c)
	h.fill(topic, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("m-3-m"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("v"), false)
	})
	if all := drainQueue(t, dead, 1); all[0] != (got{Body: "m-3-m", Attributes: 1, Origin: engine.OriginTopic}) {
		t.Errorf("the queue of dead letters has %+v", all)
	}
	if n := len(h.letters(s)); n != 1 {
		t.Errorf("%d dead letters on the list", n)
	}

	// Where there is no queue for dead letters either, the list has to do.
	if err := h.Engine.DeleteQueue("dead"); err != nil {
		t.Fatal(err)
	}
	h.publish(topic, "m-4-m")
	eventually(t, "the fourth message is on the list", func() bool { return len(h.letters(s)) == 2 })
}

// TestDeadLetterGoesToOurQueue carries what the subscriber would have got, whatever its kind is.
func TestDeadLetterGoesToOurQueue(t *testing.T) {
	h := newHouse(t, newMemory(), placing())
	topic := h.topic("orders")
	dead := h.queue(engine.QueueConfig{Name: "dead"})
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.WriteHeader(http.StatusGone)
		return false
	})
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, DeadLetters: engine.DeadLetterPlace{Queue: "queue:dead"}})
	h.publishMany(topic, 4, 50)
	once(t, drainQueue(t, dead, 200), 200)
}

// TestWhatAQueueDoesNotTake is refused for good: too many attributes beside a text, and too large a body.
func TestWhatAQueueDoesNotTake(t *testing.T) {
	h := newHouse(t, newMemory(), placing())
	topic := h.topic("orders")
	q := h.queue(engine.QueueConfig{Name: "q", MessageMax: engine.QueueMessageBytesMin})
	s := h.into(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "queue:q", Envelope: "raw"})
	large := "m-1-m" + strings.Repeat("x", engine.QueueMessageBytesMin)
	h.publish(topic, large)
	h.fill(topic, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("m-2-m"))
		for i := range 11 {
			m.AddAttribute(fmt.Append(nil, "a", i), []byte("String"), []byte("v"), false)
		}
	})
	h.publish(topic, "fine")
	if all := drainQueue(t, q, 1); all[0].Body != "fine" {
		t.Errorf("the queue has %+v", all)
	}
	eventually(t, "two dead letters", func() bool { return len(h.letters(s)) == 2 })
	for _, body := range []string{"m-1-m", "m-2-m"} {
		if d := h.letters(s)[body]; d.Reason != engine.ReasonRefused || d.Failure == "" {
			t.Errorf("dead letter %+v", d)
		}
	}
}

// TestOrderIntoQueues has what FIFO topics, and others, hand on to queues, FIFO ones and others.
func TestOrderIntoQueues(t *testing.T) {
	h := newHouse(t, newMemory(), placing())
	ordered, _, err := h.Engine.CreateTopicWith(engine.TopicConfig{Name: "f.fifo", FIFO: &engine.FIFO{ByContent: true}})
	if err != nil {
		t.Fatal(err)
	}
	fifo := h.queue(engine.QueueConfig{Name: "q.fifo", FIFO: &engine.FIFO{}})
	standard, fair := h.queue(engine.QueueConfig{Name: "standard"}), h.queue(engine.QueueConfig{Name: "fair"})
	h.into(ordered, engine.SubscriptionConfig{Name: "fifo", Endpoint: "queue:q.fifo", Envelope: "raw"})
	h.into(ordered, engine.SubscriptionConfig{Name: "standard", Endpoint: "queue:standard", Envelope: "raw"})
	topic := h.topic("orders")
	h.into(topic, engine.SubscriptionConfig{Name: "fair", Endpoint: "queue:fair", Envelope: "raw"})
	const contentID = "557367980bb8d1a41a9037d2ee2ba6c286f12bfc52c4123b832e4e9573ae1a11" // of the reference's example
	both := func(fill func(m *engine.Message)) {
		for _, to := range []*engine.Topic{ordered, topic} {
			h.fill(to, func(m *engine.Message) {
				m.Set(engine.FieldGroup, []byte("g"))
				fill(m)
			})
		}
	}
	both(func(m *engine.Message) { m.Set(engine.FieldBody, []byte("order 17 paid")) })
	both(func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("explicit"))
		m.Set(engine.FieldDeduplicationID, []byte("d"))
	})
	want := []got{
		{Body: "order 17 paid", Group: "g", Deduplication: contentID, Origin: engine.OriginTopic},
		{Body: "explicit", Group: "g", Deduplication: "d", Origin: engine.OriginTopic},
	}
	check := func(q *engine.Queue, want []got) {
		t.Helper()
		if all := drainQueue(t, q, len(want)); !slices.Equal(all, want) {
			t.Errorf("%s has %+v, want %+v", q.Name(), all, want)
		}
		wantEmpty(t, q)
	}
	check(fifo, want)
	for i := range want {
		want[i].Deduplication = ""
	}
	check(fair, want)
	for i := range want {
		want[i].Group = ""
	}
	check(standard, want)

	// A hundred messages of each of three groups come in their order, and a duplicate never.
	var sent []string
	for i := range 300 {
		sent = append(sent, fmt.Sprintf("%d-%d", i%3, i))
		for range 2 {
			h.fill(ordered, func(m *engine.Message) {
				m.Set(engine.FieldBody, []byte(sent[i]))
				m.Set(engine.FieldGroup, []byte(sent[i][:1]))
			})
		}
	}
	groups := map[string][]string{}
	for _, g := range drainQueue(t, fifo, 300) {
		groups[g.Group] = append(groups[g.Group], g.Body)
	}
	for group, bodies := range groups {
		want := slices.DeleteFunc(slices.Clone(sent), func(body string) bool { return body[:1] != group })
		if !slices.Equal(bodies, want) {
			t.Errorf("group %s came as %v", group, bodies)
		}
	}
	wantEmpty(t, fifo)
}

// TestPlacingIsTriedAgain while the store takes nothing, as its policy says; then everything arrives, and no message is
// a dead letter.
func TestPlacingIsTriedAgain(t *testing.T) {
	store := &tight{Store: newMemory()}
	opts := placing()
	opts.RetryScale, opts.BreakerFailures, opts.BreakerDelayMax = 0.001, 3, 20*time.Millisecond
	h := newHouse(t, store, opts)
	topic := h.retaining("orders")
	q := h.queue(engine.QueueConfig{Name: "q"})
	s := h.into(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "queue:q", Envelope: "raw"})
	h.publishMany(topic, 4, 25)
	once(t, drainQueue(t, q, 100), 100)
	store.full.Store(true)
	h.rewind(s, 1, 1)
	eventually(t, "the lane is paused", func() bool { return s.Receiver().State().State == "paused" })
	if st := s.Receiver().State(); st.LastFailure != "the store does not accept messages now" {
		t.Errorf("%+v", st)
	}
	store.full.Store(false)
	once(t, drainQueue(t, q, 100), 100)
	wantEmpty(t, q)
	if n := len(h.letters(s)) + int(h.Egress.Stats().Buried); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

// TestPlacingIntoABusyShard waits until it has room, and doubles nothing.
func TestPlacingIntoABusyShard(t *testing.T) {
	const queues, messages = 6, 300
	h := newHouseOf(t, engine.Options{Store: newMemory(), Shards: 1, RingSlots: 2}, placing())
	topic := h.topic("orders")
	for i := range queues {
		name := fmt.Sprint("q", i)
		h.queue(engine.QueueConfig{Name: name})
		h.into(topic, engine.SubscriptionConfig{Name: name, Endpoint: "queue:" + name, Envelope: "raw"})
	}
	for i := range messages {
		eventually(t, "a publish is accepted", func() bool {
			m := engine.NewMessage()
			defer m.Release()
			m.Set(engine.FieldBody, fmt.Append(nil, i))
			err := h.Engine.Publish(topic, m)
			if err != nil && !errors.Is(err, engine.ErrBusy) {
				t.Fatal(err)
			}
			return err == nil
		})
	}
	for i := range queues {
		q := h.Engine.Queue(fmt.Append(nil, "q", i))
		once(t, drainQueue(t, q, messages), messages)
		wantEmpty(t, q)
	}
}

// TestRestartPlacesWhatIsOwed: what was answered is in the queue behind a restart in the middle.
func TestRestartPlacesWhatIsOwed(t *testing.T) {
	fs := vfs.NewMem()
	open := func() engine.Store {
		s, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	store := open()
	h := newHouse(t, store, placing())
	topic := h.topic("orders")
	h.queue(engine.QueueConfig{Name: "q"})
	h.into(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "queue:q", Envelope: "raw"})
	h.publishMany(topic, 8, 250)
	h.close()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = open()
	h = newHouse(t, store, placing())
	once(t, drainQueue(t, h.Engine.Queue([]byte("q")), 2000), 2000)
	h.close()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRewindPlacesAgain what the topic keeps.
func TestRewindPlacesAgain(t *testing.T) {
	h := newHouse(t, newMemory(), placing())
	topic := h.retaining("orders")
	q := h.queue(engine.QueueConfig{Name: "q"})
	s := h.into(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "queue:q", Envelope: "raw"})
	h.publishMany(topic, 1, 20)
	once(t, drainQueue(t, q, 20), 20)
	h.rewind(s, 1, 1)
	once(t, drainQueue(t, q, 20), 20)
	wantEmpty(t, q)
}

// TestPlacedPerSecond holds the limit of pushes per second.
func TestPlacedPerSecond(t *testing.T) {
	inBubble(t, placing(), func(t *testing.T, b *bubble) {
		q := b.queue(engine.QueueConfig{Name: "q"})
		b.put(engine.SubscriptionConfig{Name: "s", Kind: "sqs", Endpoint: "queue:q", MaxPerSecond: 10})
		for i := range 100 {
			b.send(i)
		}
		for seconds := 1; seconds < 10; seconds++ {
			b.pass(time.Second)
			if n := q.Counts().Visible; n < uint64(10*seconds) || n > uint64(10*seconds+1) {
				t.Errorf("%d messages within %d seconds", n, seconds)
			}
		}
	})
}

// TestEndpointsOfQueues are for the kind that has them.
func TestEndpointsOfQueues(t *testing.T) {
	h := newHouse(t, newMemory(), placing())
	topic := h.topic("orders")
	f := func(c engine.SubscriptionConfig, want string) {
		t.Helper()
		c.Name = "s"
		_, _, err := h.Engine.PutSubscription(topic, c)
		if text := fmt.Sprint(err); (err == nil) != (want == "") || err != nil && text != want {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	f(engine.SubscriptionConfig{Kind: "plain", Endpoint: "queue:q"}, "endpoint: a queue takes nothing of the kind plain")
	f(engine.SubscriptionConfig{Kind: "sqs", Endpoint: "queue:q"}, "")
	f(engine.SubscriptionConfig{Kind: "plain", Endpoint: "http://127.0.0.1:9/", DeadLetters: engine.DeadLetterPlace{Queue: "queue:q"}}, "") // of another kind now
	f(engine.SubscriptionConfig{Kind: "sqs", Endpoint: "http://169.254.169.254/000000000000/q"}, "endpoint: pushes to this address are forbidden")
}

var _ egress.QueueKind = queueKind()
