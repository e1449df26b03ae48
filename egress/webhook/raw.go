package webhook

import (
	"strconv"

	"fanfare/engine"
)

// raw is the encoder of the envelope "raw".
type raw struct {
	fixed []byte // the header lines that are the same in every push
}

func newRaw(s *engine.Subscription) *raw {
	fixed := []byte("User-Agent: fanfare\r\nFanfare-Topic: ")
	fixed = append(fixed, s.Topic.Name()...)
	fixed = append(fixed, "\r\nFanfare-Subscription: "...)
	fixed = append(fixed, s.Name()...)
	return &raw{fixed: append(fixed, "\r\n"...)}
}

// Body is the message's body as it was published.
func (*raw) Body(scratch []byte, m *engine.Message) (body, grown []byte) { return m.Body(), scratch }

// AppendHeader appends the header lines of a push.
func (e *raw) AppendHeader(dst []byte, m *engine.Message, _ []byte, attempt int) []byte {
	dst = append(dst, e.fixed...)
	dst = append(dst, "Fanfare-Message-Id: "...)
	dst = m.ID().AppendUUID(dst)
	dst = append(dst, "\r\nFanfare-Sequence: "...)
	dst = strconv.AppendUint(dst, uint64(m.Sequence()), 10)
	dst = append(dst, "\r\n"...)
	dst = appendAttempt(dst, attempt)
	return appendContentType(dst, m)
}

func appendAttempt(dst []byte, attempt int) []byte {
	dst = append(dst, "Fanfare-Attempt: "...)
	dst = strconv.AppendInt(dst, int64(attempt), 10)
	return append(dst, "\r\n"...)
}

func appendContentType(dst []byte, m *engine.Message) []byte {
	contentType := m.Get(engine.FieldContentType)
	if len(contentType) == 0 || !headerSafe(contentType) {
		return append(dst, "Content-Type: application/octet-stream\r\n"...)
	}
	dst = append(dst, "Content-Type: "...)
	dst = append(dst, contentType...)
	return append(dst, "\r\n"...)
}

// headerSafe reports whether a value can stand in a header line. The faces see to it; a line break here would let
// a publisher write headers of its own, so it is looked at once more.
func headerSafe(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// Bare is true.
func (*raw) Bare() bool { return true }
