package native

import (
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/scan"

	"github.com/valyala/fasthttp"
)

// Limits of what a publish may say in its head.
const (
	SubjectBytesMax     = 1024
	ContentTypeBytesMax = 256
	DelayMax            = 40 * 24 * time.Hour
	TTLMax              = 14 * 24 * time.Hour
)

// publish is the hot path: it must not allocate unless it refuses.
func (f *Face) publish(ctx *fasthttp.RequestCtx, h *ingress.Head, topic []byte) {
	t, err := f.topicOf(topic)
	if err != nil {
		refuse(ctx, err)
		return
	}
	m := engine.NewMessage()
	defer m.Release()
	m.SetOrigin(engine.OriginNative)
	if err := fillMessage(m, h.Header, ctx.Request.Body()); err != nil {
		refuse(ctx, err)
		return
	}
	if err := f.engine.Publish(t, m); err != nil {
		refuse(ctx, err)
		return
	}
	s := ingress.GetScratch()
	b := append(s.B, `{"id":"`...)
	b = m.ID().AppendUUID(b)
	b = append(b, `","sequence":`...)
	b = strconv.AppendUint(b, uint64(m.Sequence()), 10)
	b = append(b, '}', '\n')
	s.B = b
	ctx.SetStatusCode(fasthttp.StatusCreated)
	ctx.SetContentType(contentTypeJSON)
	ctx.Response.SetBody(b)
	s.Put()
}

// topicOf finds the topic of a percent-encoded name.
func (f *Face) topicOf(name []byte) (*engine.Topic, error) {
	var buf [engine.TopicNameBytesMax]byte
	if !scan.FormPlain(name) {
		decoded, err := scan.AppendFormPath(buf[:0], name)
		if err != nil {
			return nil, errPath
		}
		name = decoded
	}
	if t := f.engine.Topic(name); t != nil {
		return t, nil
	}
	return nil, engine.ErrTopicNotFound
}

// The headers of a publish, in the case that fasthttp keeps them in.
var (
	headerSubject = []byte("X-Fanfare-Subject")
	headerTag     = []byte("X-Fanfare-Tag")
	headerDelay   = []byte("X-Fanfare-Delay")
	headerTTL     = []byte("X-Fanfare-Ttl")
)

// fillMessage sets the fields of a publish from its head and body.
func fillMessage(m *engine.Message, h *fasthttp.RequestHeader, body []byte) error {
	if coding := h.ContentEncoding(); len(coding) > 0 && string(coding) != "identity" {
		return errContentEncoding
	}
	if v := h.ContentType(); len(v) > 0 {
		if len(v) > ContentTypeBytesMax || !isText(v) {
			return errContentType
		}
		m.Set(engine.FieldContentType, v)
	}
	if v := h.PeekCanonical(headerSubject); len(v) > 0 {
		if len(v) > SubjectBytesMax || !isText(v) {
			return errSubject
		}
		m.Set(engine.FieldSubject, v)
	}
	if v := h.PeekCanonical(headerTag); len(v) > 0 {
		if len(v) > engine.FilterTagBytesMax || !isText(v) {
			return errTag
		}
		m.Set(engine.FieldTag, v)
	}
	due := m.PublishedAt()
	if v := h.PeekCanonical(headerDelay); len(v) > 0 {
		d, ok := parseSpan(v)
		if !ok || d < 0 || d > DelayMax {
			return errDelay
		}
		if d >= time.Millisecond {
			due += d.Milliseconds()
			m.SetDeliverAt(due)
		}
	}
	if v := h.PeekCanonical(headerTTL); len(v) > 0 {
		d, ok := parseSpan(v)
		if !ok || d < time.Millisecond || d > TTLMax {
			return errTTL
		}
		m.SetExpiresAt(due + d.Milliseconds())
	}
	m.Set(engine.FieldBody, body)
	return nil
}

// parseSpan reads seconds, or a duration such as "1m30s".
func parseSpan(v []byte) (time.Duration, bool) {
	if len(v) > 32 {
		return 0, false
	}
	seconds := int64(0)
	for _, c := range v {
		if c < '0' || c > '9' || seconds > 1<<28 {
			// Only the error, which is dropped, keeps the text: no copy is needed.
			d, err := time.ParseDuration(unsafe.String(&v[0], len(v)))
			return d, err == nil
		}
		seconds = seconds*10 + int64(c-'0')
	}
	return time.Duration(seconds) * time.Second, true
}

// isText reports whether the value is UTF-8 without control characters.
func isText(v []byte) bool {
	for _, c := range v {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(v)
}
