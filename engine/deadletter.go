package engine

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
)

// DeadLetter is a delivery that ended without an acknowledgement.
type DeadLetter struct {
	Sequence Sequence // of the message in the subscription's topic
	At       int64    // when it ended, ms since 1970
	Attempts int
	Status   int    // HTTP status of the last answer, 0 without one
	Reason   string // one of the reasons below
	Failure  string // the last failure in words
	Answer   []byte // the beginning of the last answer's body
}

// The reasons in dead letters.
const (
	ReasonExpired  = "expired"      // the message's time to live was over
	ReasonAge      = "max_age"      // the policy's longest age was over
	ReasonAttempts = "max_attempts" // the policy's attempts were used up
	ReasonRefused  = "refused"      // the endpoint refused for good
)

// The head of a stored dead letter, in front of the record. Integers are big-endian.
//
//	offset size
//	     0    1  version, 2
//	     1    8  at
//	     9    4  attempts
//	    13    2  status
//	    15    1  length of the reason
//	    16    1  length of the failure
//	    17    2  length of the answer
//	    19    4  checksum: the low half of xxhash64 of the bytes before it, mixed with that of those behind it
//	    23       reason, failure, answer
//
// A torn value fails the version, a length or a checksum, and is reported.
const (
	deadLetterVersion  = 2
	deadLetterHeadSum  = 19 // offset of the checksum
	deadLetterHeadSize = 23
)

// deadLetterSum is the checksum of a head, with all that belongs to it.
func deadLetterSum(head []byte) uint32 {
	return uint32(xxhash.Sum64(head[:deadLetterHeadSum]) ^ bits.RotateLeft64(xxhash.Sum64(head[deadLetterHeadSize:]), 1))
}

// AppendDeadLetterHead appends the stored form of a dead letter, without its record.
func AppendDeadLetterHead(dst []byte, d *DeadLetter) []byte {
	reason, failure, answer := clip(d.Reason, 255), clip(d.Failure, 255), d.Answer[:min(len(d.Answer), 1<<16-1)]
	start := len(dst)
	dst = append(dst, deadLetterVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(d.At))
	dst = binary.BigEndian.AppendUint32(dst, uint32(d.Attempts))
	dst = binary.BigEndian.AppendUint16(dst, uint16(d.Status))
	dst = append(dst, byte(len(reason)), byte(len(failure)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(answer)))
	dst = append(dst, 0, 0, 0, 0)
	dst = append(append(append(dst, reason...), failure...), answer...)
	binary.BigEndian.PutUint32(dst[start+deadLetterHeadSum:], deadLetterSum(dst[start:]))
	return dst
}

func clip(s string, most int) string { return s[:min(len(s), most)] }

// ParseDeadLetter reads a stored dead letter. The caller releases the message.
func ParseDeadLetter(seq Sequence, b []byte) (d DeadLetter, m *Message, err error) {
	if len(b) < deadLetterHeadSize || b[0] != deadLetterVersion {
		return d, nil, ErrRecordDamaged
	}
	d.Sequence = seq
	d.At = int64(binary.BigEndian.Uint64(b[1:]))
	d.Attempts = int(binary.BigEndian.Uint32(b[9:]))
	d.Status = int(binary.BigEndian.Uint16(b[13:]))
	reason, failure, answer := int(b[15]), int(b[16]), int(binary.BigEndian.Uint16(b[17:]))
	end := deadLetterHeadSize + reason + failure + answer
	if len(b) < end || binary.BigEndian.Uint32(b[deadLetterHeadSum:]) != deadLetterSum(b[:end]) {
		return DeadLetter{}, nil, ErrRecordDamaged
	}
	b = b[deadLetterHeadSize:]
	d.Reason = string(b[:reason])
	d.Failure = string(b[reason : reason+failure])
	d.Answer = append([]byte(nil), b[reason+failure:reason+failure+answer]...)
	m, err = DecodeMessage(b[reason+failure+answer:])
	return d, m, err
}

// DeadLetterFilter chooses dead letters of a subscription. The zero value chooses all.
type DeadLetterFilter struct {
	After  Sequence // only those behind it
	Only   Sequence // only this one; 0: any
	Reason string   // "": any
	Status int      // 0: any
	Since  int64    // ended at or after it, ms since 1970; 0: whenever
	Until  int64    // ended before it, ms since 1970; 0: whenever
}

