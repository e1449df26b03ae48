package visibility

import "container/heap"

// Entry is one message.
type Entry struct {
	Sequence uint64
	SentAt   int64  // ms since 1970
	FirstAt  int64  // when it was first received, ms since 1970; 0: never
	Receives uint32 // how often it was
	Held     any    // what the caller keeps with it

	until    int64 // when it becomes visible, ms since 1970; only while it is hidden
	at       int   // in the heap of the hidden ones; -1 for a visible one
	inFlight bool  // it is hidden since it was received

	group      *group
	next, prev *Entry // in the group
	own        group  // of an entry that belongs to none
}

// InFlight reports whether the message was received and is hidden since.
func (e *Entry) InFlight() bool { return e.inFlight }

// Until is when a hidden message becomes visible, in ms since 1970.
func (e *Entry) Until() int64 { return e.until }

// group is messages that are taken in their order: a ready one has none in flight, and its first is visible.
type group struct {
	key         uint64
	first, last *Entry
	inFlight    int
	at          int // in the heap of the ready ones; -1 for one that is not
}

// Table knows the messages of a queue. Use New.
type Table struct {
	entries  map[uint64]*Entry
	groups   map[uint64]*group
	hidden   heapOf[*Entry]
	ready    heapOf[*group]
	inFlight int
	free     []*Entry // for the next use
	idle     []*group // likewise
}

// freeMax is how many entries, and how many groups, are kept for the next use.
const freeMax = 64

// New returns an empty table.
func New() *Table {
	return &Table{entries: map[uint64]*Entry{}, groups: map[uint64]*group{}}
}

// Len is how many messages there are, InFlight how many of them are in flight.
func (t *Table) Len() int { return len(t.entries) }

// InFlight is how many messages are in flight.
func (t *Table) InFlight() int { return t.inFlight }

// Get finds a message, nil when there is none.
func (t *Table) Get(sequence uint64) *Entry { return t.entries[sequence] }

// Add adds a message that belongs to no group. It is visible.
func (t *Table) Add(sequence uint64) *Entry {
	e := t.add(sequence)
	e.own = group{at: -1}
	t.link(e, &e.own)
	return e
}

// AddTo adds a message to a group, behind those that are there. It is visible.
func (t *Table) AddTo(key, sequence uint64) *Entry {
	e := t.add(sequence)
	g := t.groups[key]
	if g == nil {
		if n := len(t.idle); n > 0 {
			g, t.idle = t.idle[n-1], t.idle[:n-1]
		} else {
			g = &group{}
		}
		*g = group{key: key, at: -1}
		t.groups[key] = g
	}
	t.link(e, g)
	return e
}

func (t *Table) add(sequence uint64) *Entry {
	if t.entries[sequence] != nil {
		panic("BUG: visibility: a message is added twice")
	}
	var e *Entry
	if n := len(t.free); n > 0 {
		e, t.free = t.free[n-1], t.free[:n-1]
	} else {
		e = &Entry{}
	}
	*e = Entry{Sequence: sequence, at: -1}
	t.entries[sequence] = e
	return e
}

func (t *Table) link(e *Entry, g *group) {
	e.group, e.prev = g, g.last
	if g.last == nil {
		g.first = e
	} else {
		g.last.next = e
	}
	g.last = e
	t.settle(g)
}

// settle puts a group among the ready ones, or takes it away.
func (t *Table) settle(g *group) {
	isReady := g.first != nil && g.inFlight == 0 && g.first.at < 0
	switch {
	case isReady && g.at < 0:
		heap.Push(&t.ready, g)
	case isReady:
		heap.Fix(&t.ready, g.at)
	case g.at >= 0:
		heap.Remove(&t.ready, g.at)
	}
}

// Remove takes a message out.
func (t *Table) Remove(e *Entry) {
	t.reveal(e)
	g := e.group
	if e.prev == nil {
		g.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		g.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	delete(t.entries, e.Sequence)
	t.settle(g)
	if g.first == nil && g != &e.own {
		delete(t.groups, g.key)
		if len(t.idle) < freeMax {
			t.idle = append(t.idle, g)
		}
	}
	*e = Entry{}
	if len(t.free) < freeMax {
		t.free = append(t.free, e)
	}
}

// Hide hides a message until a time, in ms since 1970: as one in flight, or as one whose time has not come.
func (t *Table) Hide(e *Entry, until int64, inFlight bool) {
	t.reveal(e)
	e.until, e.inFlight = until, inFlight
	heap.Push(&t.hidden, e)
	if inFlight {
		t.inFlight++
		e.group.inFlight++
	}
	t.settle(e.group)
}

// Show makes a message visible.
func (t *Table) Show(e *Entry) {
	t.reveal(e)
	t.settle(e.group)
}

// reveal takes a message from the hidden ones; its group is to be settled.
func (t *Table) reveal(e *Entry) {
	if e.at < 0 {
		return
	}
	heap.Remove(&t.hidden, e.at)
	if e.inFlight {
		t.inFlight--
		e.group.inFlight--
		e.inFlight = false
	}
}

// Advance makes visible what was hidden until now, in ms since 1970.
func (t *Table) Advance(now int64) {
	for len(t.hidden) > 0 && t.hidden[0].until <= now {
		t.Show(t.hidden[0])
	}
}

// Next is when the next hidden message becomes visible; without ok there is none.
func (t *Table) Next() (at int64, ok bool) {
	if len(t.hidden) == 0 {
		return 0, false
	}
	return t.hidden[0].until, true
}

// First is the message to be taken next, nil for none: the first of a ready group. The next one of the same group
// comes behind it with Following.
func (t *Table) First() *Entry {
	if len(t.ready) == 0 {
		return nil
	}
	return t.ready[0].first
}

// Following is the message of the same group that may be taken together with one that was just taken, nil for none.
func (t *Table) Following(e *Entry) *Entry {
	if n := e.next; n != nil && n.at < 0 {
		return n
	}
	return nil
}

// isBefore orders hidden messages by the time when they become visible, and by their sequences.
func (e *Entry) isBefore(other *Entry) bool {
	return e.until < other.until || e.until == other.until && e.Sequence < other.Sequence
}

func (e *Entry) place() *int { return &e.at }

// isBefore orders ready groups by the sequence of their first message.
func (g *group) isBefore(other *group) bool { return g.first.Sequence < other.first.Sequence }

func (g *group) place() *int { return &g.at }

// Hidden is how many messages are hidden, those in flight included.
func (t *Table) Hidden() int { return len(t.hidden) }

// All calls fn with each message; it must not change the table.
func (t *Table) All(fn func(*Entry)) {
	for _, e := range t.entries {
		fn(e)
	}
}
