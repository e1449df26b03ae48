package native

import (
	"strconv"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress"

	"github.com/valyala/fasthttp"
)

// What one call replays or drops at the most.
const (
	consumeMax   = 10_000
	sequencesMax = 1000
)

// deadLetterView is what is told of a dead letter in a list.
type deadLetterView struct {
	Sequence    uint64  `json:"sequence"`
	ID          string  `json:"id,omitempty"`
	Reason      string  `json:"reason,omitempty"`
	Status      int     `json:"status,omitempty"`
	Attempts    int     `json:"attempts,omitempty"`
	Failure     string  `json:"failure,omitempty"`
	EndedAt     *string `json:"ended_at,omitempty"`
	PublishedAt *string `json:"published_at,omitempty"`
	BodyBytes   int     `json:"body_bytes"`
	Damaged     bool    `json:"damaged,omitempty"` // nothing else is known of it
}

// wholeDeadLetterView is a dead letter with its message.
type wholeDeadLetterView struct {
	deadLetterView
	Answer        string          `json:"answer,omitempty"`        // the beginning of the last answer's body, when it is text
	AnswerBase64  []byte          `json:"answer_base64,omitempty"` // when it is not
	Origin        string          `json:"origin,omitempty"`
	Subject       string          `json:"subject,omitempty"`
	Tag           string          `json:"tag,omitempty"`
	Keys          string          `json:"keys,omitempty"`
	Group         string          `json:"group,omitempty"`
	Deduplication string          `json:"deduplication_id,omitempty"`
	ContentType   string          `json:"content_type,omitempty"`
	DeliverAt     *string         `json:"deliver_at,omitempty"`
	ExpiresAt     *string         `json:"expires_at,omitempty"`
	Attributes    []attributeView `json:"attributes,omitempty"`
	Body          []byte          `json:"body"` // base64
}

type attributeView struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value,omitempty"`
	Bytes []byte `json:"value_base64,omitempty"` // of a binary one
}

var origins = [...]string{
	engine.OriginNative: "native", engine.OriginSNS: "sns", engine.OriginSMQ: "smq",
	engine.OriginRocketMQ: "rocketmq", engine.OriginSMN: "smn", engine.OriginDMS: "dms", engine.OriginSQS: "sqs",
}

func viewDeadLetter(d *engine.DeadLetter, m *engine.Message) deadLetterView {
	view := deadLetterView{Sequence: uint64(d.Sequence)}
	if m == nil {
		view.Damaged = true
		return view
	}
	view.ID, view.Reason, view.Status, view.Attempts = m.ID().String(), d.Reason, d.Status, d.Attempts
	view.Failure, view.EndedAt, view.PublishedAt = d.Failure, viewMillis(d.At), viewMillis(m.PublishedAt())
	view.BodyBytes = len(m.Body())
	return view
}

func viewWholeDeadLetter(d *engine.DeadLetter, m *engine.Message) wholeDeadLetterView {
	view := wholeDeadLetterView{deadLetterView: viewDeadLetter(d, m), Body: []byte{}}
	if m == nil {
		return view
	}
	if utf8.Valid(d.Answer) {
		view.Answer = string(d.Answer)
	} else {
		view.AnswerBase64 = d.Answer
	}
	if o := int(m.Origin()); o < len(origins) {
		view.Origin = origins[o]
	}
	for field, text := range map[engine.Field]*string{
		engine.FieldSubject: &view.Subject, engine.FieldTag: &view.Tag, engine.FieldKeys: &view.Keys,
		engine.FieldGroup: &view.Group, engine.FieldDeduplicationID: &view.Deduplication, engine.FieldContentType: &view.ContentType,
	} {
		*text = string(m.Get(field))
	}
	view.DeliverAt, view.ExpiresAt = viewMillis(m.DeliverAt()), viewMillis(m.ExpiresAt())
	for it := m.Attributes(); it.Next(); {
		a := attributeView{Name: string(it.Name), Type: string(it.Type)}
		if it.Binary {
			a.Bytes = append([]byte(nil), it.Value...)
		} else {
			a.Value = string(it.Value)
		}
		view.Attributes = append(view.Attributes, a)
	}
	view.Body = append(view.Body, m.Body()...)
	return view
}

// listDeadLetters lists without the bodies.
func (f *Face) listDeadLetters(ctx *fasthttp.RequestCtx, h *ingress.Head, s *engine.Subscription) error {
	q := letterQuery{limit: pageDefault}
	if err := walkQuery(h.Query, func(key, value string) error { return q.read(key, value, pageMax) }); err != nil {
		return err
	}
	list := struct {
		DeadLetters []deadLetterView `json:"dead_letters"`
		Next        uint64           `json:"next,omitempty"`
	}{DeadLetters: []deadLetterView{}}
	err := f.engine.DeadLetters(s, q.filter, func(d engine.DeadLetter, m *engine.Message) bool {
		if len(list.DeadLetters) == q.limit {
			list.Next = list.DeadLetters[q.limit-1].Sequence
			return false
		}
		list.DeadLetters = append(list.DeadLetters, viewDeadLetter(&d, m))
		return true
	})
	if err != nil {
		return engine.ErrUnavailable
	}
	reply(ctx, fasthttp.StatusOK, list)
	return nil
}