func (f *DeadLetterFilter) matches(d *DeadLetter) bool {
	return (f.Only == 0 || d.Sequence == f.Only) &&
		(f.Reason == "" || d.Reason == f.Reason) &&
		(f.Status == 0 || d.Status == f.Status) &&
		d.At >= f.Since && (f.Until == 0 || d.At < f.Until)
}

// DeadLetters calls fn with the dead letters that the filter chooses, in the order of their sequences, until it
// returns false. The message is valid until fn returns. One that is damaged is handed over without a message
// and with nothing but its sequence; only a filter that asks for that sequence, or for nothing, chooses it.
func (e *Engine) DeadLetters(s *Subscription, f DeadLetterFilter, fn func(DeadLetter, *Message) bool) error {
	first := f.After
	if f.Only != 0 {
		if f.Only <= f.After {
			return nil
		}
		first = f.Only - 1
	}
	return e.opts.Store.ReadDeadLetters(s.ID, first, func(seq Sequence, value []byte) bool {
		if f.Only != 0 && seq > f.Only {
			return false
		}
		d, m, err := ParseDeadLetter(seq, value)
		if err != nil {
			e.opts.Log.Error().Err(err).Str("topic", s.Topic.Name()).Str("subscription", s.Name()).Uint64("sequence", uint64(seq)).
				Msg("a dead letter cannot be read")
			if f.Reason != "" || f.Status != 0 || f.Since != 0 || f.Until != 0 {
				return true
			}
			return fn(DeadLetter{Sequence: seq}, nil)
		}
		defer m.Release()
		m.topic = s.Topic
		return !f.matches(&d) || fn(d, m)
	})
}

// deadLetterBatch is how many dead letters are moved or dropped in one batch, and deadLetterBatchBytes how much.
const (
	deadLetterBatch      = 1000
	deadLetterBatchBytes = 8 << 20
)

// PurgeDeadLetters drops the dead letters that the filter chooses, up to limit of them. It is durable when it
// returns. The last sequence is where to go on, when there may be more.
func (e *Engine) PurgeDeadLetters(s *Subscription, f DeadLetterFilter, limit int) (purged int, last Sequence, err error) {
	s.consuming.Lock()
	defer s.consuming.Unlock()
	purged, last, err = e.consumeDeadLetters(s, f, limit, func(b Batch, d *DeadLetter, _ *Message) (TimerKey, bool) {
		b.DeleteDeadLetter(s.ID, d.Sequence)
		return TimerKey{}, true
	})
	e.purged.Add(uint64(purged))
	return purged, last, err
}

// ReplayDeadLetters turns the dead letters that the filter chooses into deliveries again, up to limit of them: in
// one step each leaves the list and becomes an entry of the durable timer, due at once or, with a rate above 0,
// so many a second. A crash finds each either listed or scheduled, so that a replay can go on where it ended.
// Their attempts and their age begin anew, and their time to live is lifted. The last sequence is where to go on,
// when there may be more.
func (e *Engine) ReplayDeadLetters(s *Subscription, f DeadLetterFilter, rate float64, limit int) (replayed int, last Sequence, err error) {
	// Two at a time would take the same ones, and the same due times.
	s.consuming.Lock()
	defer s.consuming.Unlock()
	at := time.Now()
	if rate > 0 && s.replayAt.After(at) {
		at = s.replayAt
	}
	replayed, last, err = e.consumeDeadLetters(s, f, limit, func(b Batch, d *DeadLetter, m *Message) (TimerKey, bool) {
		if m == nil {
			return TimerKey{}, false // a damaged one stays, for whoever examines it
		}
		if m.ExpiresAt() != 0 { // or what was asked for would be dropped as expired
			m.SetExpiresAt(0)
			m.seal()
		}
		k := e.timers.NewKey(at.UnixMilli())
		b.PutTimer(k, AppendDeliveryHead(nil, s.ID, Parked{Since: at.UnixMilli()}), m.buf)
		b.DeleteDeadLetter(s.ID, d.Sequence)
		if rate > 0 {
			at = at.Add(time.Duration(float64(time.Second) / rate))
			s.replayAt = at
		}
		return k, true
	})
	e.replayed.Add(uint64(replayed))
	return replayed, last, err
}

