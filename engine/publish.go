package engine

// Publish hands a message to the topic and returns when it is durable: its sequence is set then, unless
// it is due later. The caller keeps its reference, and must not change the message any more.
//
// It answers ErrBusy at once when the topic's shard is full, and ErrUnavailable when the store failed.
func (e *Engine) Publish(t *Topic, m *Message) error {
	if err := e.push(t, m); err != nil {
		return err
	}
	<-m.done
	return m.err
}

// PublishGroup is Publish for several messages, as one group with one wait for all of them; nil messages are passed over.
// They get their sequences in their order, and each its own error. More messages, or bytes, than a group may have make
// several groups.
func (e *Engine) PublishGroup(t *Topic, messages []*Message, errs []error) {
	var few [publishGroupFew]*Message
	group := few[:0]
	for _, m := range messages {
		if m == nil {
			continue
		}
		m.prepare(t)
		m.follows = len(group) > 0
		group = append(group, m)
	}
	pushed, err := t.shard.pushAll(group)
	for _, m := range group[pushed:] {
		m.Release()
	}
	for i, m := range messages {
		switch {
		case m == nil:
		case pushed == 0:
			errs[i] = err
		default:
			pushed--
			<-m.done
			errs[i] = m.err
		}
	}
}

// publishGroupFew is how many messages of a group cost no memory: as many as the egress puts into a queue together.
const publishGroupFew = 64

// push hands a message to its shard. Behind it the message's done channel gets one signal.
func (e *Engine) push(t *Topic, m *Message) error {
	m.prepare(t)
	if err := t.shard.push(m); err != nil {
		m.Release()
		return err
	}
	return nil
}

// prepare makes a message ready for its shard, which gets a reference.
func (m *Message) prepare(t *Topic) {
	m.topic, m.waited, m.err = t, true, nil
	if t.queue != nil {
		t.queue.delay(m)
	}
	if fifo := t.Config().FIFO; fifo != nil {
		m.setKey(fifo)
	}
	m.seal()
	m.Retain()
}

// Hold publishes a message that nobody gets before Settle says so: half of a transaction. The handle
// names it. It is dropped when nobody settled it for a day.
func (e *Engine) Hold(t *Topic, m *Message) (TimerKey, error) {
	m.held = true
	if err := e.Publish(t, m); err != nil {
		return TimerKey{}, err
	}
	return m.parked, nil
}

// Settle ends a hold: the message is published, or dropped. A handle is good once; for one that is
// unknown or used the answer is ErrHeldNotFound.
func (e *Engine) Settle(t *Topic, handle TimerKey, publish bool) error {
	return e.timers.settleHeld(t, handle, publish)
}
