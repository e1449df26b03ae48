package crashtest

import "fanfare/engine"

// fork returns a copy of the history that can go another way.
func (h *history) fork() *history {
	f := &history{arrivals: append([]arrival(nil), h.arrivals...), faults: append([]string(nil), h.faults...)}
	f.clock.Store(h.clock.Load())
	for _, t := range h.topics {
		c := *t
		c.subs, c.at = nil, nil
		f.topics = append(f.topics, &c)
	}
	for _, s := range h.subs {
		c := *s
		c.topic, c.at = f.topics[s.topic.index], nil
		c.settings = append([]settings(nil), s.settings...)
		f.subs = append(f.subs, &c)
	}
	for _, m := range h.messages {
		c := *m
		c.topic = f.topics[m.topic.index]
		f.messages = append(f.messages, &c)
	}
	return f
}

// rewind makes the history one in which the power cut happened: what came behind it never was, and what was open
// is decided by what the store holds.
func (h *history) rewind(x *cut, s *state) {
	for i, t := range h.topics {
		there := s.topics[i] != nil
		t.create = decide(t.create, x, there)
		t.remove = decide(t.remove, x, !there)
	}
	for i, sub := range h.subs {
		at := s.subs[i]
		sub.create = decide(sub.create, x, at != nil)
		sub.remove = decide(sub.remove, x, at == nil)
		for k := range sub.settings {
			sub.settings[k].span = decide(sub.settings[k].span, x, at != nil && at.revision >= k)
		}
	}
	where := s.places()
	for _, m := range h.messages {
		seq, there := where[m.index]
		h.rewindMessage(m, x, s, there)
		if there && m.outcome == unanswered {
			m.outcome, m.publish.end = accepted, x.after
			m.seq, m.handle = seq, s.held[m.index]
		}
	}
	kept := h.arrivals[:0]
	for _, a := range h.arrivals {
		if h.subs[a.sub].create.begin == 0 {
			continue // it got something while it was being made, and is not there
		}
		if a.tick <= x.before || a.tick <= x.after && h.arrivedBefore(a.message, s) {
			kept = append(kept, a)
		}
	}
	h.arrivals = kept
}

// arrivedBefore reports whether what arrived while the clone was made arrived before it: the clone knows the message
// as one that has its sequence.
func (h *history) arrivedBefore(message int, s *state) bool {
	_, held := s.held[message]
	return !held && s.waiting[message] == 0 && h.messages[message].outcome == accepted
}

// decide ends what a power cut found open.
func decide(s span, x *cut, happened bool) span {
	switch {
	case s.must(x.before):
		return s
	case s.may(x.after) && happened:
		return span{s.begin, x.after}
	default:
		return span{}
	}
}

// rewindMessage decides about one message. There says that the store has it somewhere.
func (h *history) rewindMessage(m *messageLife, x *cut, s *state, there bool) {
	_, held := s.held[m.index]
	switch {
	case m.publish.must(x.before), m.outcome == refused:
	case m.publish.may(x.after) && there:
		m.outcome, m.publish.end = unanswered, 0
	case m.publish.may(x.after) && h.mayBeOver(m, s):
		m.outcome, m.seq, m.publish.end = unanswered, 0, 0 // nobody can say
	default:
		m.outcome, m.seq, m.publish = unanswered, 0, span{}
	}
	if m.settle.must(x.before) {
		return
	}
	m.settle = decide(m.settle, x, !held)
}

// mayBeOver reports whether a message that the store does not have may have been stored, settled and trimmed.
func (h *history) mayBeOver(m *messageLife, s *state) bool {
	t := s.topics[m.topic.index]
	return t == nil || t.trimmed(1)
}

// places is where the store has messages, with their sequences, as far as they have one.
func (s *state) places() map[int]engine.Sequence {
	where := map[int]engine.Sequence{}
	for m := range s.waiting {
		where[m] = 0
	}
	for m := range s.held {
		where[m] = 0
	}
	for p := range s.parked {
		where[p.message] = 0
	}
	for _, sub := range s.subs {
		for m, d := range sub.dead {
			where[m] = d.seq
		}
	}
	for _, t := range s.topics {
		for _, r := range t.log {
			where[r.message] = r.seq
		}
	}
	return where
}
