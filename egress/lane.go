package egress

import (
	"net/url"
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
// lagging means seen >= next: the ring has shown messages that were not taken. The lane then remembers
// only its position, and the feeder of its worker reads on from the store when there is room.
type lane struct {
	egress *Egress              // immutable
	worker *worker              // immutable
	sub    *engine.Subscription // immutable

	mu       sync.Mutex
	settings *settings       // guarded by mu; itself immutable
	next     engine.Sequence // guarded by mu: the next sequence to take
	seen     engine.Sequence // guarded by mu: the last sequence that is durable, as far as the lane was told
	progress engine.Progress // guarded by mu
	queue    queue           // guarded by mu: taken, not being pushed
	held     int             // guarded by mu: deliveries taken and not settled or parked
	heldSize int             // guarded by mu: their bytes
	pushers  int             // guarded by mu: goroutines
	wanted   int             // guarded by mu: size of the next message when it found no room, else 0
	feeding  bool            // guarded by mu: in the feeder's hands
	closed   bool            // guarded by mu
	dirty    bool            // guarded by mu: progress is to be saved

	failures    int       // guarded by mu: in a row
	paused      bool      // guarded by mu
	probing     bool      // guarded by mu: one push is let through
	probeAt     time.Time // guarded by mu
	shallow     bool      // guarded by mu: the endpoint does not keep connections, so nothing is pipelined
	lastFailure string    // guarded by mu

	saved engine.Sequence // worker only: the floor that was saved last
	noted bool            // worker only: in the list of lanes whose progress goes with the notes
}

// settings is what a lane derives from its subscription's configuration.
type settings struct {
	config   *engine.SubscriptionConfig
	kind     Kind
	encoder  Encoder
	endpoint *endpoint
	head     []byte // request line and Host header
	conns    int    // connections at the most
	timeout  time.Duration
}

func (e *Egress) newSettings(s *engine.Subscription) *settings {
	c := s.Config()
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		panic("BUG: egress: an endpoint that was checked does not parse: " + err.Error())
	}
	kind := e.kinds[c.Kind]
	target := u.RequestURI()
	if d, ok := kind.(DefaultPather); ok && u.Path == "" {
		target = d.DefaultPath() + target[len("/"):]
	}
	set := &settings{
		config:   c,
		kind:     kind,
		encoder:  kind.Compile(s),
		endpoint: e.endpoints.acquire(e, u),
		head:     []byte("POST " + target + " HTTP/1.1\r\nHost: " + u.Host + "\r\n"),
		conns:    (c.MaxInFlight + c.Pipeline - 1) / c.Pipeline,
		timeout:  c.Retry.Timeout,
	}
	if set.timeout == 0 {
		set.timeout = kind.Timeout()
	}
	return set
}

