package egress

import (
	"time"

	"fanfare/engine"

	"github.com/cespare/xxhash/v2"
)

// The order of a lane whose subscription is ordered. What it takes of the topic belongs to the group that the message
// names; on a FIFO topic a message that names none is of the empty group, on others it is in no group and goes as
// everything does in a lane without an order. In no group is what comes from the timer, too: confirmations, dead letters
// that are replayed, and what was parked before the subscription was ordered.
//
// A failed delivery of a group is not parked: it waits in front of its group, and the group rests. It is not settled, so
// a restart begins with it, and counts its attempts anew. What waits is in the window: groups that rest stop the lane when
// they fill it, and nothing else bounds how long, but their policy's attempts and age.

// orderLocked lets a delivery wait in its group, and reports whether it has one.
func (l *lane) orderLocked(d delivery) bool {
	name := d.m.Get(engine.FieldGroup)
	if !d.entry.IsZero() || len(name) == 0 && l.sub.Topic.Config().FIFO == nil {
		return false
	}
	if l.groups == nil {
		l.groups = &groups{memory: &l.egress.groups}
	}
	if l.groups.push(xxhash.Sum64(name), d) {
		l.startLocked()
	}
	return true
}

// regroupLocked lets wait in their groups what was taken before the subscription was ordered. What is in flight by then
// is in no group.
func (l *lane) regroupLocked() {
	for n := l.queue.len; n > 0; n-- {
		if d := l.queue.popFront(); !l.orderLocked(d) {
			l.queue.pushBack(d)
		}
	}
}

// waitsLocked is how many deliveries, or groups of them, may go now.
func (l *lane) waitsLocked() int {
	if l.groups == nil {
		return l.queue.len
	}
	return l.queue.len + l.groups.ready.len
}

// popLocked takes the next delivery: the next of a group that was begun, or with nil in turn one of those in no group and
// one of the groups.
func (l *lane) popLocked(begun *group) delivery {
	if begun == nil && l.queue.len > 0 {
		if l.ungrouped = !l.ungrouped; l.ungrouped || !l.groups.goes() {
			return l.queue.popFront()
		}
	}
	return l.groups.pop(begun)
}

// putBackLocked lets a delivery wait in front, as it did before it was taken.
func (l *lane) putBackLocked(d delivery) {
	if d.group == nil {
		l.queue.pushFront(d)
	} else if l.groups.putBack(d) {
		l.alarmLocked()
	}
}

// leaveLocked lets the group of a delivery that ended go on.
func (l *lane) leaveLocked(g *group) {
	if l.groups.leave(g) {
		l.alarmLocked()
	}
}

// alarmLocked sets the lane's one timer to the time of the group that is next.
func (l *lane) alarmLocked() {
	at := l.groups.next()
	if at == 0 || l.egress.draining.Load() {
		l.silenceLocked()
		return
	}
	if l.alarmAt != 0 && l.alarmAt <= at {
		return // it comes soon enough, and is set again then
	}
	l.alarmAt = at
	wait := time.Until(time.UnixMilli(at))
	if l.alarm == nil {
		l.alarm = time.AfterFunc(wait, l.wake)
	} else {
		l.alarm.Reset(wait)
	}
}

func (l *lane) silenceLocked() {
	if l.alarm != nil {
		l.alarm.Stop()
	}
	l.alarmAt = 0
}

// wake lets the groups go on whose time has come.
func (l *lane) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alarmAt = 0
	for range min(l.groups.wake(time.Now().UnixMilli()), l.settings.conns) {
		l.startLocked()
	}
	l.alarmLocked()
}

// purgeLocked hands over every delivery that waits in a group.
func (l *lane) purgeLocked(fn func(delivery)) {
	if l.groups != nil {
		l.groups.purge(fn)
		l.silenceLocked()
	}
}
