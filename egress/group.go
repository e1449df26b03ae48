package egress

import "sync"

// group is one that has deliveries. Groups whose names have the same hash are one: that keeps more order than need be.
type group struct {
	hash  uint64
	chain *group // the next of its bucket
	after *group // the next in the list of those that are ready
	state groupState

	first, last *place // deliveries that wait
	waiting     int    // how many they are
	size        int    // of their messages, in bytes
	inFlight    int
}

type groupState uint8

const (
	groupIdle groupState = iota // has none in flight, and is in no list; for a moment only
	groupReady
	groupInFlight
	groupResting
)

// place is where a delivery waits.
type place struct {
	d    delivery
	next *place
}

// groupMemory is what the groups of all lanes are made of, so that an idle lane keeps next to nothing.
type groupMemory struct {
	groups sync.Pool
	places sync.Pool
}

// groupList is a first-in first-out of groups.
type groupList struct {
	first, last *group
	len         int
}

// find returns the group of a hash, a new one if need be.
func (s *groups) find(hash uint64) *group {
	if s.count >= len(s.table) {
		s.grow()
	}
	bucket := &s.table[hash&uint64(len(s.table)-1)]
	for g := *bucket; g != nil; g = g.chain {
		if g.hash == hash {
			return g
		}
	}
	g := s.memory.group(hash)
	g.chain = *bucket
	*bucket = g
	s.count++
	return g
}

func (s *groups) grow() {
	old := s.table
	s.table = make([]*group, max(8, 2*len(old)))
	for _, g := range old {
		for g != nil {
			chain := g.chain
			bucket := &s.table[g.hash&uint64(len(s.table)-1)]
			g.chain = *bucket
			*bucket = g
			g = chain
		}
	}
}

// drop forgets a group without deliveries.
func (s *groups) drop(g *group) {
	at := &s.table[g.hash&uint64(len(s.table)-1)]
	for *at != g {
		at = &(*at).chain
	}
	*at = g.chain
	s.count--
	*g = group{}
	s.memory.groups.Put(g)
}

func (l *groupList) pushBack(g *group) {
	if l.last == nil {
		l.first = g
	} else {
		l.last.after = g
	}
	l.last = g
	l.len++
}

func (l *groupList) popFront() *group {
	g := l.first
	l.first, g.after = g.after, nil
	if l.first == nil {
		l.last = nil
	}
	l.len--
	return g
}

func (m *groupMemory) group(hash uint64) *group {
	g, ok := m.groups.Get().(*group)
	if !ok {
		g = &group{}
	}
	g.hash = hash
	return g
}

func (m *groupMemory) place(d delivery) *place {
	p, ok := m.places.Get().(*place)
	if !ok {
		p = &place{}
	}
	p.d = d
	return p
}
