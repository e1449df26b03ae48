package egress

import (
	"sync"
	"time"

	"fanfare/engine"
)

// A lane owns one subscription's pushes.
//
//	        room, next = seen+1                     BreakerFailures in a row
//	live ─────────────────────> live       live, lagging ──────────────> paused
//	live ──window full────────> lagging    paused ──a probe succeeds───> live or lagging
//	lagging ──caught up───────> live
//
// next is the one truth about what comes: a message is taken when its sequence is next and there is room,
// whether it comes from the ring (Offer) or from the store (the feeder). So there is no gap and no double
// between the two, and catching up is nothing but a message from the ring being next again.
//
// A message that the topic knows not to concern the lane is not offered. So what lies between next and a message that
// is offered to a live lane was passed over, and is settled. A lagging lane finds such messages in the store, and
// leaves them out by itself.
//
// lagging means seen >= next: the ring has shown messages that were not taken. The lane then remembers
// only its position, and the feeder of its worker reads on from the store when there is room.
type lane struct {
	egress *Egress              // immutable
	worker *worker              // immutable
	sub    *engine.Subscription // immutable

	mu       sync.Mutex
	settings *settings       // guarded by mu; itself immutable
	epoch    int32           // guarded by mu: counts how often the lane was rewound
	rewound  int64           // guarded by mu: when it was last, ms since 1970; what is taken is no older than that
	next     engine.Sequence // guarded by mu: the next sequence to take
	seen     engine.Sequence // guarded by mu: the last sequence that is durable, as far as the lane was told
	progress engine.Progress // guarded by mu
	queue    queue           // guarded by mu: taken, in no group, not being pushed
	groups   *groups         // guarded by mu: taken, each in a group; nil before the first
	window   int             // guarded by mu: messages it may hold
	held     int             // guarded by mu: deliveries taken and not settled or parked
	heldSize int             // guarded by mu: their bytes
	pushers  int             // guarded by mu: goroutines
	wanted   int             // guarded by mu: size of the next message when it found no room, else 0
	feeding  bool            // guarded by mu: in the feeder's hands
	closed   bool            // guarded by mu
	dirty    bool            // guarded by mu: progress is to be saved

	failures    int         // guarded by mu: in a row
	paused      bool        // guarded by mu
	probing     bool        // guarded by mu: one push is let through
	probeAt     time.Time   // guarded by mu
	shallow     bool        // guarded by mu: the endpoint does not keep connections, so nothing is pipelined
	lastFailure string      // guarded by mu
	failedAt    time.Time   // guarded by mu
	slot        time.Time   // guarded by mu: when the next push may begin, with a limit of pushes per second
	resting     bool        // guarded by mu: a pusher waits for its slot
	ungrouped   bool        // guarded by mu: the last that was taken to be pushed was in no group, or there was none
	alarm       *time.Timer // guarded by mu: for the groups that rest; nil before the first
	alarmAt     int64       // guarded by mu: when it comes, ms since 1970; 0: it is not set
	redrive     *lane       // guarded by mu: pushes dead letters to the subscription's queue; nil before the first
	queueOnly   bool        // immutable: this is such a lane; it takes nothing of the topic

	saved engine.Sequence // worker only: the floor that was saved last
	noted bool            // worker only: in the list of lanes whose progress goes with the notes
}

// Offer takes a message from the ring, if it is the next one and there is room.
func (l *lane) Offer(m *engine.Message) {
	l.mu.Lock()
	if m.Sequence() > l.next {
		l.passLocked(m.Sequence() - 1)
	}
	l.seen = max(l.seen, m.Sequence())
	if !l.closed && !l.takeLocked(m) {
		l.feedLocked()
	}
	l.mu.Unlock()
}

// pass settles what the topic passed the lane over with.
func (l *lane) pass() {
	l.mu.Lock()
	l.passLocked(l.sub.Topic.Passed())
	l.mu.Unlock()
}

