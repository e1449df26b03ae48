package crashtest

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"time"

	"fanfare/engine"
)

// A second model beside the history: of queues, FIFO ones among them. A sibling rather than a part of it, since what is
// owed to a queue ends with a delete and not with an answer, and since what can be received is known by receiving it:
// every clone is started, emptied and compared.

// The queues of a run. Behind each is its dead-letter queue.
const (
	jobs = iota
	jobsDead
	fifo
	fifoDead
	places
)

var placeNames = [places]string{"jobs", "jobs-dead", "jobs.fifo", "jobs-dead.fifo"}

func isFIFO(place int) bool { return place >= fifo }
func isDead(place int) bool { return place == jobsDead || place == fifoDead }

// queueModel is what was asked of queues and what they answered, by one logical clock.
type queueModel struct {
	history // of which only the clock is used

	redrive [places]int // receives behind which a message goes to the next place; 0: never

	mu     sync.Mutex
	sends  []*sendLife
	copies map[copyKey]*copyLife
	purges []*purgeLife
	forgot [places]int64 // when a purge last made the queue forget what others may be duplicates of, ms since 1970
	moves  int           // begun; each may have received a message once more than anybody noted
	failed int           // receives that failed; the same goes for them
	stirs  [places]stir

	receiving int // receives under way: what they got is in the store before it is noted here

	temps temps
	wrong []string
}

// sendLife is one message that was sent.
type sendLife struct {
	span
	index    int
	place    int
	group    string
	key      string // by which duplicates are found; "" for none
	id       engine.MessageID
	size     int
	due      int64 // ms since 1970: delayed until then; 0 for not
	from, to int64 // ms since 1970: between them it was sent

	outcome   outcome
	answered  engine.MessageID // the id in the answer
	sequence  engine.Sequence  // in the answer; 0 for a delayed one
	duplicate bool             // so it was answered

	// What a power cut that the run went on from has shown.
	found, gone bool
	moved       bool // it may have been, before
}

// stored reports whether the message certainly had a place of its own.
func (s *sendLife) stored() bool { return s.outcome == accepted && !s.duplicate || s.found }

func (s *sendLife) body() []byte { return (&messageLife{index: s.index, size: s.size}).body() }

func (s *sendLife) String() string {
	return fmt.Sprintf("message %d (%s, group %q, key %q, sequence %d)", s.index, placeNames[s.place], s.group, s.key, s.sequence)
}

// copyKey names a message where it lies: moved to another queue it is another copy.
type copyKey struct {
	place    int
	sequence engine.Sequence
}

// copyLife is what is known of a copy.
type copyLife struct {
	send     *sendLife
	known    uint64 // the first answer that told of it
	loose    bool   // there was none before the power cut: what is there may be another, as long as it is on its way
	receives []receiveLife
	deletes  []*span // those that were answered with success, and open ones

	until int64  // ms since 1970: hidden at least until then; 0: not known
	taken uint64 // when that was answered
}

// stir is when something else than a receive was done to messages that may be in flight.
type stir struct {
	now  int    // so many are being done
	last uint64 // the end of the last one
}

func (m *queueModel) stirLocked(place int) { m.stirs[place].now++ }

func (m *queueModel) calmLocked(place int) {
	m.stirs[place].now--
	m.stirs[place].last = m.tick()
}

// receiveLife is one receive of a copy, with its count as answered.
type receiveLife struct {
	begin uint64
	count int
}

// received is the highest count that any receive was answered with.
func (c *copyLife) received() (count int) {
	for _, r := range c.receives {
		count = max(count, r.count)
	}
	return count
}

type purgeLife struct {
	span
	place    int
	from, to int64 // ms since 1970: between them it was
}

func newQueueModel(redrive [places]int) *queueModel {
	return &queueModel{redrive: redrive, copies: map[copyKey]*copyLife{}}
}

func (m *queueModel) faultLocked(format string, args ...any) {
	if len(m.wrong) < wrongMax {
		m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
	}
}

func (m *queueModel) fault(format string, args ...any) {
	m.mu.Lock()
	m.faultLocked(format, args...)
	m.mu.Unlock()
}