// consumeDeadLetters takes dead letters off the list in batches. The caller holds s.consuming.
func (e *Engine) consumeDeadLetters(s *Subscription, f DeadLetterFilter, limit int, take func(Batch, *DeadLetter, *Message) (TimerKey, bool)) (taken int, last Sequence, err error) {
	b := e.opts.Store.NewBatch()
	var keys []TimerKey
	for more := true; more && taken < limit; {
		b.Reset()
		keys = keys[:0]
		room, size := min(limit-taken, deadLetterBatch), 0
		more = false
		err := e.DeadLetters(s, f, func(d DeadLetter, m *Message) bool {
			f.After = d.Sequence
			if k, ok := take(b, &d, m); ok {
				keys = append(keys, k)
				if m != nil {
					size += m.Size()
				}
			}
			more = len(keys) >= room || size >= deadLetterBatchBytes
			return !more
		})
		switch {
		case err != nil:
			return taken, f.After, ErrUnavailable
		case s.deleted.Load():
			return taken, f.After, ErrSubscriptionNotFound
		case len(keys) == 0:
			return taken, f.After, nil
		}
		if err := e.write(b); err != nil {
			return taken, f.After, err
		}
		taken += len(keys)
		for _, k := range keys {
			if !k.IsZero() {
				e.timers.Added(k)
			}
		}
	}
	return taken, f.After, nil
}

// The attributes that a dead letter gets when it is published to a topic.
const (
	attributeReason       = "fanfare.dead_letter.reason"
	attributeTopic        = "fanfare.dead_letter.topic"
	attributeSubscription = "fanfare.dead_letter.subscription"
	attributeSequence     = "fanfare.dead_letter.sequence"
	attributeAttempts     = "fanfare.dead_letter.attempts"
	attributeStatus       = "fanfare.dead_letter.status"
)

// IsDeadLetter reports whether the message is a dead letter that was published to a topic.
func (m *Message) IsDeadLetter() bool {
	for it := m.Attributes(); it.Next(); {
		if string(it.Name) == attributeReason {
			return true
		}
	}
	return false
}

// returnDeadLetter puts a dead letter whose topic is gone on the list of the subscription it comes from. It reports
// whether there is such a subscription.
func (e *Engine) returnDeadLetter(b Batch, m *Message) bool {
	letter := map[string]string{}
	for it := m.Attributes(); it.Next(); {
		letter[string(it.Name)] = string(it.Value)
	}
	t := e.Topic([]byte(letter[attributeTopic]))
	if t == nil {
		return false
	}
	s := t.Subscription(letter[attributeSubscription])
	seq, err := strconv.ParseUint(letter[attributeSequence], 10, 64)
	if s == nil || err != nil {
		return false
	}
	d := DeadLetter{At: time.Now().UnixMilli(), Reason: letter[attributeReason], Failure: "the topic for dead letters was deleted"}
	d.Attempts, _ = strconv.Atoi(letter[attributeAttempts])
	d.Status, _ = strconv.Atoi(letter[attributeStatus])
	b.PutDeadLetter(s.ID, Sequence(seq), AppendDeadLetterHead(nil, &d), m.buf)
	return true
}

// AppendDeadLetter appends the record of the message as it is published to a topic for dead letters: with
// attributes that say what it died of and where, and without a time to live.
func (m *Message) AppendDeadLetter(dst []byte, d *DeadLetter, s *Subscription) []byte {
	c := emptyMessage()
	defer c.Release()
	c.buf = append(c.buf[:0], m.buf...)
	text := func(name, value string) {
		c.AddAttribute([]byte(name), []byte("String"), []byte(value), false)
	}
	text(attributeReason, d.Reason)
	text(attributeTopic, s.Topic.Name())
	text(attributeSubscription, s.Name())
	text(attributeSequence, strconv.FormatUint(uint64(m.Sequence()), 10))
	text(attributeAttempts, strconv.Itoa(d.Attempts))
	text(attributeStatus, strconv.Itoa(d.Status))
	c.SetExpiresAt(0)
	c.SetDeliverAt(d.At) // its age counts from its death
	c.setSequence(0)
	c.seal()
	return append(dst, c.buf...)
}
