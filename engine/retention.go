package engine

import (
	"fmt"
	"sync"
	"time"
)

// Limits of a retention.
const (
	RetentionAgeMax   = 366 * 24 * time.Hour
	RetentionBytesMax = 1 << 50
)

// Retention says how long a topic keeps messages that every subscription has settled: up to an age, up to a
// size, or what both allow. The zero value keeps none, so that disk use follows what is owed.
type Retention struct {
	Age   time.Duration `json:"age,omitempty"`
	Bytes int64         `json:"bytes,omitempty"`
}

// IsZero reports whether nothing is kept.
func (r Retention) IsZero() bool { return r == Retention{} }

// Check says what is wrong with a retention, nil for nothing.
func (r Retention) Check() error {
	if r.Age < 0 || r.Age > RetentionAgeMax {
		return &FieldError{"retention.age", fmt.Sprintf("must be between 0 and %v", RetentionAgeMax)}
	}
	if r.Bytes < 0 || r.Bytes > RetentionBytesMax {
		return &FieldError{"retention.bytes", fmt.Sprintf("must be between 0 and %d", int64(RetentionBytesMax))}
	}
	return nil
}

// How far marks lie apart: as far as whichever comes first allows.
const (
	markBytes  = 1 << 20
	markMillis = 1000
	markShare  = 64 // of the retention's age, or size, that lies between two marks at the most
)

// marks are a topic's marks, in memory: about 24 bytes for a MiB or a second of messages.
type marks struct {
	mu    sync.Mutex
	all   []Mark // guarded by mu: in order; written by the committer, dropped by the trim
	bytes uint64 // guarded by mu: of the records since the topic's first, as far as marks were kept
	last  int64  // guarded by mu: when the last record was appended, or the topic was loaded, ms since 1970
}

// append counts a record of some bytes that was appended, and writes its mark when one is due.
func (k *marks) append(b Batch, t *Topic, mark Mark, size uint64) {
	r := t.Config().Retention
	if r.IsZero() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	mark.Bytes, k.last = k.bytes, mark.At
	k.bytes += size
	if n := len(k.all); n > 0 {
		last := &k.all[n-1]
		apart, old := uint64(markBytes), int64(markMillis)
		if r.Bytes > 0 {
			apart = min(apart, uint64(r.Bytes)/markShare)
		}
		if r.Age > 0 {
			old = min(old, r.Age.Milliseconds()/markShare)
		}
		if mark.Bytes-last.Bytes < apart && mark.At-last.At < old {
			return
		}
	}
	k.all = append(k.all, mark)
	b.PutMark(t.ID, mark)
}

// begin makes what is there count from now on: the topic begins to retain its messages.
func (k *marks) begin() {
	k.mu.Lock()
	k.last = time.Now().UnixMilli()
	k.mu.Unlock()
}

// expired returns the last sequence that the retention gives up, 0 for none. Everything before a mark was
// appended before it, so a mark that is too old, or has too much behind it, ends what may go.
func (k *marks) expired(r Retention, high Sequence, now int64) Sequence {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last == 0 {
		k.last = now // the retention is new: what is there counts from here
	}
	if r.Age > 0 && k.last < now-r.Age.Milliseconds() {
		return high
	}
	var end Sequence
	n := 0
	for n < len(k.all) {
		m := &k.all[n]
		old := r.Age > 0 && m.At < now-r.Age.Milliseconds()
		far := r.Bytes > 0 && k.bytes-m.Bytes > uint64(r.Bytes)
		if !old && !far {
			break
		}
		end = m.Sequence - 1
		n++
	}
	if n > 1 { // the last of them still says where the rest begins
		k.all = append(k.all[:0], k.all[n-1:]...)
	}
	return end
}

// loadMarks reads a topic's marks, and counts what was appended behind the last of them.
func (e *Engine) loadMarks(t *Topic) error {
	if t.Config().Retention.IsZero() {
		return nil
	}
	k := &t.marks
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = time.Now().UnixMilli()
	if err := e.opts.Store.ReadMarks(t.ID, func(m Mark) { k.all = append(k.all, m) }); err != nil || len(k.all) == 0 {
		return err
	}
	last := k.all[len(k.all)-1]
	k.bytes = last.Bytes
	return e.opts.Store.ReadTopic(t.ID, last.Sequence, t.High(), func(_ Sequence, record []byte) bool {
		k.bytes += uint64(len(record))
		return true
	})
}

// Releasable is the sequence up to which a topic need not keep what is settled.
func (t *Topic) Releasable(now time.Time) Sequence {
	r, high := t.Config().Retention, t.High()
	if r.IsZero() {
		return high
	}
	return t.marks.expired(r, high, now.UnixMilli())
}

// SequenceAt returns the sequence of the first stored message that was accepted, or was due, at a time or later:
// the one behind the last when there is none. Messages stand in the order in which they were committed, which is
// that of their times but for a few moments, so it may be a little early.
func (e *Engine) SequenceAt(t *Topic, at time.Time) (Sequence, error) {
	ms := at.UnixMilli() - 1
	low, high := t.Trimmed()+1, t.High()+1
	for low < high {
		middle := low + (high-low)/2
		found, old := Sequence(0), false
		err := e.ReadTopic(t, middle, t.High(), func(seq Sequence, m *Message) bool {
			found = seq
			old = m == nil || max(m.PublishedAt(), m.DeliverAt()) < ms
			return m == nil // what is damaged says nothing: the next one has to
		})
		switch {
		case err != nil:
			return 0, ErrUnavailable
		case found == 0 || found >= high:
			high = middle
		case old:
			low = found + 1
		default:
			high = middle
		}
	}
	return low, nil
}

// Rewind sets a subscription back, or on: the first message it gets is that of the sequence, or the first behind
// it that is still stored. It is durable when it returns, with the sequence that it came to.
func (e *Engine) Rewind(s *Subscription, next Sequence) (Sequence, error) {
	if state := e.state.Load(); state != stateRunning {
		return 0, state.err()
	}
	if s.deleted.Load() {
		return 0, ErrSubscriptionNotFound
	}
	return s.receiver.Rewind(next)
}
