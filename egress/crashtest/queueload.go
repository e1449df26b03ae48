package crashtest

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine"
)

// queueLoad is what is done to queues: several workers who send, receive, delete, and now and then purge and move, all
// at once.
type queueLoad struct {
	world  *queueWorld
	cutter *cutter // nil for none
	calm   bool    // no long sleeps, and no moves, which hide what they take for half a minute

	unsure atomic.Int64 // answers that leave open what happened

	mu       sync.Mutex
	receipts []held // guarded by mu: of what was received, deleted or not
}

// held is a receipt that somebody may use.
type held struct {
	key     copyKey
	receipt engine.Receipt
}

const (
	queueWorkers = 3
	receiptsKept = 60
	keysMax      = 6 // ids of which messages are duplicates of each other
	groupsMax    = 3
)

func (l *queueLoad) run(seed uint64, steps int) {
	var wg sync.WaitGroup
	for i := range queueWorkers {
		w := &queueWorker{queueLoad: l, rng: newRand(seed, uint64(100+i))}
		wg.Go(func() {
			for range steps {
				w.step()
			}
		})
	}
	wg.Wait()
}

// open reports whether an answer leaves open what happened, or says that nothing did any more.
func (l *queueLoad) open(err error) bool {
	if errors.Is(err, engine.ErrUnavailable) {
		l.unsure.Add(1)
	}
	return errors.Is(err, engine.ErrUnavailable) || errors.Is(err, engine.ErrClosed)
}

// queueWorker does one thing after the other.
type queueWorker struct {
	*queueLoad
	rng *rand.Rand
}

func (w *queueWorker) step() {
	switch n := w.rng.IntN(60); {
	case n < 22:
		w.send()
	case n < 40:
		w.receive(w.rng.IntN(places))
	case n < 49:
		w.remove()
	case n < 52:
		w.change()
	case n == 52:
		w.purge(w.rng.IntN(places))
	case n == 53 && !w.calm:
		w.move([...]int{jobsDead, fifoDead}[w.rng.IntN(2)])
	case n == 54 && !w.calm:
		w.world.wait(w.rng.IntN(400)) // some duplicates leave the window
	case n < 57:
		w.temp()
	case n < 59:
		w.world.wait(w.rng.IntN(10))
	default:
		if w.cutter != nil {
			w.cutter.quiet(w.rng.Uint64())
		}
	}
}

// send sends one message, or some together.
func (w *queueWorker) send() {
	place := [...]int{jobs, fifo}[w.rng.IntN(2)]
	n := 1
	if w.rng.IntN(3) == 0 {
		n = 2 + w.rng.IntN(5)
	}
	lives, records := make([]*sendLife, n), make([]*engine.Message, n)
	for i := range n {
		lives[i] = w.draw(place)
		records[i] = w.record(lives[i])
	}
	w.sendAll(place, lives, records)
}

func (w *queueWorker) draw(place int) *sendLife {
	s := w.world.model.newSend(place)
	s.size = [...]int{10, 100, 1000, 1000, 3000, 12000}[w.rng.IntN(6)]
	s.from = millis()
	if isFIFO(place) {
		s.group = "g" + strconv.Itoa(w.rng.IntN(groupsMax))
		s.key = "m" + strconv.Itoa(s.index)
		if w.rng.IntN(2) == 0 {
			s.key = "k" + strconv.Itoa(w.rng.IntN(keysMax))
		}
	} else if w.rng.IntN(6) == 0 {
		s.due = s.from + (time.Duration(1+w.rng.IntN(60)) * w.world.shape.unit).Milliseconds()
	}
	return s
}

func (w *queueWorker) record(s *sendLife) *engine.Message {
	m := engine.NewMessage()
	m.SetID(s.id)
	m.Set(engine.FieldBody, s.body())
	if s.due != 0 {
		m.SetDeliverAt(s.due)
	}
	if s.group != "" {
		m.Set(engine.FieldGroup, []byte(s.group))
		m.Set(engine.FieldDeduplicationID, []byte(s.key))
	}
	return m
}

