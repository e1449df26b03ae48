package crashtest

import (
	"fmt"
	"slices"

	"fanfare/engine"
)

// evidence is what the endpoints said up to an instant.
type evidence struct {
	delivered map[pair]int // acknowledgements
	heard     map[pair]int // of them, those that were read
	refused   map[pair]bool
	first     map[int]uint64          // message: its first arrival anywhere
	seq       map[int]engine.Sequence // message: the sequence it arrived with
	all       []arrival
}

func (h *history) evidence(after uint64) *evidence {
	e := &evidence{
		delivered: map[pair]int{}, heard: map[pair]int{}, refused: map[pair]bool{},
		first: map[int]uint64{}, seq: map[int]engine.Sequence{},
	}
	h.mu.Lock()
	arrivals := slices.Clone(h.arrivals) // the world may be at work
	h.mu.Unlock()
	for _, a := range arrivals {
		if a.tick > after {
			continue
		}
		e.all = append(e.all, a)
		p := pair{a.sub, a.message}
		if a.refused {
			e.refused[p] = true
		} else {
			e.delivered[p]++
		}
		if a.heard {
			e.heard[p]++
		}
		if e.first[a.message] == 0 {
			e.first[a.message] = a.tick
			e.seq[a.message] = a.seq
		}
	}
	return e
}

// checker compares what a store holds with what the history allows at a power cut.
type checker struct {
	history       *history
	state         *state
	evidence      *evidence
	before, after uint64
	now           int64 // ms since 1970

	seqs  map[int]engine.Sequence // message: its sequence, as far as anybody knows
	inLog map[int]bool
	wrong []string

	// Obliged counts the pairs that were looked at because something was owed.
	obliged int
	// open are the pairs that are owed still: unsettled or parked.
	open []pair
}

const wrongMax = 12 // faults told of one cut

func newChecker(h *history, s *state, before, after uint64, now int64) *checker {
	return &checker{
		history: h, state: s, evidence: h.evidence(after), before: before, after: after, now: now,
		seqs: map[int]engine.Sequence{}, inLog: map[int]bool{},
	}
}

