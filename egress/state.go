package egress

import (
	"time"

	"fanfare/engine"
)

// The states of a lane.
const (
	stateLive    = "live"
	stateLagging = "lagging"
	statePaused  = "paused"
)

// State reports what the lane is doing.
func (l *lane) State() engine.LaneState {
	l.mu.Lock()
	l.passLocked(l.sub.Topic.Passed())
	s := engine.LaneState{
		State: stateLive, Floor: l.progress.Floor, Next: l.next, High: l.sub.Topic.High(),
		InFlight: l.held, Connections: l.pushers, Failures: l.failures, LastFailure: l.lastFailure, FailedAt: l.failedAt,
		Shallow: l.shallow,
	}
	if l.groups != nil {
		s.Groups = len(l.groups.resting)
	}
	if s.High > s.Floor {
		s.Lag = uint64(s.High-s.Floor) - min(uint64(s.High-s.Floor), uint64(l.progress.Marked()))
	}
	switch {
	case l.paused:
		s.State, s.Probe = statePaused, l.probeAt
	case l.seen >= l.next:
		s.State = stateLagging
	}
	l.mu.Unlock()
	if s.Lag > 0 {
		s.LagTime = l.age(s.Floor+1, s.High)
	}
	return s
}

// age is that of the first message stored between two sequences, 0 when it cannot be read.
func (l *lane) age(first, last engine.Sequence) (age time.Duration) {
	err := l.egress.engine.ReadTopic(l.sub.Topic, first, last, func(_ engine.Sequence, m *engine.Message) bool {
		if m != nil {
			age = max(0, time.Since(time.UnixMilli(max(m.PublishedAt(), m.DeliverAt()))))
		}
		return false
	})
	if err != nil {
		return 0
	}
	return age
}

// LaneCounts is how many lanes are in which state.
type LaneCounts struct {
	Live, Lagging, Paused int
}

// Lanes counts the lanes of all subscriptions.
func (g *Egress) Lanes() (c LaneCounts) {
	for _, s := range g.engine.Subscriptions() {
		l := s.Receiver().(*lane)
		l.mu.Lock()
		switch {
		case l.paused:
			c.Paused++
		case l.seen >= l.next:
			c.Lagging++
		default:
			c.Live++
		}
		l.mu.Unlock()
	}
	return c
}