func (w *queueWorker) sendAll(place int, lives []*sendLife, records []*engine.Message) {
	m := w.world.model
	begin, from := m.tick(), millis()
	m.mu.Lock()
	for _, s := range lives {
		s.begin, s.from = begin, from
	}
	m.mu.Unlock()
	errs := make([]error, len(lives))
	w.world.engine.PublishGroup(w.world.queues[place].Topic(), records, errs)
	to := millis()
	m.mu.Lock()
	defer m.mu.Unlock()
	end := m.tick()
	for i, s := range lives {
		w.sentLocked(s, records[i], errs[i], to, end)
		records[i].Release()
	}
}

func (w *queueWorker) sentLocked(s *sendLife, record *engine.Message, err error, to int64, end uint64) {
	m := w.world.model
	s.to = to
	switch {
	case err == nil:
		s.outcome, s.end = accepted, end
		s.answered, s.sequence, s.duplicate = record.ID(), record.Sequence(), record.Duplicate()
		if s.sequence != 0 && !s.duplicate {
			m.copyLocked(copyKey{s.place, s.sequence}, s, end)
		}
		if s.sequence == 0 && s.due == 0 || s.sequence != 0 && s.due > to {
			m.faultLocked("%v was answered with sequence %d", s, s.sequence)
		}
	case w.open(err):
	default:
		s.outcome, s.end = refused, end
		if !errors.Is(err, engine.ErrBusy) {
			m.faultLocked("sending %v: %v", s, err)
		}
	}
}

// hidden draws how long a message is hidden, in units.
func (w *queueWorker) hidden() int { return [...]int{0, 1, 5, 30, hiddenMax}[w.rng.IntN(5)] }

func (w *queueWorker) receive(place int) {
	r := engine.ReceiveRequest{
		Max: 1 + w.rng.IntN(engine.ReceiveMessagesMax), Visibility: time.Duration(w.hidden()) * w.world.shape.unit,
	}
	if w.rng.IntN(4) == 0 {
		r.Wait = time.Duration(w.rng.IntN(5)) * w.world.shape.unit
	}
	m := w.world.model
	m.mu.Lock()
	m.receiving++
	m.mu.Unlock()
	begin, from := m.tick(), millis()
	got, err := w.world.queues[place].Receive(r, nil)
	to := millis()
	if err != nil && !w.open(err) {
		m.fault("receiving from %s: %v", placeNames[place], err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.receiving--
	if err != nil {
		m.failed++
	}
	end := m.tick()
	last := map[string]engine.Sequence{}
	for _, g := range got {
		s := m.sendLocked(g.Message.Body())
		if s == nil {
			m.faultLocked("a message of %s is none that was sent", placeNames[place])
			g.Message.Release()
			continue
		}
		g.Message.Release()
		key := copyKey{place, g.Receipt.Sequence}
		if isFIFO(place) && last[s.group] >= key.sequence {
			m.faultLocked("%v was received behind sequence %d of its group", s, last[s.group])
		}
		last[s.group] = key.sequence
		m.takenLocked(key, s, begin, to)
		c := m.copyLocked(key, s, end)
		c.receives = append(c.receives, receiveLife{begin, g.Receives})
		w.keep(held{key, g.Receipt})
	}
	for _, g := range got { // only now: messages of a group come together
		if c := m.copies[copyKey{place, g.Receipt.Sequence}]; c != nil {
			c.until, c.taken = from+r.Visibility.Milliseconds(), end
			if stir := m.stirs[place]; stir.now > 0 || stir.last > begin {
				c.until = 0 // it may have gone already
			}
		}
	}
}

// takenLocked looks whether a message could be received by a call that began at an instant and ended at a time.
func (m *queueModel) takenLocked(key copyKey, s *sendLife, begin uint64, now int64) {
	c := m.copies[key]
	if c != nil && c.send == s {
		for _, e := range c.deletes {
			if e.must(begin) {
				m.faultLocked("%v was deleted and is received again from %s", s, placeNames[key.place])
			}
		}
		if c.until > now && c.taken < begin {
			m.faultLocked("%v is received again while it is in flight", s)
		}
	}
	if !isFIFO(key.place) {
		return
	}
	for other, o := range m.copies {
		if other.place == key.place && o.send.group == s.group && o.until > now && o.taken < begin {
			m.faultLocked("%v is received while %v of its group is in flight", s, o.send)
		}
	}
}

func (l *queueLoad) keep(h held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.receipts) == receiptsKept {
		l.receipts = l.receipts[1:]
	}
	l.receipts = append(l.receipts, h)
}

// some draws receipts of one queue, the newer the likelier. They stay for others, who then delete what is deleted.
func (w *queueWorker) some() (place int, some []held) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.receipts)
	if n == 0 {
		return 0, nil
	}
	place = w.receipts[n-1-w.rng.IntN(min(n, 10))].key.place
	for i := n - 1; i >= 0 && len(some) < 10; i-- {
		if h := w.receipts[i]; h.key.place == place && w.rng.IntN(3) > 0 {
			some = append(some, h)
		}
	}
	return place, some
}