func (c *checker) fault(format string, args ...any) {
	if len(c.wrong) < wrongMax {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

// check returns what is wrong.
func (c *checker) check() []string {
	c.wrong = append(c.wrong, c.state.strays...)
	c.checkTopics()
	c.checkSubs()
	c.checkLogs()
	c.checkMessages()
	c.checkOrder()
	c.checkArrivals()
	for _, s := range c.history.subs {
		for _, m := range c.history.messages {
			if m.topic == s.topic {
				c.checkPair(s, m)
			}
		}
	}
	return c.wrong
}

// existence is the rule for what can be created and removed.
func (c *checker) existence(what string, index int, there bool, create, remove, removeToo span) {
	gone := remove.must(c.before) || removeToo.must(c.before)
	going := remove.may(c.after) || removeToo.may(c.after)
	switch {
	case !there && create.must(c.before) && !going:
		c.fault("%s (life %d) was created and is not there", what, index)
	case there && !create.may(c.after):
		c.fault("%s (life %d) is there and nobody created it", what, index)
	case there && gone:
		c.fault("%s (life %d) was deleted and is there again", what, index)
	}
}

func (c *checker) checkTopics() {
	names := map[string]int{}
	for life, t := range c.state.topics {
		if other, twice := names[t.name]; twice {
			c.fault("topic %s is there twice: lives %d and %d", t.name, other, life)
		}
		names[t.name] = life
		if life < 0 || life >= len(c.history.topics) {
			c.fault("topic %s has life %d, which nobody knows", t.name, life)
		}
	}
	for i, t := range c.history.topics {
		c.existence("topic "+t.name, i, c.state.topics[i] != nil, t.create, t.remove, span{})
	}
}

func (c *checker) checkSubs() {
	for life := range c.state.subs {
		if life < 0 || life >= len(c.history.subs) {
			c.fault("subscription life %d is there and nobody knows it", life)
		}
	}
	for i, s := range c.history.subs {
		at := c.state.subs[i]
		c.existence("subscription "+s.name+" of "+s.topic.name, i, at != nil, s.create, s.remove, s.topic.remove)
		if at == nil {
			continue
		}
		t := c.state.topics[s.topic.index]
		if t == nil || t.id != at.topic {
			c.fault("subscription life %d is of a topic that is not there", i)
			continue
		}
		if !c.settingAllowed(s, at) {
			c.fault("subscription life %d has settings revision %d (tag %q), which it cannot have any more or not yet", i, at.revision, at.tag)
		}
		if floor := at.progress.Floor; floor > t.high {
			c.fault("subscription life %d has settled up to %d, its topic ends at %d", i, floor, t.high)
		}
		for seq := t.high + 1; seq < t.high+64; seq++ {
			if seq > at.progress.Floor && at.progress.Settled(seq) {
				c.fault("subscription life %d has settled %d, its topic ends at %d", i, seq, t.high)
			}
		}
	}
}

func (c *checker) settingAllowed(s *subLife, at *storedSub) bool {
	if at.revision >= len(s.settings) || s.settings[at.revision].tag != at.tag || !s.settings[at.revision].may(c.after) {
		return false
	}
	for _, later := range s.settings[at.revision+1:] {
		if later.must(c.before) {
			return false
		}
	}
	return true
}

// checkLogs looks at the sequences of every topic: no gap, no message twice, none of somebody else.
func (c *checker) checkLogs() {
	for i, t := range c.history.topics {
		at := c.state.topics[i]
		if at == nil {
			continue
		}
		for k, r := range at.log {
			if k > 0 && r.seq != at.log[k-1].seq+1 {
				c.fault("topic %s: sequence %d follows %d", t.name, r.seq, at.log[k-1].seq)
			}
			if r.message < 0 {
				continue
			}
			m := c.history.messages[r.message]
			if m.topic != t {
				c.fault("topic %s holds message %d of another topic", t.name, m.index)
			}
			if c.inLog[m.index] {
				c.fault("topic %s: message %d is there twice, once as %d", t.name, m.index, r.seq)
			}
			c.inLog[m.index] = true
			c.learn(m, r.seq, "the store has it")
		}
		if n := len(at.log); n > 0 && at.log[n-1].seq != at.high {
			c.fault("topic %s: the last record is %d, the high-water mark %d", t.name, at.log[n-1].seq, at.high)
		}
	}
	for _, a := range c.evidence.all {
		if a.tick <= c.before {
			c.learn(c.history.messages[a.message], a.seq, "it arrived")
		}
	}
	for _, m := range c.history.messages {
		if m.outcome == accepted && m.publish.must(c.before) && m.seq != 0 {
			c.learn(m, m.seq, "its publisher was told")
			if t := c.state.topics[m.topic.index]; t != nil && t.high < m.seq {
				c.fault("topic %s ends at %d, message %d was accepted as %d", m.topic.name, t.high, m.index, m.seq)
			}
		}
	}
	c.checkUnique()
}

// learn notes a message's sequence, from one of several who know.
func (c *checker) learn(m *messageLife, seq engine.Sequence, how string) {
	if old, known := c.seqs[m.index]; known && old != seq {
		c.fault("message %d has sequence %d, and %s as %d", m.index, old, how, seq)
	}
	c.seqs[m.index] = seq
}

func (c *checker) checkUnique() {
	type place struct {
		topic int
		seq   engine.Sequence
	}
	taken := map[place]int{}
	for index, seq := range c.seqs {
		at := place{c.history.messages[index].topic.index, seq}
		if other, twice := taken[at]; twice {
			c.fault("messages %d and %d have the same sequence %d of topic life %d", index, other, seq, at.topic)
		}
		taken[at] = index
	}
}

// trimmed reports whether a sequence is not kept any more.
func (t *storedTopic) trimmed(seq engine.Sequence) bool {
	if len(t.log) == 0 {
		return seq <= t.high
	}
	return seq < t.log[0].seq
}

// checkMessages looks where every message is: on the timer, held, or in its topic.
func (c *checker) checkMessages() {
	for _, m := range c.history.messages {
		t := c.state.topics[m.topic.index]
		_, held := c.state.held[m.index]
		waits := c.state.waiting[m.index]
		if !m.publish.may(c.after) || m.outcome == refused {
			if held || waits > 0 || c.inLog[m.index] {
				c.fault("message %d is there and was not published or was refused", m.index)
			}
			continue
		}
		if t == nil || m.topic.remove.may(c.after) {
			continue // its topic is gone or going
		}
		if waits > 1 || waits == 1 && c.inLog[m.index] || held && (waits > 0 || c.inLog[m.index]) {
			c.fault("message %d is in more than one place: held %v, waiting %d times, in the topic %v", m.index, held, waits, c.inLog[m.index])
		}
		switch {
		case m.held:
			c.checkHeld(m, held)
		case held:
			c.fault("message %d is held and nobody asked for that", m.index)
		case m.delayed():
			c.checkDelayed(m, t, waits)
		case waits > 0:
			c.fault("message %d waits and nobody asked for that", m.index)
		case m.publish.must(c.before) && !c.inLog[m.index] && !t.trimmed(m.seq):
			c.fault("message %d was accepted as %d of %s and is lost", m.index, m.seq, m.topic.name)
		}
	}
}

func (c *checker) checkHeld(m *messageLife, held bool) {
	switch {
	case held && c.state.held[m.index] != m.handle && m.publish.must(c.before):
		c.fault("held message %d has another handle than its publisher was told", m.index)
	case held && m.settle.must(c.before):
		c.fault("message %d was settled and is held again", m.index)
	case !held && !m.settle.may(c.after) && m.publish.must(c.before):
		c.fault("held message %d is lost", m.index)
	case c.inLog[m.index] && (!m.settle.may(c.after) || !m.commit):
		c.fault("held message %d was published and nobody said so", m.index)
	case m.settle.must(c.before) && m.commit && !c.inLog[m.index] && !c.mayBeTrimmed(m):
		c.fault("message %d was held, settled, and is lost", m.index)
	}
}

// mayBeTrimmed reports whether a message whose sequence nobody was told may be below what its topic keeps.
func (c *checker) mayBeTrimmed(m *messageLife) bool {
	t := c.state.topics[m.topic.index]
	if seq := c.seqs[m.index]; seq != 0 {
		return t.trimmed(seq)
	}
	return t.trimmed(1)
}

func (c *checker) checkDelayed(m *messageLife, t *storedTopic, waits int) {
	known := m.seq != 0
	switch {
	case c.inLog[m.index] && m.deliverAt > c.now+1:
		c.fault("message %d was due in %d ms and has its sequence already", m.index, m.deliverAt-c.now)
	case waits > 0 && known && m.publish.must(c.before):
		c.fault("message %d was accepted as %d and waits on the timer", m.index, m.seq)
	case waits > 0 || c.inLog[m.index] || !m.publish.must(c.before):
	case known && !t.trimmed(m.seq):
		c.fault("message %d was accepted as %d of %s and is lost", m.index, m.seq, m.topic.name)
	case !known && (m.deliverAt > c.now+1 || !c.mayBeTrimmed(m)):
		c.fault("delayed message %d is neither on the timer nor in its topic", m.index)
	}
}

// checkOrder looks at the messages of one publisher in one topic: what was answered before the next was begun
// comes first.
func (c *checker) checkOrder() {
	type stream struct{ publisher, topic int }
	last := map[stream]*messageLife{}
	for _, m := range c.history.messages {
		seq, known := c.seqs[m.index]
		if !known || m.held || m.delayed() {
			continue
		}
		s := stream{m.publisher, m.topic.index}
		if prev := last[s]; prev != nil && seq <= c.seqs[prev.index] {
			c.fault("publisher %d published message %d before %d, they are %d and %d of %s",
				m.publisher, prev.index, m.index, c.seqs[prev.index], seq, m.topic.name)
		}
		last[s] = m
	}
}
