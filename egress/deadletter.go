package egress

import (
	"encoding/binary"
	"time"

	"fanfare/engine"
)

// DeadLetter is a delivery that ended without an acknowledgement.
type DeadLetter struct {
	At       int64 // ms since 1970
	Attempts int
	Status   int    // HTTP status of the last answer, 0 without one
	Reason   string // expired, max_age, max_attempts or refused
	Answer   []byte // the beginning of the last answer's body
}

// The head of a stored dead letter, in front of the record:
//
//	offset size
//	     0    1  version, 1
//	     1    8  at, big-endian
//	     9    4  attempts, big-endian
//	    13    2  status, big-endian
//	    15    1  length of the reason
//	    16    2  length of the answer, big-endian
//	    18       reason, answer
const (
	deadLetterVersion  = 1
	deadLetterHeadSize = 18
)

func (n *note) letter() *DeadLetter {
	return &DeadLetter{
		At: time.Now().UnixMilli(), Attempts: n.d.attempts, Status: n.status, Reason: n.reason, Answer: n.answer,
	}
}

func (d *DeadLetter) appendHead(dst []byte) []byte {
	dst = append(dst, deadLetterVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(d.At))
	dst = binary.BigEndian.AppendUint32(dst, uint32(d.Attempts))
	dst = binary.BigEndian.AppendUint16(dst, uint16(d.Status))
	dst = append(dst, byte(len(d.Reason)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(d.Answer)))
	return append(append(dst, d.Reason...), d.Answer...)
}

// ParseDeadLetter reads a stored dead letter. The caller releases the message.
func ParseDeadLetter(b []byte) (d DeadLetter, m *engine.Message, err error) {
	if len(b) < deadLetterHeadSize || b[0] != deadLetterVersion {
		return d, nil, engine.ErrRecordDamaged
	}
	d.At = int64(binary.BigEndian.Uint64(b[1:]))
	d.Attempts = int(binary.BigEndian.Uint32(b[9:]))
	d.Status = int(binary.BigEndian.Uint16(b[13:]))
	reason, answer := int(b[15]), int(binary.BigEndian.Uint16(b[16:]))
	b = b[deadLetterHeadSize:]
	if len(b) < reason+answer {
		return d, nil, engine.ErrRecordDamaged
	}
	d.Reason = string(b[:reason])
	d.Answer = append([]byte(nil), b[reason:reason+answer]...)
	m, err = engine.DecodeMessage(b[reason+answer:])
	return d, m, err
}

// DeadLetters calls fn with the dead letters of a subscription until it returns false; the message is
// valid until fn returns.
func (e *Egress) DeadLetters(s *engine.Subscription, fn func(engine.Sequence, DeadLetter, *engine.Message) bool) error {
	var damaged error
	err := e.engine.Store().ReadDeadLetters(s.ID, func(seq engine.Sequence, value []byte) bool {
		d, m, err := ParseDeadLetter(value)
		if err != nil {
			damaged = err
			return true
		}
		defer m.Release()
		return fn(seq, d, m)
	})
	if err == nil {
		err = damaged
	}
	return err
}
