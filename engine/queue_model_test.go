package engine_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var queueSeedFlag = flag.Uint64("queue-seed", 0, "replay one seed of TestQueueModel")

// modelMessage is one message of the model of a queue.
type modelMessage struct {
	body      string
	sequence  engine.Sequence // 0 while the timer has it
	group     string
	sentAt    int64
	until     int64 // it cannot be received before, ms since 1970
	receives  int
	inFlight  bool
	dead      bool // it lies in the dead-letter queue, or is on its way there
	known     bool // a restart found it with a state, or it was received since
	firstTime int64
}

// modelKey is what duplicates are found by.
type modelKey struct {
	id       engine.MessageID
	at       int64
	sequence engine.Sequence
}

// queueModel is a queue and its dead-letter queue, whose every rule looks at every message. All happens one after the
// other, so that what must be received is known exactly.
type queueModel struct {
	t         *testing.T
	rng       *rand.Rand
	open      func() (*engine.Engine, func())
	engine    *engine.Engine
	stop      func()
	queue     *engine.Queue
	dead      *engine.Queue
	fifo      bool
	restarted bool
	swept     int64 // when the engine last ended what was too old, ms since 1970

	config   engine.QueueConfig
	messages []*modelMessage // neither deleted nor purged nor expired, in the order of their sequences
	keys     map[string]modelKey
	receipts []modelReceipt
	sent     int
	log      []string
}

type modelReceipt struct {
	message *modelMessage
	receipt engine.Receipt
	count   int
}

func (m *queueModel) note(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
}

func (m *queueModel) fatal(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("%s\nbehind:\n\t%s", fmt.Sprintf(format, args...), strings.Join(m.log[max(0, len(m.log)-60):], "\n\t"))
}

func nowMillis() int64 { return time.Now().UnixMilli() }

// settle lets what happens in the background happen.
func (m *queueModel) settle() { time.Sleep(time.Millisecond); synctest.Wait() }

func (m *queueModel) boot() {
	m.engine, m.stop = m.open()
	m.swept = nowMillis()
	dead := engine.NewQueueConfig("dead")
	dead.Retention = engine.QueueRetentionMax
	if m.fifo {
		dead.FIFO = &engine.FIFO{}
	}
	m.dead = queue(m.t, m.engine, dead)
	m.queue = queue(m.t, m.engine, m.config)
}

func (m *queueModel) step() {
	switch n := m.rng.IntN(40); {
	case n < 12:
		m.send()
	case n < 22:
		m.receive()
	case n < 28:
		m.remove()
	case n < 31:
		m.change()
	case n < 36:
		m.sleep()
	case n < 37:
		m.purge()
	case n < 38:
		m.configure()
	case n < 39:
		m.restart()
	default:
		m.drainDead()
	}
	m.settle()
	m.count()
}

// duplicate compares what the engine says of a key, and reports whether it is one that it had.
func (m *queueModel) duplicate(key string, r *engine.Message) bool {
	k, ok := m.keys[key]
	ok = ok && m.fifo && nowMillis()-k.at < engine.DeduplicationWindow.Milliseconds()
	if ok != r.Duplicate() || ok && (r.ID() != k.id || r.Sequence() != k.sequence) {
		m.fatal("key %s: duplicate %v, sequence %d; want %v, %d", key, r.Duplicate(), r.Sequence(), ok, k.sequence)
	}
	if !ok {
		m.keys[key] = modelKey{id: r.ID(), at: nowMillis(), sequence: r.Sequence()}
	}
	return ok
}

// visible reports whether a message could be received now, but for its group.
func (x *modelMessage) visible(now int64) bool { return x.until <= now }

// blocked reports whether the group of a message lets nothing of it out: one is in flight, or an earlier one is hidden.
func (m *queueModel) blocked(x *modelMessage, now int64, taken map[*modelMessage]bool) bool {
	if x.group == "" {
		return false
	}
	for _, o := range m.messages {
		switch {
		case o.group != x.group || o.dead != x.dead || o == x || taken[o]:
		case o.inFlight && o.until > now:
			return true
		case o.sequence < x.sequence:
			return true
		}
	}
	return false
}

// expect says what a receive of up to n messages gets, and does to the model what it does on the way.
func (m *queueModel) expect(n int) (want []*modelMessage) {
	now := nowMillis()
	taken := map[*modelMessage]bool{}
	for len(want) < n {
		x := m.next(now, taken, want)
		if x == nil {
			return want
		}
		switch limit := m.config.DeadLetters.Receives; {
		case x.sentAt+m.config.Retention.Milliseconds() <= now:
			m.forget(x)
		case limit > 0 && x.receives >= limit:
			x.dead, x.sequence, x.receives, x.until, x.inFlight = true, 0, 0, 0, false
			if m.fifo {
				x.sentAt = now
			}
		default:
			taken[x] = true
			want = append(want, x)
		}
	}
	return want
}

