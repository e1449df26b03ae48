package crashtest

import (
	"bytes"
	"testing"
	"time"

	"fanfare/engine"
)

// bug is a fault planted between the engine and its store. The zero value is none.
type bug struct {
	batch     func(b engine.Batch) engine.Batch // around every batch
	readTopic func(n int) bool                  // whether the n-th record that is read is skipped
	highWater func(engine.Sequence) engine.Sequence
	progress  func([]byte) []byte
	torn      bool // progress is written in a batch of its own
}

// planted is a store with a bug.
type planted struct {
	engine.Store
	bug *bug
}

func (p *planted) NewBatch() engine.Batch {
	b := p.Store.NewBatch()
	if p.bug.torn {
		return &torn{Batch: b, second: p.Store.NewBatch()}
	}
	if p.bug.batch != nil {
		return p.bug.batch(b)
	}
	return b
}

func (p *planted) ReadTopic(topic engine.TopicID, first, last engine.Sequence, fn func(engine.Sequence, []byte) bool) error {
	if p.bug.readTopic == nil {
		return p.Store.ReadTopic(topic, first, last, fn)
	}
	n := 0
	return p.Store.ReadTopic(topic, first, last, func(s engine.Sequence, record []byte) bool {
		n++
		return p.bug.readTopic(n) || fn(s, record)
	})
}

func (p *planted) HighWater(topic engine.TopicID) (engine.Sequence, error) {
	s, err := p.Store.HighWater(topic)
	if p.bug.highWater != nil {
		s = p.bug.highWater(s)
	}
	return s, err
}

func (p *planted) ReadProgress(sub engine.SubscriptionID) ([]byte, error) {
	b, err := p.Store.ReadProgress(sub)
	if p.bug.progress != nil && err == nil {
		b = p.bug.progress(b)
	}
	return b, err
}

// lazy answers without a wait for the disk.
type lazy struct{ engine.Batch }

func (l lazy) Apply(bool) error { return l.Batch.Apply(false) }
func (l lazy) Wait() error      { return nil }

// lazyCatalog does so when the batch changes the catalog.
type lazyCatalog struct {
	engine.Batch
	catalog bool
}

func (l *lazyCatalog) PutCatalog(key string, value []byte) {
	l.catalog = true
	l.Batch.PutCatalog(key, value)
}
func (l *lazyCatalog) DeleteCatalog(key string) { l.catalog = true; l.Batch.DeleteCatalog(key) }
func (l *lazyCatalog) Apply(durable bool) error { return l.Batch.Apply(durable && !l.catalog) }
func (l *lazyCatalog) Wait() error {
	if l.catalog {
		return nil
	}
	return l.Batch.Wait()
}

// lazyDrop does so when the batch deletes something from the timer.
type lazyDrop struct {
	engine.Batch
	drops bool
}

func (l *lazyDrop) DeleteTimer(k engine.TimerKey) { l.drops = true; l.Batch.DeleteTimer(k) }
func (l *lazyDrop) Reset()                        { l.drops = false; l.Batch.Reset() }
func (l *lazyDrop) Apply(durable bool) error      { return l.Batch.Apply(durable && !l.drops) }
func (l *lazyDrop) Wait() error {
	if l.drops {
		return nil
	}
	return l.Batch.Wait()
}

// torn writes progress in a batch of its own, applied before the rest or after it.
type torn struct {
	engine.Batch
	second engine.Batch
	early  bool
}

func (t *torn) SaveProgress(sub engine.SubscriptionID, progress []byte) {
	t.second.SaveProgress(sub, progress)
}
func (t *torn) Len() int { return t.Batch.Len() + t.second.Len() }
func (t *torn) Reset()   { t.Batch.Reset(); t.second.Reset() }
func (t *torn) Apply(bool) error {
	first, then := t.Batch, t.second
	if t.early {
		first, then = then, first
	}
	if err := first.Apply(false); err != nil {
		return err
	}
	defer func() { t.early = !t.early }()
	return then.Apply(false)
}
func (t *torn) Wait() error { return nil }

