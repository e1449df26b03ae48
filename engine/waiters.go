package engine

import (
	"sync"
	"time"
)

// waiters are the receivers that wait for a message of a queue, the longest waiting first. Each waits on a channel of its
// own, in the goroutine of its connection; a message wakes one of them, and who finds more wakes the next.
type waiters struct {
	queue       *Queue
	first, last *waiter     // guarded by the queue's mu
	alarm       *time.Timer // guarded by the queue's mu: made with the first waiter; rings when a hidden message becomes visible
	alarmAt     int64       // guarded by the queue's mu: ms since 1970; 0: it is not set
}

type waiter struct {
	wake       chan struct{}
	timer      *time.Timer
	next, prev *waiter // guarded by the queue's mu
	listed     bool    // guarded by the queue's mu
}

var waiterPool = sync.Pool{New: func() any {
	w := &waiter{wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}}

// wait is Receive for who found nothing.
func (ws *waiters) wait(r *ReceiveRequest, dst []Received) ([]Received, error) {
	q := ws.queue
	e := q.engine
	if e.receivers.Add(1) > int64(e.opts.ReceiversMax) {
		e.receivers.Add(-1)
		return dst, ErrReceiverLimit
	}
	defer e.receivers.Add(-1)
	w := waiterPool.Get().(*waiter)
	w.timer.Reset(min(r.Wait, ReceiveWaitMax))
	defer func() {
		w.timer.Stop()
		waiterPool.Put(w)
	}()
	for {
		q.mu.Lock()
		ws.listLocked(w)
		ws.armLocked()
		q.mu.Unlock()
		// Only now does it look once more: what comes behind this wakes it.
		dst, _, err := q.take(r, dst)
		if err != nil || len(dst) > 0 {
			ws.leave(w)
			return dst, err
		}
		select {
		case <-w.wake:
			if r.Alive == nil || r.Alive() {
				continue
			}
			q.mu.Lock()
			ws.wakeLocked() // whoever is left
			q.mu.Unlock()
			return dst, nil
		case <-w.timer.C:
		case <-q.ended:
		case <-e.released:
		}
		ws.leave(w)
		if q.Deleted() {
			return dst, ErrQueueNotFound
		}
		return dst, nil
	}
}

func (ws *waiters) listLocked(w *waiter) {
	w.prev, w.next, w.listed = ws.last, nil, true
	if ws.last == nil {
		ws.first = w
	} else {
		ws.last.next = w
	}
	ws.last = w
}

func (ws *waiters) unlistLocked(w *waiter) {
	if w.prev == nil {
		ws.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		ws.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev, w.listed = nil, nil, false
}

// leave ends a wait. A wake-up that came to it at the last moment goes on to the next.
func (ws *waiters) leave(w *waiter) {
	q := ws.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.listed {
		ws.unlistLocked(w)
		return
	}
	<-w.wake
	if q.anyLocked() {
		ws.wakeLocked()
	}
}

// wakeLocked wakes the one that waits the longest.
func (ws *waiters) wakeLocked() {
	if w := ws.first; w != nil {
		ws.unlistLocked(w)
		w.wake <- struct{}{}
	}
}

// armLocked sets the alarm for the next hidden message, if somebody waits.
func (ws *waiters) armLocked() {
	at, ok := ws.queue.table.Next()
	if ws.first == nil || !ok || ws.alarmAt != 0 && ws.alarmAt <= at {
		return
	}
	ws.alarmAt = at
	d := time.Duration(max(at-nowMillis(), 0)) * time.Millisecond
	if ws.alarm == nil {
		ws.alarm = time.AfterFunc(d, ws.ring)
		return
	}
	ws.alarm.Reset(d)
}

// silenceLocked ends the alarm for good: it would hold what it belongs to in memory for as long as a message can be hidden.
func (ws *waiters) silenceLocked() {
	if ws.alarm != nil {
		ws.alarm.Stop()
	}
}

// ring wakes a receiver for what has become visible.
func (ws *waiters) ring() {
	q := ws.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	ws.alarmAt = 0
	q.table.Advance(nowMillis())
	if q.table.First() != nil {
		ws.wakeLocked()
	}
	ws.armLocked()
}