func (m *queueModel) newSend(place int) *sendLife {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &sendLife{index: len(m.sends), place: place, id: engine.NewMessageID()}
	m.sends = append(m.sends, s)
	return s
}

// sendLocked finds the message of a body, nil when it is none of ours, or damaged.
func (m *queueModel) sendLocked(body []byte) *sendLife {
	number, _, _ := bytes.Cut(body, []byte(" "))
	i, err := strconv.Atoi(string(number))
	if err != nil || i < 0 || i >= len(m.sends) || !bytes.Equal(m.sends[i].body(), body) {
		return nil
	}
	return m.sends[i]
}

// copyLocked finds a copy that an answer tells of.
func (m *queueModel) copyLocked(key copyKey, s *sendLife, now uint64) *copyLife {
	c := m.copies[key]
	if c != nil && c.send != s && !c.loose {
		m.faultLocked("sequence %d of %s is given twice: %v and %v", key.sequence, placeNames[key.place], c.send, s)
	}
	if c == nil || c.send != s {
		c = &copyLife{send: s, known: now}
		m.copies[key] = c
	}
	if c.loose {
		c.known, c.loose = now, false
	}
	return c
}

// movable reports whether the message may have been moved to a dead-letter queue.
func (m *queueModel) movable(s *sendLife) bool {
	if s.moved || m.redrive[s.place] == 0 {
		return s.moved
	}
	for key, c := range m.copies {
		if c.send == s && key.place == s.place && c.received() >= m.redrive[s.place] {
			return true
		}
	}
	return false
}

// at is the model as it was known at a power cut: what was open then is open, and what began later never was.
func (m *queueModel) at(x *cut) *queueModel {
	m.mu.Lock() // a world of which only the disk is left may be at work
	defer m.mu.Unlock()
	f := newQueueModel(m.redrive)
	f.clock.Store(m.clock.Load())
	f.moves, f.failed = m.moves, m.failed+m.receiving
	f.temps.lives = m.temps.at(x)
	for _, s := range m.sends {
		c := *s
		switch {
		case c.begin > x.after:
			c = sendLife{index: s.index, place: s.place, size: s.size, gone: true}
		case c.end == 0 || c.end > x.before:
			c.end, c.to, c.outcome, c.sequence, c.duplicate = 0, max(c.from, x.at), unanswered, 0, false
		}
		f.sends = append(f.sends, &c)
	}
	for key, c := range m.copies {
		if c.send.begin <= x.after {
			f.copies[key] = c.at(x, f.sends[c.send.index])
		}
	}
	f.forgot = m.forgot
	for _, p := range m.purges {
		if p.begin <= x.after {
			c := *p
			c.span = p.at(x)
			f.purges = append(f.purges, &c)
		}
	}
	return f
}

func (s span) at(x *cut) span {
	if s.end > x.before {
		s.end = 0
	}
	return s
}

func (c *copyLife) at(x *cut, s *sendLife) *copyLife {
	d := &copyLife{send: s, known: c.known, loose: c.loose || c.known > x.before}
	for _, r := range c.receives {
		if r.begin <= x.after {
			d.receives = append(d.receives, r)
		}
	}
	for _, e := range c.deletes {
		if e.begin <= x.after {
			e := e.at(x)
			d.deletes = append(d.deletes, &e)
		}
	}
	return d
}

// decide closes what was open at a power cut by what was found behind it.
func (m *queueModel) decide(found map[int]copyKey, now uint64) {
	for _, s := range m.sends {
		at, there := found[s.index]
		s.moved = m.movable(s)
		s.found, s.gone = there, !there
		if there && s.outcome != accepted {
			s.outcome, s.answered, s.end = accepted, s.id, now
		}
		if c := m.copies[at]; there && c != nil && c.send == s {
			c.deletes = nil // they did not happen
		}
	}
	for key, c := range m.copies {
		if c.loose && found[c.send.index] != key {
			delete(m.copies, key)
		}
		for _, e := range c.deletes {
			e.end = now
		}
	}
	m.purges = nil // what they took is gone
}

func millis() int64 { return time.Now().UnixMilli() }