// edited changes or drops single writes. A nil field leaves them as they are.
type edited struct {
	engine.Batch
	n int

	message  func(n int, record []byte) []byte
	sequence func(n int, s engine.Sequence) engine.Sequence
	progress func(n int, b []byte) []byte
	timer    func(n int, head []byte) []byte
	forget   func(n int) bool
	letter   func(n int, s engine.SubscriptionID) engine.SubscriptionID
	catalog  func(n int, key string) bool
	remove   func(n int, key string) bool
	trim     func(after, through engine.Sequence) (engine.Sequence, engine.Sequence)
	drop     func(engine.SubscriptionID) engine.SubscriptionID
}

func (e *edited) AppendMessage(topic engine.TopicID, s engine.Sequence, record []byte) {
	e.n++
	if e.message != nil {
		if record = e.message(e.n, record); record == nil {
			return
		}
	}
	if e.sequence != nil {
		s = e.sequence(e.n, s)
	}
	e.Batch.AppendMessage(topic, s, record)
}

func (e *edited) SaveProgress(sub engine.SubscriptionID, b []byte) {
	e.n++
	if e.progress != nil {
		if b = e.progress(e.n, b); b == nil {
			return
		}
	}
	e.Batch.SaveProgress(sub, b)
}

func (e *edited) PutTimer(k engine.TimerKey, head, record []byte) {
	e.n++
	if e.timer != nil {
		if head = e.timer(e.n, head); head == nil {
			return
		}
	}
	e.Batch.PutTimer(k, head, record)
}

func (e *edited) DeleteTimer(k engine.TimerKey) {
	e.n++
	if e.forget == nil || !e.forget(e.n) {
		e.Batch.DeleteTimer(k)
	}
}

func (e *edited) PutDeadLetter(sub engine.SubscriptionID, s engine.Sequence, head, record []byte) {
	e.n++
	if e.letter != nil {
		if sub = e.letter(e.n, sub); sub == 0 {
			return
		}
	}
	e.Batch.PutDeadLetter(sub, s, head, record)
}

func (e *edited) PutCatalog(key string, value []byte) {
	e.n++
	if e.catalog == nil || !e.catalog(e.n, key) {
		e.Batch.PutCatalog(key, value)
	}
}

func (e *edited) DeleteCatalog(key string) {
	e.n++
	if e.remove == nil || !e.remove(e.n, key) {
		e.Batch.DeleteCatalog(key)
	}
}

func (e *edited) TrimTopic(topic engine.TopicID, after, through engine.Sequence) {
	if e.trim != nil {
		after, through = e.trim(after, through)
	}
	e.Batch.TrimTopic(topic, after, through)
}

func (e *edited) DropSubscription(sub engine.SubscriptionID) {
	if e.drop != nil {
		sub = e.drop(sub)
	}
	e.Batch.DropSubscription(sub)
}

func edit(e edited) *bug {
	return &bug{batch: func(b engine.Batch) engine.Batch {
		x := e
		x.Batch = b
		return &x
	}}
}

// moveFloor changes the floor in a stored progress.
func moveFloor(b []byte, by int) []byte {
	p, ok := engine.ParseProgress(b)
	if !ok || by < 0 && p.Floor == 0 {
		return b
	}
	p.Floor += engine.Sequence(by)
	return p.AppendBytes(nil)
}

func ofKind(kind byte, every int) func(int, []byte) []byte {
	return func(n int, head []byte) []byte {
		if head[0] == kind && n%every == 0 {
			return nil
		}
		return head
	}
}