// passLocked settles what lies between next and the end of what was offered to whom it concerns, if the lane is live.
func (l *lane) passLocked(to engine.Sequence) {
	if to < l.next || l.seen >= l.next || l.closed {
		return
	}
	if l.progress.Floor+1 < l.next || l.progress.Marked() > 0 {
		to = min(to, l.progress.Floor+engine.ProgressWindow)
	}
	if to < l.next {
		return
	}
	l.progress.SettleRange(l.next, to)
	l.next = to + 1
	l.dirtyLocked()
}

// takeLocked takes a message if it is the next one and there is room, and reports whether it did, or had before.
func (l *lane) takeLocked(m *engine.Message) bool {
	seq := m.Sequence()
	switch {
	case seq < l.next:
		return true
	case seq > l.next || !l.progress.Room(seq):
		return false
	case l.progress.Settled(seq) || !l.settings.config.Matches(m):
		l.next++
		l.settleLocked(seq)
		return true
	case l.held > 0 && !l.roomLocked(m.Size()):
		l.wanted = m.Size()
		return false
	}
	l.next++
	l.wanted = 0
	m.Retain()
	l.pushLocked(delivery{m: m, epoch: l.epoch, since: l.rewound})
	return true
}

// skipLocked settles the sequences from next up to one, excluded: the store has nothing for them.
func (l *lane) skipLocked(to engine.Sequence) {
	for l.next < to && l.progress.Room(l.next) {
		if !l.progress.Settled(l.next) {
			l.egress.stats.missing.Add(1)
		}
		l.settleLocked(l.next)
		l.next++
	}
}

// windowMin is how many messages a lane holds that has yet to show that its endpoint takes them: enough to keep what may
// be in flight in flight. The window grows with every acknowledgement up to WindowMessages, and halves with every failure, so
// that very many endpoints that never answer cost little.
func (l *lane) windowMin() int {
	return min(2*max(l.settings.config.MaxInFlight, 1), l.egress.opts.WindowMessages)
}

// roomLocked reports whether a message of a size fits into the window, beside those that are there. A lane that
// holds none takes one without asking.
func (l *lane) roomLocked(size int) bool {
	return l.held < l.window && l.heldSize+size <= min(l.egress.opts.WindowBytes, l.egress.share())
}

// pushLocked queues a delivery and starts a pusher for it if one more may run.
func (l *lane) pushLocked(d delivery) {
	l.holdLocked(d)
	if l.settings.config.Ordered && l.orderLocked(d) {
		return
	}
	l.queue.pushBack(d)
	l.startLocked()
}

// holdLocked counts a delivery among those the lane has; dropLocked lets go of it.
func (l *lane) holdLocked(d delivery) {
	l.held++
	l.heldSize += d.m.Size()
	l.egress.held.Add(int64(d.m.Size()))
}

// startLocked starts one pusher if there is something for it to push and one more may run.
func (l *lane) startLocked() {
	if l.waitsLocked() == 0 || l.pushers >= l.settings.conns || l.resting || l.paused && !l.probing || l.egress.draining.Load() {
		return
	}
	if l.probing && l.pushers > 0 {
		return
	}
	l.pushers++
	l.egress.startPusher(l)
}

// feedLocked hands a lagging lane to the feeder when there is room for a worthwhile read.
func (l *lane) feedLocked() {
	if l.queueOnly || l.feeding || l.closed || l.paused || l.seen < l.next || l.egress.draining.Load() {
		return
	}
	// What waits in resting groups may do so for long; half of the rest of the window has to be free.
	blocked, heavy := l.groups.blocks()
	if l.held-blocked > (l.window-blocked)/2 || l.heldSize-heavy > (l.egress.opts.WindowBytes-heavy)/2 || !l.progress.Room(l.next) {
		return
	}
	if l.held > 0 && !l.roomLocked(l.wanted) {
		return // it was read once and did not fit; reading it again would not help
	}
	l.feeding = true
	l.worker.feed(l)
}

// settleLocked marks a sequence as settled.
func (l *lane) settleLocked(seq engine.Sequence) {
	l.progress.Settle(seq)
	l.dirtyLocked()
}

