package webhook

import (
	"net/url"
	"strconv"
	"time"

	"fanfare/engine"
)

// Source: CloudEvents 1.0.2 and its "HTTP Protocol Binding", sections 3.1 (binary content mode) and 3.1.3.2
// (header values); extension "sequence".

// cloudEvents is the encoder of the envelope "cloudevents".
type cloudEvents struct {
	fixed []byte // the header lines that are the same in every push
}

func newCloudEvents(s *engine.Subscription) *cloudEvents {
	fixed := []byte("User-Agent: fanfare\r\nce-specversion: 1.0\r\nce-type: fanfare.message\r\nce-source: ")
	fixed = appendValue(fixed, []byte("/v1/topics/"+url.PathEscape(s.Topic.Name())))
	fixed = append(fixed, "\r\nFanfare-Subscription: "...)
	fixed = append(fixed, s.Name()...)
	return &cloudEvents{fixed: append(fixed, "\r\n"...)}
}

// Body is the message's body as it was published.
func (*cloudEvents) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	return m.Body(), scratch
}

// AppendHeader appends the header lines of a push.
func (e *cloudEvents) AppendHeader(dst []byte, m *engine.Message, _ []byte, attempt int) []byte {
	dst = append(dst, e.fixed...)
	dst = append(dst, "ce-id: "...)
	dst = m.ID().AppendUUID(dst)
	dst = append(dst, "\r\nce-time: "...)
	dst = time.UnixMilli(m.PublishedAt()).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, "\r\nce-sequence: "...)
	dst = strconv.AppendUint(dst, uint64(m.Sequence()), 10)
	dst = append(dst, "\r\n"...)
	if subject := m.Get(engine.FieldSubject); len(subject) > 0 {
		dst = appendValue(append(dst, "ce-subject: "...), subject)
		dst = append(dst, "\r\n"...)
	}
	if tag := m.Tag(); len(tag) > 0 {
		dst = appendValue(append(dst, "ce-tag: "...), tag)
		dst = append(dst, "\r\n"...)
	}
	dst = appendAttempt(dst, attempt)
	return appendContentType(dst, m)
}

// appendValue appends a header value as the binding wants it: the space, '"', '%' and everything outside
// printable ASCII is percent-encoded, byte by byte of its UTF-8.
func appendValue(dst, value []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range value {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '%' {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
