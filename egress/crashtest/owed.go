package crashtest

// matches says what a subscription's filter meant for a message from the publish on: all settings that it may have
// had since then, or none of them.
func (c *checker) matches(s *subLife, m *messageLife) (always, never bool) {
	always, never = true, true
	for i, set := range s.settings {
		if !set.may(c.after) {
			continue
		}
		// Settings that were replaced before the publish began do not count.
		replaced := false
		for _, later := range s.settings[i+1:] {
			replaced = replaced || later.must(m.publish.begin)
		}
		if replaced {
			continue
		}
		if set.tag == "" || set.tag == m.tag {
			never = false
		} else {
			always = false
		}
	}
	return always, never
}

// published is when a message got into its topic: not before begin, and before end when that is not 0.
func (c *checker) published(m *messageLife) (begin, end uint64) {
	switch {
	case m.held && (!m.commit || !m.settle.may(c.after)):
		return 0, 0
	case m.held:
		begin, end = m.settle.begin, m.settle.end
	case !m.publish.may(c.after):
		return 0, 0
	default:
		begin = m.publish.begin
		if m.seq != 0 {
			end = m.publish.end
		}
	}
	if first := c.evidence.first[m.index]; first != 0 && (end == 0 || first < end) {
		end = first
	}
	return begin, end
}

// owed reports whether a subscription has a claim on a message.
func (c *checker) owed(s *subLife, m *messageLife) bool {
	begin, _ := c.published(m)
	done := m.publish.must(c.before) && m.outcome == accepted
	if m.held {
		done = done && m.settle.must(c.before)
	}
	if always, _ := c.matches(s, m); !always {
		return false
	}
	return begin != 0 && done && s.create.must(begin-1) && !s.goneMay(c.after)
}

// forbidden says why a subscription must not get a message, "" when it may.
func (c *checker) forbidden(s *subLife, m *messageLife) string {
	begin, end := c.published(m)
	_, never := c.matches(s, m)
	switch {
	case m.outcome == refused:
		return "it was refused"
	case begin == 0 && m.held:
		return "it is held or was dropped"
	case begin == 0:
		return "it was not published"
	case !s.create.may(c.after):
		return "there is no such subscription"
	case end != 0 && end <= c.before && end < s.create.begin:
		return "it was published before the subscription was made"
	case s.goneMust(begin - 1):
		return "it was published after the subscription had ended"
	case never:
		return "it does not match"
	case m.expiresAt != 0 && m.expiresAt < m.published:
		return "it had expired before it was published"
	}
	return ""
}

// checkPair looks at what became of one message for one subscription.
func (c *checker) checkPair(s *subLife, m *messageLife) {
	p := pair{s.index, m.index}
	why := c.forbidden(s, m)
	if why != "" && c.evidence.delivered[p] > 0 {
		c.fault("subscription life %d got message %d: %s", s.index, m.index, why)
	}
	at := c.state.subs[s.index]
	if at == nil {
		return
	}
	parked := c.state.parked[p]
	letter, dead := at.dead[m.index]
	seq := c.seqs[m.index]
	unsettled := seq != 0 && c.inLog[m.index] && !at.progress.Settled(seq)
	places := parked
	if dead {
		places++
		c.checkLetter(s, m, &letter)
	}
	if why != "" && places > 0 && (m.expiresAt == 0 || m.expiresAt >= m.published) {
		c.fault("subscription life %d has message %d on the timer %d times, in the dead letters %v: %s", s.index, m.index, parked, dead, why)
	}
	if unsettled {
		places++
		_, end := c.published(m)
		if end != 0 && end <= c.before && end < s.create.begin {
			c.fault("subscription life %d is owed message %d, which was published before it was made", s.index, m.index)
		}
	}
	if places > 1 {
		c.fault("subscription life %d has message %d (sequence %d) more than once: unsettled %v, on the timer %d times, in the dead letters %v",
			s.index, m.index, seq, unsettled, parked, dead)
	}
	if !c.owed(s, m) {
		return
	}
	c.obliged++
	if unsettled || parked > 0 {
		c.open = append(c.open, p)
	}
	if places == 0 && c.state.waiting[m.index] == 0 && !c.ended(p, m) {
		c.fault("subscription life %d lost message %d: sequence %d of %s, settled %v, in the topic %v, and nothing says why",
			s.index, m.index, seq, m.topic.name, seq != 0 && at.progress.Settled(seq), c.inLog[m.index])
	}
}

// ended reports whether there is evidence that a delivery is settled.
func (c *checker) ended(p pair, m *messageLife) bool {
	return c.evidence.delivered[p] > 0 || m.expiresAt != 0 && m.expiresAt <= c.now
}

// checkLetter looks whether a dead letter has a reason that the model allows.
func (c *checker) checkLetter(s *subLife, m *messageLife, d *deadLetter) {
	if seq := c.seqs[m.index]; seq != 0 && seq != d.seq {
		c.fault("the dead letter of message %d has sequence %d, the message %d", m.index, d.seq, seq)
	}
	allowed := false
	for _, set := range s.settings {
		if !set.may(c.after) {
			continue
		}
		switch d.Reason {
		case "max_attempts":
			allowed = allowed || set.attempts > 0 && d.Attempts >= set.attempts
		case "max_age":
			// It ends with the attempt behind which the next one would come too late.
			allowed = allowed || set.age > 0 && d.At-max(m.published, m.deliverAt) > (set.age-retryDelayMax).Milliseconds()-1
		case "refused":
			allowed = allowed || c.evidence.refused[pair{s.index, m.index}]
		case "expired":
			allowed = allowed || m.expiresAt != 0 && m.expiresAt <= c.now
		}
	}
	if !allowed {
		c.fault("the dead letter of message %d for subscription life %d has reason %q after %d attempts, which cannot be",
			m.index, s.index, d.Reason, d.Attempts)
	}
}

// checkArrivals looks at what the endpoints got.
func (c *checker) checkArrivals() {
	c.history.mu.Lock()
	c.wrong = append(c.wrong, c.history.faults...)
	c.history.mu.Unlock()
	for _, a := range c.evidence.all {
		if a.sub >= len(c.history.subs) || c.history.subs[a.sub].topic != c.history.messages[a.message].topic {
			c.fault("subscription life %d got message %d, which is not of its topic", a.sub, a.message)
		}
	}
}