// getDeadLetter shows one whole, or with ?raw=true the bytes of its body alone.
func (f *Face) getDeadLetter(ctx *fasthttp.RequestCtx, h *ingress.Head, s *engine.Subscription, number []byte) error {
	raw := false
	err := walkQuery(h.Query, func(key, value string) error {
		if key == "raw" {
			return readFlag(key, value, &raw)
		}
		return unknownParameter(key)
	})
	if err != nil {
		return err
	}
	filter, err := onlyFilter(number)
	if err != nil {
		return err
	}
	answer := error(errDeadLetter)
	err = f.engine.DeadLetters(s, filter, func(d engine.DeadLetter, m *engine.Message) bool {
		switch {
		case !raw:
			reply(ctx, fasthttp.StatusOK, viewWholeDeadLetter(&d, m))
		case m == nil:
			answer = errDamaged
			return false
		default:
			replyRaw(ctx, m)
		}
		answer = nil
		return false
	})
	if err != nil {
		return engine.ErrUnavailable
	}
	return answer
}

// replyRaw answers with a message's body as it was published. A browser must not take it for a page of this server.
func replyRaw(ctx *fasthttp.RequestCtx, m *engine.Message) {
	ctx.SetStatusCode(fasthttp.StatusOK)
	ctx.SetContentType("application/octet-stream")
	ctx.Response.Header.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
	ctx.Response.Header.Set(fasthttp.HeaderContentDisposition, "attachment")
	ctx.SetBody(m.Body())
}

// onlyFilter chooses the dead letter of a path.
func onlyFilter(number []byte) (engine.DeadLetterFilter, error) {
	n, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil || n == 0 {
		return engine.DeadLetterFilter{}, errDeadLetter
	}
	return engine.DeadLetterFilter{Only: engine.Sequence(n)}, nil
}

// deleteDeadLetter drops one.
func (f *Face) deleteDeadLetter(ctx *fasthttp.RequestCtx, s *engine.Subscription, number []byte) error {
	filter, err := onlyFilter(number)
	if err != nil {
		return err
	}
	purged, _, err := f.engine.PurgeDeadLetters(s, filter, 1)
	if err != nil {
		return err
	}
	if purged == 0 {
		return errDeadLetter
	}
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	return nil
}

// purgeDeadLetters drops those that the query chooses; all of them only when it says so.
func (f *Face) purgeDeadLetters(ctx *fasthttp.RequestCtx, h *ingress.Head, s *engine.Subscription) error {
	q, all := letterQuery{limit: consumeMax}, false
	err := walkQuery(h.Query, func(key, value string) error {
		if key == "all" {
			return readFlag(key, value, &all)
		}
		return q.read(key, value, consumeMax)
	})
	if err != nil {
		return err
	}
	if q.filter == (engine.DeadLetterFilter{}) && !all {
		return errPurgeAll
	}
	purged, last, err := f.engine.PurgeDeadLetters(s, q.filter, q.limit)
	if err != nil {
		return err
	}
	f.log.Info().Str("topic", s.Topic.Name()).Str("subscription", s.Name()).Int("letters", purged).Msg("dead letters purged")
	reply(ctx, fasthttp.StatusOK, struct {
		Purged int    `json:"purged"`
		Next   uint64 `json:"next,omitempty"`
	}{purged, f.next(s, q.filter, last, purged == q.limit)})
	return nil
}

// replayDeadLetters makes deliveries again of those that the body chooses.
func (f *Face) replayDeadLetters(ctx *fasthttp.RequestCtx, s *engine.Subscription) error {
	r, err := parseReplay(ctx.Request.Body())
	if err != nil {
		return err
	}
	done := struct {
		Replayed int    `json:"replayed"`
		Next     uint64 `json:"next,omitempty"`
	}{}
	if r.sequences == nil {
		n, last, err := f.engine.ReplayDeadLetters(s, r.filter, r.rate, r.limit)
		if err != nil {
			return err
		}
		done.Replayed, done.Next = n, f.next(s, r.filter, last, n == r.limit)
	}
	for _, seq := range r.sequences {
		n, _, err := f.engine.ReplayDeadLetters(s, engine.DeadLetterFilter{Only: seq}, r.rate, 1)
		if err != nil {
			return err
		}
		done.Replayed += n
	}
	f.log.Info().Str("topic", s.Topic.Name()).Str("subscription", s.Name()).Int("letters", done.Replayed).Msg("dead letters replayed")
	reply(ctx, fasthttp.StatusOK, done)
	return nil
}

// next is the sequence behind which a call that came to its limit goes on, 0 when nothing is left for it.
func (f *Face) next(s *engine.Subscription, filter engine.DeadLetterFilter, last engine.Sequence, cut bool) (next uint64) {
	if !cut {
		return 0
	}
	filter.After = last
	// When it cannot be read, the next call says so.
	_ = f.engine.DeadLetters(s, filter, func(engine.DeadLetter, *engine.Message) bool {
		next = uint64(last)
		return false
	})
	return next
}