// next is the first that can be received: of a FIFO queue, one of the group of the last one before all others.
func (m *queueModel) next(now int64, taken map[*modelMessage]bool, want []*modelMessage) (first *modelMessage) {
	group := ""
	if len(want) > 0 {
		group = want[len(want)-1].group
	}
	// Of a FIFO queue the rest of a group comes before the next group.
	for _, same := range []bool{true, false} {
		for _, x := range m.messages {
			if x.dead || x.sequence == 0 || taken[x] || !x.visible(now) || m.blocked(x, now, taken) || same && (group == "" || x.group != group) {
				continue
			}
			if first == nil || m.before(x, first) {
				first = x
			}
		}
		if first != nil {
			return first
		}
	}
	return nil
}

func (m *queueModel) before(x, o *modelMessage) bool {
	if !m.fifo && x.known != o.known {
		return x.known
	}
	return x.sequence < o.sequence
}

// there reports whether a message is in the queue still.
func (m *queueModel) there(x *modelMessage) bool { return !x.dead && slices.Contains(m.messages, x) }

func (m *queueModel) forget(x *modelMessage) {
	m.messages = slices.DeleteFunc(m.messages, func(o *modelMessage) bool { return o == x })
}

// count gives the messages whose time on the timer is over their sequences, and compares the counts.
func (m *queueModel) count() {
	now := nowMillis()
	m.arrive(now)
	m.sweep(now)
	var want engine.QueueCounts
	for _, x := range m.messages {
		switch {
		case x.dead:
		case x.sequence == 0:
			want.Delayed++
		case x.until > now && x.inFlight:
			want.InFlight++
		case x.until > now && m.fifo:
			want.Delayed++
		default:
			want.Visible++
		}
	}
	got := m.queue.Counts()
	switch {
	case m.fifo && m.restarted: // as long as nobody looked, all that there is counts as visible
		want.Visible += want.InFlight + want.Delayed
		got.Visible += got.InFlight + got.Delayed
		want.InFlight, got.InFlight = 0, 0
		want.Delayed, got.Delayed = 0, 0
	case !m.fifo: // what is delayed since before a restart is not counted
		want.Delayed, got.Delayed = 0, 0
	}
	if got != want {
		m.fatal("counts %+v, want %+v", got, want)
	}
}

// arrive gives sequences to the messages that the timer has brought: they come in the order of their times.
func (m *queueModel) arrive(now int64) {
	var came []*modelMessage
	for _, x := range m.messages {
		if !x.dead && x.sequence == 0 && x.until <= now {
			came = append(came, x)
		}
	}
	if len(came) == 0 {
		return
	}
	slices.SortStableFunc(came, func(a, b *modelMessage) int { return int(a.until - b.until) })
	last := m.queue.Topic().High()
	for i, x := range came {
		x.sequence = last - engine.Sequence(len(came)-1-i)
	}
}

// sweep ends what is too old, as the engine does every minute: what it knows one by one, and of the rest the first.
func (m *queueModel) sweep(now int64) {
	for ; m.swept+time.Minute.Milliseconds() <= now; m.swept += time.Minute.Milliseconds() {
		at := m.swept + time.Minute.Milliseconds()
		young := engine.Sequence(0) // the first that is not too old, of those that were never received
		var old []*modelMessage
		for _, x := range m.messages {
			switch {
			case x.dead || x.sequence == 0 || x.sentAt > at:
			case x.sentAt+m.config.Retention.Milliseconds() <= at:
				old = append(old, x)
			case !m.fifo && !x.known && (young == 0 || x.sequence < young):
				young = x.sequence
			}
		}
		for _, x := range old {
			if m.fifo || x.known || young == 0 || x.sequence < young {
				m.forget(x)
			}
		}
	}
}

func runQueueModel(t *testing.T, seed uint64, steps int) {
	rng := rand.New(rand.NewPCG(seed, 5))
	fs := vfs.NewMem()
	m := &queueModel{t: t, rng: rng, fifo: rng.IntN(2) == 0, keys: map[string]modelKey{}}
	m.note("seed %d, replay it with: go test ./engine -run TestQueueModel -queue-seed %d", seed, seed)
	m.config = engine.NewQueueConfig("jobs")
	if m.fifo {
		m.config.FIFO = &engine.FIFO{}
	}
	m.open = func() (*engine.Engine, func()) {
		s, err := pebblestore.Open(pebblestore.Options{Dir: "data", FS: fs, FreeBytesMin: -1, SpaceEvery: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		e, stop := begin(t, s, newTaker(nil))
		return e, func() {
			stop()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	m.boot()
	defer func() { m.stop() }()
	for range steps {
		m.step()
	}
}

// A queue does what a naive model says, message by message: random sends, receives, deletes by good and bad receipts,
// changes, purges, restarts. FANFARE_LONG=1 makes a hundred times as many runs.
func TestQueueModel(t *testing.T) {
	base, runs := uint64(time.Now().UnixNano()), uint64(60)
	switch {
	case *queueSeedFlag != 0:
		base, runs = *queueSeedFlag, 1
	case os.Getenv("FANFARE_LONG") == "1":
		runs *= 100
	case testing.Short():
		runs = 4
	}
	inGatedTime(t, func(t *testing.T, _ *gated, _ *engine.Engine) {
		for i := range runs {
			runQueueModel(t, base+i, 200)
		}
	})
	t.Logf("%d runs, seeds %d..%d", runs, base, base+runs-1)
}
