package egress

import (
	"slices"
	"time"
)

// groups are the deliveries of a lane that keep the order of their group.
//
//	             a delivery comes                    none is in flight any more, and the first that waits
//	not there ─────────────────────> ready           may be tried ──────────────────────────> ready
//	ready ──the first is taken─────> in flight       may be tried later ────────────────────> resting
//	resting ──its time comes───────> ready           is not there ──────────────────────────> not there
//
// In flight is a delivery from the moment it is taken until it is settled: in the hands of a pusher, or in those of the
// ledger that writes its dead letter. So the next of the group begins only when the one before is settled, and a group
// costs nothing when it has no delivery. The mutex of the lane guards all of it.
type groups struct {
	memory  *groupMemory
	table   []*group // buckets by hash; length is a power of two, or 0
	count   int      // of groups
	ready   groupList
	resting []*group // in no order: they are looked through when one's time has come
	blocked int      // deliveries that wait in resting groups
	heavy   int      // their bytes
}

// goes reports whether a delivery may be taken. It may be called on nil, as blocks may.
func (s *groups) goes() bool { return s != nil && s.ready.len > 0 }

// blocks returns how many deliveries wait in resting groups, and their bytes.
func (s *groups) blocks() (n, size int) {
	if s == nil {
		return 0, 0
	}
	return s.blocked, s.heavy
}

// push adds a delivery to a group, and reports whether the group is ready by that.
func (s *groups) push(hash uint64, d delivery) (readied bool) {
	g := s.find(hash)
	p := s.memory.place(d)
	if g.last == nil {
		g.first = p
	} else {
		g.last.next = p
	}
	g.last = p
	s.grew(g, d)
	if g.state == groupIdle {
		s.readyGroup(g)
		return true
	}
	return false
}

// pop takes the next delivery of a group: of the one that is given, whose deliveries may go together, or with nil of the
// one that is ready for the longest time.
func (s *groups) pop(g *group) delivery {
	if g == nil {
		g = s.ready.popFront()
		g.state = groupInFlight
	}
	d := s.shift(g)
	g.inFlight++
	d.group = g
	return d
}

// putBack puts one back that was taken, in front of those that wait. When several of a group were taken, the last of them
// comes first. It reports whether the group rests by that.
func (s *groups) putBack(d delivery) (rests bool) {
	g := d.group
	d.group = nil
	p := s.memory.place(d)
	p.next = g.first
	g.first = p
	if g.last == nil {
		g.last = p
	}
	s.grew(g, d)
	return s.leave(g)
}

// leave tells that one that was taken is not in flight any more, and reports whether its group rests by that.
func (s *groups) leave(g *group) (rests bool) {
	g.inFlight--
	switch {
	case g.inFlight > 0:
		return false
	case g.first == nil:
		s.drop(g)
		return false
	case g.first.d.again != 0 && g.first.d.again > time.Now().UnixMilli():
		g.state = groupResting
		s.resting = append(s.resting, g)
		s.blocked += g.waiting
		s.heavy += g.size
		return true
	}
	s.readyGroup(g)
	return false
}

// wake makes the groups ready whose time has come, and returns how many they were.
func (s *groups) wake(now int64) int {
	before := len(s.resting)
	s.resting = slices.DeleteFunc(s.resting, func(g *group) bool {
		due := g.first.d.again <= now
		if due {
			s.woken(g)
		}
		return due
	})
	return before - len(s.resting)
}

// hurry makes the group ready that would be next, before its time.
func (s *groups) hurry() {
	at := -1
	for i, g := range s.resting {
		if at < 0 || g.first.d.again < s.resting[at].first.d.again {
			at = i
		}
	}
	if at >= 0 {
		s.woken(s.resting[at])
		s.resting = slices.Delete(s.resting, at, at+1)
	}
}

// next is when the next of the resting groups may be tried, ms since 1970; 0: none rests.
func (s *groups) next() (at int64) {
	for _, g := range s.resting {
		if again := g.first.d.again; at == 0 || again < at {
			at = again
		}
	}
	return at
}

// purge hands over every delivery that waits. Groups with one in flight stay as long as that.
func (s *groups) purge(fn func(delivery)) {
	for _, g := range s.table {
		for g != nil {
			chain := g.chain
			for g.first != nil {
				fn(s.shift(g))
			}
			if g.inFlight == 0 {
				s.drop(g)
			}
			g = chain
		}
	}
	clear(s.resting)
	s.resting = s.resting[:0]
	s.ready, s.blocked, s.heavy = groupList{}, 0, 0
}

// grew counts a delivery that began to wait.
func (s *groups) grew(g *group, d delivery) {
	size := d.m.Size()
	g.waiting++
	g.size += size
	if g.state == groupResting {
		s.blocked++
		s.heavy += size
	}
}

// shift takes the first delivery of a group that does not rest.
func (s *groups) shift(g *group) delivery {
	p := g.first
	g.first = p.next
	if g.first == nil {
		g.last = nil
	}
	d := p.d
	g.waiting--
	g.size -= d.m.Size()
	*p = place{}
	s.memory.places.Put(p)
	return d
}

// woken makes a group ready that rested.
func (s *groups) woken(g *group) {
	s.blocked -= g.waiting
	s.heavy -= g.size
	s.readyGroup(g)
}

func (s *groups) readyGroup(g *group) {
	g.state = groupReady
	s.ready.pushBack(g)
}
