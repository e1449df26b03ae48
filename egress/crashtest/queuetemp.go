package crashtest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"fanfare/engine"
)

// temps is a queue that is made and deleted again and again, always under the same name: what is left of one must never
// be in the next.
type temps struct {
	mu    sync.Mutex
	lives []*tempLife // guarded by mu
}

// tempLife is one queue from its creation to its end.
type tempLife struct {
	index          int
	create, remove span
	sends          []span // the bodies are their numbers
}

const tempName = "temp"

// current is the life that is there, as far as is known.
func (t *temps) currentLocked() *tempLife {
	if n := len(t.lives); n > 0 && t.lives[n-1].remove.begin == 0 {
		return t.lives[n-1]
	}
	return nil
}

// temp makes the queue, sends to it, receives from it, or deletes it. Only one worker does at a time.
func (w *queueWorker) temp() {
	t := &w.world.model.temps
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.currentLocked()
	switch n := w.rng.IntN(4); {
	case x == nil:
		w.makeTemp(t)
	case n == 0:
		w.dropTemp(x)
	case n == 1:
		// What was received has states, which go with the queue.
		got, err := w.world.tempQueue().Receive(engine.ReceiveRequest{Max: 1}, nil)
		if err != nil && !w.open(err) {
			w.world.model.fault("receiving from life %d of %s: %v", x.index, tempName, err)
		}
		for _, g := range got {
			g.Message.Release()
		}
	default:
		w.sendTemp(x)
	}
}

func (w *queueWorld) tempQueue() *engine.Queue { return w.engine.Queue([]byte(tempName)) }

func (w *queueWorker) makeTemp(t *temps) {
	m := w.world.model
	x := &tempLife{index: len(t.lives)}
	t.lives = append(t.lives, x)
	c := engine.NewQueueConfig(tempName)
	c.Labels = map[string]string{lifeLabel: strconv.Itoa(x.index)}
	x.create.begin = m.tick()
	_, created, err := w.world.engine.CreateQueue(c)
	switch {
	case err == nil && !created:
		m.fault("%s was there before life %d of it was made", tempName, x.index)
	case err == nil:
		x.create.end = m.tick()
	case !w.open(err):
		m.fault("making life %d of %s: %v", x.index, tempName, err)
	default:
		x.remove.begin = x.create.begin // nobody knows
	}
}

func (w *queueWorker) dropTemp(x *tempLife) {
	m := w.world.model
	x.remove.begin = m.tick()
	if err := w.world.engine.DeleteQueue(tempName); err == nil {
		x.remove.end = m.tick()
	} else if !w.open(err) {
		m.fault("deleting life %d of %s: %v", x.index, tempName, err)
	}
}

func (w *queueWorker) sendTemp(x *tempLife) {
	m := w.world.model
	r := engine.NewMessage()
	defer r.Release()
	r.Set(engine.FieldBody, fmt.Appendf(nil, "%d %d", x.index, len(x.sends)))
	if w.rng.IntN(3) == 0 {
		r.SetDeliverAt(millis() + (time.Duration(w.rng.IntN(60)) * w.world.shape.unit).Milliseconds())
	}
	s := span{begin: m.tick()}
	switch err := w.world.engine.Publish(w.world.tempQueue().Topic(), r); {
	case err == nil:
		s.end = m.tick()
	case w.open(err) || errors.Is(err, engine.ErrBusy):
	default:
		m.fault("sending to life %d of %s: %v", x.index, tempName, err)
	}
	x.sends = append(x.sends, s)
}

// at is what was known at a power cut.
func (t *temps) at(x *cut) (lives []*tempLife) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.lives {
		if l.create.begin > x.after {
			break
		}
		c := &tempLife{index: l.index, create: l.create.at(x), remove: l.remove.at(x)}
		if c.remove.begin > x.after {
			c.remove = span{}
		}
		for _, s := range l.sends {
			if s.begin <= x.after {
				c.sends = append(c.sends, s.at(x))
			}
		}
		lives = append(lives, c)
	}
	return lives
}

// temp empties the queue that is there, -1 for none, and compares it with its lives.
func (e *emptied) temp(w *queueWorld) {
	m, q, there := w.model, w.tempQueue(), -1
	if q != nil {
		there, _ = strconv.Atoi(q.Config().Labels[lifeLabel])
	}
	e.life = there
	if there >= len(m.temps.lives) {
		m.fault("life %d of %s is there, and nobody made it", there, tempName)
		return
	}
	for _, l := range m.temps.lives {
		switch {
		case l.index != there && l.create.end != 0 && l.remove.begin == 0:
			m.fault("life %d of %s was made and is not there", l.index, tempName)
		case l.index == there && l.remove.end != 0:
			m.fault("life %d of %s was deleted and is there", l.index, tempName)
		}
	}
	if there < 0 {
		return
	}
	for got := e.bodies(w, q); len(got) > 0; got = e.bodies(w, q) {
		e.temps = append(e.temps, got...)
	}
	for i, s := range m.temps.lives[there].sends {
		body := fmt.Sprintf("%d %d", there, i)
		if n := times(e.temps, body); n > 1 || n == 0 && s.end != 0 {
			m.fault("message %q of %s is there %d times", body, tempName, n)
		}
	}
	for _, body := range e.temps {
		if life, _, _ := bytes.Cut([]byte(body), []byte(" ")); string(life) != strconv.Itoa(there) {
			m.fault("message %q is in life %d of %s", body, there, tempName)
		}
	}
}

func times(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func (e *emptied) bodies(w *queueWorld, q *engine.Queue) (bodies []string) {
	got, err := q.Receive(engine.ReceiveRequest{Max: engine.ReceiveMessagesMax, Visibility: time.Hour}, nil)
	if err != nil {
		w.model.fault("receiving from %s: %v", tempName, err)
	}
	for _, g := range got {
		bodies = append(bodies, string(g.Message.Body()))
		g.Message.Release()
	}
	return bodies
}

// decide closes what was open by the life that was found.
func (t *temps) decide(life int, found []string, now uint64) {
	for _, l := range t.lives {
		if l.index != life {
			l.remove = span{max(l.remove.begin, 1), now}
			continue
		}
		l.create.end, l.remove = now, span{}
		for i := range l.sends {
			l.sends[i].end = 0
			if slices.Contains(found, fmt.Sprintf("%d %d", life, i)) {
				l.sends[i].end = now
			}
		}
	}
	if life < 0 {
		return
	}
	t.lives = t.lives[:life+1] // later ones never were
}
