package egress

import "fanfare/engine"

// delivery is one message owed to the lane's subscription. It is copied about: it fills one cache line, and no more.
type delivery struct {
	m        *engine.Message
	attempts int             // made so far
	since    int64           // when it began, ms since 1970; 0: with its message
	again    int64           // when its policy wants the next attempt, ms since 1970; one before it is a probe
	epoch    int32           // of the lane when it was taken
	dead     bool            // it is a dead letter on its way to the subscription's queue
	entry    engine.TimerKey // of the timer it came from; zero for one that is in the progress
	group    *group          // it is in flight of; nil for one that waits, or is in none
}

// queue is a first-in first-out of deliveries that can also take one back at its front. It keeps its
// memory while it is in use, and none when it is dropped.
type queue struct {
	slots []delivery // length is a power of two, or 0
	head  int
	len   int
}

func (q *queue) grow() {
	slots := make([]delivery, max(8, 2*len(q.slots)))
	for i := range q.len {
		slots[i] = q.slots[(q.head+i)&(len(q.slots)-1)]
	}
	q.slots, q.head = slots, 0
}

func (q *queue) pushBack(d delivery) {
	if q.len == len(q.slots) {
		q.grow()
	}
	q.slots[(q.head+q.len)&(len(q.slots)-1)] = d
	q.len++
}

func (q *queue) pushFront(d delivery) {
	if q.len == len(q.slots) {
		q.grow()
	}
	q.head = (q.head - 1) & (len(q.slots) - 1)
	q.slots[q.head] = d
	q.len++
}

func (q *queue) popFront() delivery {
	d := q.slots[q.head]
	q.slots[q.head] = delivery{}
	q.head = (q.head + 1) & (len(q.slots) - 1)
	q.len--
	return d
}
