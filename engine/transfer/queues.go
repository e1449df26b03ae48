package transfer

import "fanfare/engine"

// stateKinds are the kinds of states there are, in their order.
var stateKinds = [...]engine.StateKind{engine.StateReceived, engine.StatePublished}

// queue writes a queue and its messages.
func (e *export) queue(id engine.TopicID) error {
	p, err := e.queueProgress(id)
	if err != nil {
		return err
	}
	e.out.begin(uint64(id), uint64(p.Next), p.Gone, uint64(p.High))
	e.put(kindQueue, nil)
	return e.read(e.store.ReadTopic(id, 1, p.High, func(seq engine.Sequence, record []byte) bool {
		e.out.begin(uint64(id), uint64(seq))
		return e.put(kindMessage, record)
	}))
}

// queueProgress reads how far a queue has come. What it had last counts also where the progress does not say so, since that
// may be gone from the store it is imported into; and a progress that is damaged is made anew.
func (e *export) queueProgress(id engine.TopicID) (p engine.QueueProgress, err error) {
	stored, err := e.store.ReadProgress(engine.SubscriptionID(id))
	if err != nil {
		return p, err
	}
	high, err := e.store.HighWater(id)
	if err != nil {
		return p, err
	}
	p, ok := engine.ParseQueueProgress(stored)
	if !ok {
		messages := uint64(0)
		err = e.store.ReadTopic(id, 1, high, func(engine.Sequence, []byte) bool { messages++; return true })
		p = engine.QueueProgress{Next: 1, Gone: uint64(high) - messages}
	}
	p.High = max(p.High, high)
	p.Next, p.Gone = min(p.Next, p.High+1), min(p.Gone, uint64(p.High))
	return p, err
}

// states writes the states of a topic or queue.
func (e *export) states(id engine.TopicID) error {
	for _, kind := range stateKinds {
		err := e.store.ReadStates(id, kind, 0, func(seq engine.Sequence, value []byte) bool {
			e.out.begin(uint64(id), uint64(kind), uint64(seq))
			return e.put(kindState, value)
		})
		if err = e.read(err); err != nil {
			return err
		}
	}
	return nil
}

func (i *importer) queueEntry(payload []byte) bool {
	n, rest, ok := numbers(payload, 4)
	id, p := engine.TopicID(n[0]), engine.QueueProgress{Next: engine.Sequence(n[1]), Gone: n[2], High: engine.Sequence(n[3])}
	seen, known := i.queues[id]
	if !ok || len(rest) > 0 || !known || seen || !i.whole() || id <= i.topic {
		return false
	}
	if p.Next == 0 || p.High+1 == 0 || p.Next > p.High+1 || p.Gone > uint64(p.High) {
		return false
	}
	i.queues[id] = true
	i.begin(id, true, 1, p.High)
	if (p != engine.QueueProgress{Next: 1}) {
		i.batch.SaveProgress(engine.SubscriptionID(id), p.AppendBytes(nil))
	}
	return true
}

func (i *importer) stateEntry(payload []byte) bool {
	n, value, ok := numbers(payload, 3)
	kind, seq := engine.StateKind(n[1]), engine.Sequence(n[2])
	if !ok || i.topic == 0 || engine.TopicID(n[0]) != i.topic || !i.whole() {
		return false
	}
	if n[1] != uint64(stateKinds[0]) && n[1] != uint64(stateKinds[1]) || kind < i.state || kind == i.state && seq <= i.stated {
		return false
	}
	i.part, i.state, i.stated = 2, kind, seq
	i.batch.PutState(i.topic, kind, seq, value)
	return true
}