// Offer takes a message from the ring, if it is the next one and there is room.
func (l *lane) Offer(m *engine.Message) {
	l.mu.Lock()
	l.seen = max(l.seen, m.Sequence())
	if !l.closed && !l.takeLocked(m) {
		l.feedLocked()
	}
	l.mu.Unlock()
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
	l.pushLocked(delivery{m: m})
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

func (l *lane) roomLocked(size int) bool {
	return l.held < l.egress.opts.WindowMessages && l.heldSize+size <= l.egress.opts.WindowBytes
}

// pushLocked queues a delivery and starts a pusher for it if one more may run.
func (l *lane) pushLocked(d delivery) {
	l.held++
	l.heldSize += d.m.Size()
	l.queue.pushBack(d)
	l.startLocked()
}

// startLocked starts one pusher if there is something for it to push and one more may run.
func (l *lane) startLocked() {
	if l.queue.len == 0 || l.pushers >= l.settings.conns || l.paused && !l.probing || l.egress.draining.Load() {
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
	if l.feeding || l.closed || l.paused || l.seen < l.next || l.egress.draining.Load() {
		return
	}
	if l.held > l.egress.opts.WindowMessages/2 || l.heldSize > l.egress.opts.WindowBytes/2 || !l.progress.Room(l.next) {
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

// batch moves the next deliveries into the pusher's hands, as many as one write may carry, with the settings to
// push them by. Those whose time is over are not among them. When there are none the pusher ends.
func (l *lane) batch(into []delivery) ([]delivery, *settings) {
	l.mu.Lock()
	defer l.mu.Unlock()
	depth := l.settings.config.Pipeline
	if l.shallow || l.probing {
		depth = 1
	}
	now := time.Now().UnixMilli()
	for len(into) < depth && l.queue.len > 0 && (!l.paused || l.probing) && !l.egress.draining.Load() {
		d := l.queue.popFront()
		switch reason := l.overdue(&d, now); reason {
		case "":
			into = append(into, d)
		case reasonExpired:
			l.egress.stats.expired.Add(1)
			l.endLocked(d)
		default:
			l.worker.bury(l, d, reason, 0, nil)
		}
	}
	if len(into) == 0 {
		l.pushers--
		if l.probing && l.pushers == 0 {
			l.probing, l.paused = false, false // nothing is left to probe with
		}
		l.feedLocked()
	}
	return into, l.settings
}

// The reasons in dead letters.
const (
	reasonExpired  = "expired"
	reasonAge      = "max_age"
	reasonAttempts = "max_attempts"
	reasonRefused  = "refused"
)

// overdue says why a delivery is not to be tried any more, "" when it is.
func (l *lane) overdue(d *delivery, now int64) string {
	p := &l.settings.config.Retry
	switch {
	case d.m.ExpiresAt() != 0 && d.m.ExpiresAt() <= now:
		return reasonExpired
	case d.attempts > 0 && now-max(d.m.PublishedAt(), d.m.DeliverAt()) > p.MaxAge.Milliseconds():
		return reasonAge
	case p.MaxAttempts > 0 && d.attempts >= p.MaxAttempts:
		return reasonAttempts
	}
	return ""
}

// endLocked ends a delivery: it is settled, and the lane lets go of it.
func (l *lane) endLocked(d delivery) {
	if d.entry.IsZero() {
		if !l.closed {
			l.settleLocked(d.m.Sequence())
		}
	} else {
		l.worker.forget(d.entry)
	}
	l.dropLocked(d)
}

// dropLocked lets go of a delivery.
func (l *lane) dropLocked(d delivery) {
	l.held--
	l.heldSize -= d.m.Size()
	d.m.Release()
}

// result is what became of one delivery of a batch.
type result struct {
	outcome    Outcome
	untried    bool // the request was written behind one that failed, or not at all: no attempt
	status     int
	retryAfter time.Duration
	failure    string // in words, for the lane's state
	answer     []byte // piece of the answer, copied
}

// finish settles what a pusher tried. results[i] belongs to batch[i].
func (l *lane) finish(batch []delivery, results []result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(batch) - 1; i >= 0; i-- {
		d, r := batch[i], &results[i]
		switch {
		case l.closed:
			l.endLocked(d)
		case r.untried:
			l.queue.pushFront(d)
		case r.outcome == Delivered:
			l.egress.stats.delivered.Add(1)
			l.recoverLocked()
			l.endLocked(d)
		default:
			l.failedLocked(d, r)
		}
	}
	l.feedLocked()
}

// failedLocked decides how a delivery goes on after a failed attempt.
func (l *lane) failedLocked(d delivery, r *result) {
	now := time.Now()
	d.attempts++
	l.lastFailure = r.failure
	if r.outcome == Dead {
		l.recoverLocked() // the endpoint is alive, it just does not want this one
		l.egress.stats.refused.Add(1)
		l.worker.bury(l, d, reasonRefused, r.status, r.answer)
		return
	}
	l.egress.stats.failed.Add(1)
	l.failures++
	policy := &l.settings.config.Retry
	if reason := l.overdue(&d, now.UnixMilli()); reason == reasonExpired {
		l.egress.stats.expired.Add(1)
		l.endLocked(d)
		return
	} else if reason != "" {
		l.worker.bury(l, d, reason, r.status, r.answer)
		return
	}
	wait := backoff(policy, d.attempts, r.retryAfter)
	if l.failures < l.egress.opts.BreakerFailures {
		l.worker.retry(l, d, now.Add(wait))
		return
	}
	// The endpoint is down rather than this message bad: it waits in its place, without a copy.
	l.queue.pushFront(d)
	if !l.paused || l.probing {
		l.paused, l.probing = true, false
		over := l.failures - l.egress.opts.BreakerFailures + 1
		probe := min(ceiling(policy, over), l.egress.opts.BreakerDelayMax)
		l.probeAt = now.Add(max(probe/2+wait%(probe/2+1), min(r.retryAfter, policy.MaxDelay)))
		l.worker.pause(l)
	}
}

// recoverLocked notes that the endpoint answered.
func (l *lane) recoverLocked() {
	l.failures = 0
	if l.paused {
		l.paused, l.probing = false, false
		for range min(l.queue.len, l.settings.conns) {
			l.startLocked()
		}
	}
}

// probe lets one push through if it is time, and reports whether the lane is still paused behind it.
func (l *lane) probe(now time.Time) (stillPaused bool, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.paused || l.closed {
		l.worker.resume(l)
		return false, time.Time{}
	}
	if l.probing || now.Before(l.probeAt) {
		return true, l.probeAt
	}
	if l.queue.len == 0 { // the next message finds out
		l.paused = false
		l.failures = l.egress.opts.BreakerFailures - 1
		l.worker.resume(l)
		l.feedLocked()
		return false, time.Time{}
	}
	l.probing = true
	l.startLocked()
	return true, l.probeAt
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
		if old.config.Endpoint != set.config.Endpoint && l.paused {
			l.probeAt = time.Now()
			l.worker.pause(l)
		}
	}
	l.egress.endpoints.release(old.endpoint)
}

// State is what a lane is doing, for reports.
type State struct {
	Name        string // live, lagging or paused
	Floor       engine.Sequence
	Next        engine.Sequence
	High        engine.Sequence
	Held        int
	Connections int
	LastFailure string
	Probe       time.Time // of a paused lane
}

func (l *lane) state() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := State{
		Name: "live", Floor: l.progress.Floor, Next: l.next, High: l.sub.Topic.High(),
		Held: l.held, Connections: l.pushers, LastFailure: l.lastFailure,
	}
	switch {
	case l.paused:
		s.Name, s.Probe = "paused", l.probeAt
	case l.seen >= l.next:
		s.Name = "lagging"
	}
	return s
}
