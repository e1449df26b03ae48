package egress_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// choir is a kind and its endpoint, in a bubble of time: it knows exactly what the lane may begin at any moment, and
// complains when something else is begun. Messages are called group/number, numbers count from 0 in each group.
type choir struct {
	plain
	t           testing.TB
	mood        func(group string, number, attempt int) mood
	fifo        *engine.FIFO // of the topic
	attemptsMax int          // of the policy; 0: no limit
	lax         atomic.Bool  // anything may be begun

	mu      sync.Mutex
	voices  map[string]*voice
	begun   int // attempts
	serving sync.WaitGroup
}

// mood is what the endpoint does with one request.
type mood int

const (
	sings   mood = iota // acknowledges it
	coughs              // 503
	refuses             // 410
	sleeps              // never answers, and reads no more of the connection
	leaves              // cuts the connection without an answer
	parts               // acknowledges it and closes the connection
	ages                // acknowledges it as a server of HTTP/1.0
)

// voice is what is known of a group.
type voice struct {
	settled int // numbers below it were settled at some time
	current int // begun last since the start; -1: none was
	over    bool
	back    bool // it may go back once, to any that was settled
	maybe   bool // it may be over: it was the last attempt of the policy, unless that was a probe
}

func newChoir(t testing.TB, mood func(group string, number, attempt int) mood) *choir {
	return &choir{t: t, mood: mood, voices: map[string]*voice{}}
}

func (c *choir) voice(group string) *voice {
	v := c.voices[group]
	if v == nil {
		v = &voice{current: -1}
		c.voices[group] = v
	}
	return v
}

// restart forgets what was under way: the first of each group may be any that was settled, or the one behind.
func (c *choir) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.voices {
		v.current, v.over, v.maybe, v.back = -1, false, false, false
	}
}

// rewind comes before the subscription is set back: each group may go back once. That it waits for the one in flight is
// not looked at: nobody knows when the lane gives up on one.
func (c *choir) rewind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.voices {
		v.back = true
	}
}

func (c *choir) Compile(*engine.Subscription) egress.Encoder { return c }

// AppendHeader is where an attempt begins.
func (c *choir) AppendHeader(dst []byte, m *engine.Message, body []byte, attempt int) []byte {
	if m.Has(engine.FieldGroup) || m.Topic().Config().FIFO != nil {
		group, number := split(c.t, string(m.Body()))
		c.mu.Lock()
		v := c.voice(group)
		c.begun++
		switch {
		case c.lax.Load():
		case v.current < 0 && number <= v.settled:
		case v.current >= 0 && number == v.current && (!v.over || v.maybe):
		case v.current >= 0 && number == v.current+1 && (v.over || v.maybe):
		case v.back && number <= v.settled:
			v.back, v.over = false, false
		default:
			c.t.Errorf("%s is begun, attempt %d, but of its group %+v", m.Body(), attempt, *v)
		}
		if number != v.current {
			v.over = false
		}
		v.current, v.maybe = number, false
		c.mu.Unlock()
	}
	return c.plain.AppendHeader(dst, m, body, attempt)
}

func split(t testing.TB, name string) (group string, number int) {
	group, text, _ := strings.Cut(name, "/")
	number, err := strconv.Atoi(text)
	if err != nil {
		t.Errorf("a message is called %q", name)
	}
	return group, number
}

// hears decides what becomes of a request.
func (c *choir) hears(name string, attempt int) mood {
	group, number := split(c.t, name)
	m := c.mood(group, number, attempt)
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.voice(group)
	switch m {
	case sings, refuses, parts, ages:
		v.over = true
		v.settled = max(v.settled, number+1)
	case coughs, sleeps, leaves:
		if c.attemptsMax > 0 && attempt >= c.attemptsMax {
			v.maybe = true
			v.settled = max(v.settled, number+1)
		}
	}
	return m
}

// settledOf is how many of a group were settled.
func (c *choir) settledOf(group string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.voice(group).settled
}

func (c *choir) attempts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begun
}

func (c *choir) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	c.serving.Go(func() { c.serve(theirs) })
	return ours, nil
}

type songRequest struct {
	name    string
	attempt int
}

// serve reads ahead, as a socket does: who writes a batch does not read answers meanwhile.
func (c *choir) serve(conn net.Conn) {
	requests, gone := make(chan songRequest, 1024), make(chan struct{})
	c.serving.Go(func() {
		defer close(requests)
		defer close(gone)
		r := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			attempt, _ := strconv.Atoi(req.Header.Get("Attempt"))
			requests <- songRequest{string(body), attempt}
		}
	})
	defer conn.Close()
	for r := range requests {
		version, status, header := "1.1", 200, ""
		m := c.hears(r.name, r.attempt)
		switch m {
		case sleeps:
			<-gone
			return
		case leaves:
			return
		case coughs:
			status = 503
		case refuses:
			status = 410
		case parts:
			header = "Connection: close\r\n"
		case ages:
			version = "1.0"
		case sings:
		}
		if _, err := fmt.Fprintf(conn, "HTTP/%s %d X\r\n%sContent-Length: 0\r\n\r\n", version, status, header); err != nil || m == parts || m == ages {
			return
		}
	}
}