// dirtyLocked has the progress saved.
func (l *lane) dirtyLocked() {
	if !l.dirty {
		l.dirty = true
		l.worker.markDirty(l)
	}
}

// due takes one more try of a delivery. With ok false it has to come back at the time.
func (l *lane) due(d delivery) (at time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	soon := time.Now().Add(snoozeDelay)
	switch {
	case l.closed:
		l.worker.forget(d.entry)
		d.m.Release()
		return time.Time{}, true
	case l.paused && l.probeAt.After(soon):
		return l.probeAt, false
	case l.paused, l.held > 0 && !l.roomLocked(d.m.Size()), l.egress.draining.Load():
		return soon, false
	}
	l.pushLocked(d)
	return time.Time{}, true
}

const snoozeDelay = 100 * time.Millisecond

// batchBytesMax is the size of the messages of one write behind which no further one is added.
const batchBytesMax = 128 << 10

// batch moves the next deliveries into the pusher's hands, as many as one write may carry, with the settings to
// push them by. Those whose time is over are not among them. When there are none the pusher ends. With a limit of
// pushes per second it is one, and the pusher has to wait for its slot; then it calls rested.
func (l *lane) batch(into []delivery) (_ []delivery, _ *settings, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	depth := l.settings.depth
	if l.shallow || l.probing || l.settings.interval > 0 {
		depth = 1
	}
	clock := time.Now()
	now := clock.UnixMilli()
	if l.resting {
		depth = 0 // one waits for its slot already; it starts the next when the slot has come
	}
	size := 0
	var begun *group // the next may be of it, too
	for len(into) < depth && size < l.settings.bytes && (begun != nil || l.waitsLocked() > 0) && (!l.paused || l.probing) && !l.egress.draining.Load() {
		var d delivery
		if l.groups == nil {
			d = l.queue.popFront()
		} else {
			d, begun = l.popLocked(begun), nil
		}
		switch reason := l.overdue(&d, now); reason {
		case "":
			into = append(into, d)
			size += d.m.Size()
			if l.settings.serial && d.group != nil && d.group.first != nil {
				begun = d.group
			}
		case engine.ReasonExpired:
			l.egress.stats.expired.Add(1)
			l.endLocked(d)
		default:
			l.worker.bury(l, d, engine.DeadLetter{Reason: reason, Failure: l.lastFailure})
		}
	}
	if l.settings.interval > 0 && len(into) > 0 {
		if l.slot.After(clock) {
			wait, l.resting = l.slot.Sub(clock), true
			clock = l.slot
		}
		l.slot = clock.Add(l.settings.interval)
	}
	if len(into) == 0 {
		l.pushers--
		if l.probing && l.pushers == 0 {
			l.probing, l.paused = false, false // nothing is left to probe with
		}
		l.feedLocked()
	} else if l.groups.goes() {
		l.startLocked() // groups become ready many at a time
	}
	return into, l.settings, wait
}

// rested tells that a pusher's slot has come: the next one may wait for its own.
func (l *lane) rested() {
	l.mu.Lock()
	l.resting = false
	l.startLocked()
	l.mu.Unlock()
}

// close drops everything the lane holds; pushes under way end by themselves.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	for l.queue.len > 0 {
		l.endLocked(l.queue.popFront())
	}
	l.purgeLocked(l.endLocked)
	if l.redrive != nil {
		l.redrive.close()
	}
	l.egress.endpoints.release(l.settings.endpoint)
}

// update takes over new settings; pushes under way end with the old ones.
func (l *lane) update(set *settings) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.settings
	if l.closed {
		old = set
	} else {
		l.settings = set
		l.shallow = false
		if set.config.Ordered && !old.config.Ordered {
			l.regroupLocked()
		}
		if l.redrive != nil && set.config.DeadLetters.Queue != "" {
			l.redrive.update(l.egress.queueSettings(set))
		}
		if old.config.Endpoint != set.config.Endpoint && l.paused {
			l.probeAt = time.Now()
			l.worker.pause(l)
		}
	}
	l.egress.endpoints.release(old.endpoint)
}