func (w *queueWorker) remove() {
	place, some := w.some()
	w.removeAll(place, some)
}

func (w *queueWorker) removeAll(place int, some []held) {
	m := w.world.model
	receipts, errs, spans := make([]engine.Receipt, len(some)), make([]error, len(some)), make([]*span, len(some))
	begin := m.tick()
	m.mu.Lock()
	m.stirLocked(place)
	for i, h := range some {
		receipts[i], spans[i] = h.receipt, &span{begin: begin}
		if c := m.copies[h.key]; c != nil {
			c.until = 0
			c.deletes = append(c.deletes, spans[i])
		}
	}
	m.mu.Unlock()
	w.world.queues[place].Delete(receipts, errs)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calmLocked(place)
	end := m.tick()
	for i, h := range some {
		switch err := errs[i]; {
		case err == nil:
			spans[i].end = end
		case w.open(err):
		case errors.Is(err, engine.ErrReceiptExpired) && isFIFO(place):
			m.copies[h.key].drop(spans[i])
		default:
			m.faultLocked("deleting sequence %d of %s: %v", h.key.sequence, placeNames[place], err)
		}
	}
}

// drop takes back a delete that was refused.
func (c *copyLife) drop(s *span) {
	for i, e := range c.deletes {
		if e == s {
			c.deletes = append(c.deletes[:i:i], c.deletes[i+1:]...)
			return
		}
	}
}

func (w *queueWorker) change() {
	m := w.world.model
	place, some := w.some()
	receipts, hidden, errs := make([]engine.Receipt, len(some)), make([]time.Duration, len(some)), make([]error, len(some))
	m.mu.Lock()
	m.stirLocked(place)
	for i, h := range some {
		receipts[i], hidden[i] = h.receipt, time.Duration(w.hidden())*w.world.shape.unit
		if c := m.copies[h.key]; c != nil {
			c.until = 0
		}
	}
	m.mu.Unlock()
	w.world.queues[place].ChangeVisibility(receipts, hidden, errs)
	m.mu.Lock()
	m.calmLocked(place)
	m.mu.Unlock()
	for _, err := range errs {
		if err != nil && !w.open(err) && !errors.Is(err, engine.ErrNotInFlight) && !errors.Is(err, engine.ErrReceiptExpired) {
			m.fault("changing a visibility: %v", err)
		}
	}
}

func (m *queueModel) unknowLocked(place int) {
	for key, c := range m.copies {
		if key.place == place {
			c.until = 0
		}
	}
}

func (w *queueWorker) purge(place int) {
	m := w.world.model
	p := &purgeLife{place: place, from: millis()}
	m.mu.Lock()
	p.begin = m.tick()
	m.purges = append(m.purges, p)
	m.forgot[place] = p.from
	m.stirLocked(place)
	m.unknowLocked(place)
	m.mu.Unlock()
	err := w.world.engine.PurgeQueue(w.world.queues[place])
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calmLocked(place)
	p.to = millis()
	m.forgot[place] = max(m.forgot[place], p.to)
	if err == nil {
		p.end = m.tick()
	} else if !w.open(err) {
		m.faultLocked("purging %s: %v", placeNames[place], err)
	}
}

// move moves dead letters back.
func (w *queueWorker) move(place int) {
	m := w.world.model
	m.mu.Lock()
	m.moves++
	m.mu.Unlock()
	_, err := w.world.engine.StartMove(w.world.queues[place], engine.MoveOptions{})
	if err != nil && !w.open(err) && !errors.Is(err, engine.ErrMoveRunning) {
		m.fault("moving from %s: %v", placeNames[place], err)
	}
}