// concert is a choir with a house, in a bubble.
type concert struct {
	*house
	choir *choir
	store *forgetful
	topic *engine.Topic
	sub   *engine.Subscription
	opts  egress.Options
}

// forgetful is a store that can be told to lose what is written from then on, as a crash does, and to take its time
// with dead letters.
type forgetful struct {
	engine.Store
	loses atomic.Bool
	delay atomic.Int64 // of what has dead letters
}

func (s *forgetful) NewBatch() engine.Batch {
	return &forgetfulBatch{Batch: s.Store.NewBatch(), store: s}
}

type forgetfulBatch struct {
	engine.Batch
	store   *forgetful
	letters bool
}

func (b *forgetfulBatch) PutDeadLetter(s engine.SubscriptionID, seq engine.Sequence, head, record []byte) {
	b.letters = true
	b.Batch.PutDeadLetter(s, seq, head, record)
}

func (b *forgetfulBatch) Apply(durable bool) error {
	if b.letters {
		b.letters = false
		<-time.After(time.Duration(b.store.delay.Load()))
	}
	if b.store.loses.Load() {
		b.Reset()
	}
	return b.Batch.Apply(durable)
}

// inConcert runs a test in a bubble with an ordered subscription to a choir.
func inConcert(t *testing.T, c *choir, opts egress.Options, sub engine.SubscriptionConfig, fn func(b *concert)) {
	t.Helper()
	collect()
	defer collect()
	synctest.Test(t, func(t *testing.T) {
		c.t = t
		opts.Dial, opts.Kinds = c.dial, []egress.Kind{c}
		store := &forgetful{Store: newMemory()}
		h := newHouse(t, store, opts)
		b := &concert{house: h, choir: c, store: store, opts: opts}
		var err error
		b.topic, _, err = h.Engine.CreateTopicWith(engine.TopicConfig{Name: "songs", Retention: engine.Retention{Age: time.Hour}, FIFO: c.fifo})
		if err != nil {
			t.Fatal(err)
		}
		sub.Name, sub.Endpoint, sub.Ordered = "s", "http://choir/", true
		b.sub = h.subscribe(b.topic, sub)
		fn(b)
		b.close()
		c.serving.Wait()
	})
}

// collect empties the pools: the messages in them belong to the bubble they were made in.
func collect() {
	runtime.GC()
	runtime.GC()
}

// restart closes the house and opens another on the same store. With a crash, what was written last is lost.
func (b *concert) restart(crash bool) {
	b.t.Helper()
	b.store.loses.Store(crash)
	b.close()
	b.store.loses.Store(false)
	b.choir.restart()
	b.house = newHouse(b.t, b.store, b.opts)
	b.topic = b.Engine.Topic([]byte("songs"))
	b.sub = b.topic.Subscription("s")
}

func (b *concert) sing(group string, number int) { b.singUntil(group, number, time.Time{}) }

// singUntil publishes a message that expires.
func (b *concert) singUntil(group string, number int, expires time.Time) {
	b.t.Helper()
	m := engine.NewMessage()
	defer m.Release()
	if !expires.IsZero() {
		m.SetExpiresAt(expires.UnixMilli())
	}
	if group != "" {
		m.Set(engine.FieldGroup, []byte(group))
	}
	m.Set(engine.FieldDeduplicationID, fmt.Appendf(nil, "%s-%d", group, number))
	m.Set(engine.FieldBody, fmt.Appendf(nil, "%s/%d", group, number))
	if err := b.Engine.Publish(b.topic, m); err != nil {
		b.t.Error(err)
	}
}

// pass lets time go by, and then whatever it brought come to an end.
func (b *concert) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// until waits for something, up to an hour of the bubble's time.
func (b *concert) until(what string, ok func() bool) {
	b.t.Helper()
	for range 36_000 {
		if synctest.Wait(); ok() {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	b.t.Fatalf("it never came to this: %s; %+v", what, b.state())
}

func (b *concert) state() engine.LaneState { return b.sub.Receiver().State() }

func (b *concert) untilSettled() {
	b.t.Helper()
	b.until("settled", func() bool { st := b.state(); return st.Lag == 0 && st.InFlight == 0 })
	if n := b.Egress.Stats().HeldBytes; n != 0 {
		b.t.Errorf("%d bytes are held of nothing", n)
	}
}

func (b *concert) expect(group string, settled int) {
	b.t.Helper()
	if got := b.choir.settledOf(group); got != settled {
		b.t.Errorf("of group %q %d were settled, want %d", group, got, settled)
	}
}