// The checker is tested by bugs that are planted in the store: each must be found.
func TestPlantedBugsAreFound(t *testing.T) {
	if *seedFlag != 0 || testing.Short() {
		return // a replay of a real run; and in race builds the checker itself is what is looked at
	}
	for _, p := range []struct {
		what string
		bug  *bug
	}{
		{"answers before the disk", &bug{batch: func(b engine.Batch) engine.Batch { return lazy{b} }}},
		{"answers changes of the catalog before the disk", &bug{batch: func(b engine.Batch) engine.Batch { return &lazyCatalog{Batch: b} }}},
		{"answers settled holds before the disk", &bug{batch: func(b engine.Batch) engine.Batch { return &lazyDrop{Batch: b} }}},
		{"loses a message", edit(edited{message: func(n int, r []byte) []byte {
			if n%31 == 30 {
				return nil
			}
			return r
		}})},
		{"damages a record", edit(edited{message: func(n int, r []byte) []byte {
			if n%31 == 30 {
				r = bytes.Clone(r)
				r[len(r)-1] ^= 1
			}
			return r
		}})},
		{"stores a message elsewhere", edit(edited{sequence: func(n int, s engine.Sequence) engine.Sequence {
			if n%31 == 30 {
				return s + 1
			}
			return s
		}})},
		{"progress runs ahead", edit(edited{progress: func(n int, b []byte) []byte { return moveFloor(b, n%2) }})},
		{"progress stays behind", edit(edited{progress: func(n int, b []byte) []byte {
			if n%7 == 6 {
				return nil
			}
			return b
		}})},
		{"progress is read ahead", &bug{progress: func(b []byte) []byte { return moveFloor(b, 1) }}},
		{"progress is read behind", &bug{progress: func(b []byte) []byte { return moveFloor(b, -1) }}},
		{"loses a retry", edit(edited{timer: ofKind(timerDeliver, 2)})},
		{"loses a delayed message", edit(edited{timer: ofKind(timerPublish, 2)})},
		{"loses a held message", edit(edited{timer: ofKind(timerHeld, 2)})},
		{"gives a delayed message to be held", edit(edited{timer: func(_ int, head []byte) []byte {
			if head[0] == timerPublish {
				head = append([]byte{timerHeld}, head[1:]...)
			}
			return head
		}})},
		{"keeps a timer entry that is over", edit(edited{forget: func(n int) bool { return n%3 == 0 }})},
		{"loses a dead letter", edit(edited{letter: func(n int, s engine.SubscriptionID) engine.SubscriptionID {
			return s * engine.SubscriptionID(n%2)
		}})},
		{"gives a dead letter to another", edit(edited{letter: func(_ int, s engine.SubscriptionID) engine.SubscriptionID { return s + 1 }})},
		{"loses a new topic", edit(edited{catalog: func(n int, key string) bool { return key[0] == 't' && n%3 == 1 }})},
		{"loses a subscription", edit(edited{catalog: func(_ int, key string) bool { return key[0] == 's' }})},
		{"forgets which ids were given", edit(edited{catalog: func(_ int, key string) bool { return key == "id" }})},
		{"a topic comes back", edit(edited{remove: func(_ int, key string) bool { return key[0] == 't' }})},
		{"a subscription comes back", edit(edited{remove: func(_ int, key string) bool { return key[0] == 's' }})},
		{"trims too much", edit(edited{trim: func(after, through engine.Sequence) (engine.Sequence, engine.Sequence) { return after, through + 3 }})},
		{"forgets the high-water mark", &bug{highWater: func(s engine.Sequence) engine.Sequence { return s / 2 }}},
		{"drops the progress of another", edit(edited{drop: func(s engine.SubscriptionID) engine.SubscriptionID { return s + 1 }})},
		{"progress is not one with what it says", &bug{torn: true}},
		{"a reader misses a record", &bug{readTopic: func(n int) bool { return n%5 == 4 }}},
	} {
		t.Run(p.what, func(t *testing.T) {
			t.Parallel()
			wrap := func(s engine.Store) engine.Store { return &planted{Store: s, bug: p.bug} }
			for seed := uint64(1); seed <= 60; seed++ {
				plan := cutPlan(seed)
				plan.wrap, plan.patience = wrap, 500*time.Millisecond
				if _, f := perform(plan); f != nil {
					t.Logf("found by %v", f)
					return
				}
			}
			t.Error("not found")
		})
	}
}
