package crashtest

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine"
)

// history is the model: what was asked of a world, what it answered, and what arrived at the endpoints. The lives
// of topics, subscriptions and messages carry instants of one logical clock, so that what was known at a power cut
// can be said afterwards: two readings of the clock, before and after the clone of the disk was made, are enough.
//
// What had been answered before the first reading must be in the clone. What was begun before the second may be.
// Nothing else may.
type history struct {
	clock atomic.Uint64

	mu       sync.Mutex
	topics   []*topicLife
	subs     []*subLife
	messages []*messageLife
	arrivals []arrival
	faults   []string // seen by the endpoints, such as a damaged body
}

func (h *history) tick() uint64 { return h.clock.Add(1) }

// span is when something was begun and when it was answered; 0 for not.
type span struct{ begin, end uint64 }

// must reports whether the answer came before an instant.
func (s span) must(before uint64) bool { return s.end != 0 && s.end <= before }

// may reports whether it was begun before an instant.
func (s span) may(after uint64) bool { return s.begin != 0 && s.begin <= after }

// topicLife is one topic from its creation to its end; a name can have several, one after the other.
type topicLife struct {
	index          int
	name           string
	create, remove span
	subs           []*subLife // the controller's: not removed yet

	at *engine.Topic // in the world that runs now
}

// subLife is one subscription from its creation to its end.
type subLife struct {
	index          int
	name           string
	topic          *topicLife
	create, remove span
	settings       []settings

	at *engine.Subscription
}

// settings are what one PutSubscription or update asked for.
type settings struct {
	span
	tag      string
	attempts int           // at the most, 0 for any number
	age      time.Duration // at the most, 0 for any
}

// gone says when the subscription ended, be it with its topic.
func (s *subLife) goneMay(after uint64) bool { return s.remove.may(after) || s.topic.remove.may(after) }

func (s *subLife) goneMust(before uint64) bool {
	return s.remove.must(before) || s.topic.remove.must(before)
}

// outcome is what a publisher knows of its message.
type outcome uint8

const (
	unanswered outcome = iota
	accepted
	refused // for certain: it must be nowhere
)

// messageLife is one publish.
type messageLife struct {
	index     int
	topic     *topicLife
	id        engine.MessageID
	publisher int
	tag       string
	size      int
	deliverAt int64 // ms since 1970
	expiresAt int64 // ms since 1970
	published int64 // ms since 1970
	held      bool

	publish span
	outcome outcome
	seq     engine.Sequence // as answered

	handle engine.TimerKey // of a held one
	settle span
	commit bool // the settle publishes it
}

// delayed reports whether the message waits on the timer first.
func (m *messageLife) delayed() bool { return !m.held && m.deliverAt != 0 }

// body is what the message carries: its number, and a filling that depends on it.
func (m *messageLife) body() []byte {
	b := make([]byte, 0, m.size+12)
	b = strconv.AppendInt(b, int64(m.index), 10)
	b = append(b, ' ')
	for x := uint32(m.index)*2654435761 + 1; len(b) < m.size; x = x*1664525 + 1013904223 {
		b = append(b, byte(x>>24), byte(x>>16), byte(x>>8))
	}
	return b
}

// arrival is a request that an endpoint answered.
type arrival struct {
	sub, message int
	seq          engine.Sequence
	tick         uint64
	at           int64 // ms since 1970
	refused      bool  // answered 410; else acknowledged
	heard        bool  // the acknowledgement was read to its end
}

func (h *history) newTopic(name string) *topicLife {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := &topicLife{index: len(h.topics), name: name}
	h.topics = append(h.topics, t)
	return t
}

func (h *history) newSub(t *topicLife, name string) *subLife {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &subLife{index: len(h.subs), topic: t, name: name}
	h.subs = append(h.subs, s)
	return s
}

func (h *history) newMessage(t *topicLife, publisher int) *messageLife {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := &messageLife{index: len(h.messages), topic: t, publisher: publisher, id: engine.NewMessageID()}
	h.messages = append(h.messages, m)
	return m
}

func (h *history) message(index int) *messageLife {
	h.mu.Lock()
	defer h.mu.Unlock()
	if index < 0 || index >= len(h.messages) {
		return nil
	}
	return h.messages[index]
}

// arrived notes an answer of an endpoint, before it is on its way.
func (h *history) arrived(a arrival) (index int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.tick, a.at = h.tick(), time.Now().UnixMilli()
	h.arrivals = append(h.arrivals, a)
	return len(h.arrivals) - 1
}

// heard notes that an acknowledgement was read.
func (h *history) heard(index int) {
	h.mu.Lock()
	h.arrivals[index].heard = true
	h.mu.Unlock()
}

func (h *history) fault(format string, args ...any) {
	h.mu.Lock()
	h.faults = append(h.faults, fmt.Sprintf(format, args...))
	h.mu.Unlock()
}

// acknowledged is the number of publishes that were answered with success.
func (h *history) acknowledged() (n int) {
	for _, m := range h.messages {
		if m.outcome == accepted {
			n++
		}
	}
	return n
}
