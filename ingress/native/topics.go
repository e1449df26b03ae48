package native

import (
	"time"

	"fanfare/engine"
	"fanfare/ingress"

	"github.com/valyala/fasthttp"
)

// Sizes of a page of a list.
const (
	pageDefault = 100
	pageMax     = 1000
)

// topicView is what is told of a topic.
type topicView struct {
	Name          string         `json:"name"`
	Declared      bool           `json:"declared,omitempty"`
	Retention     *retentionView `json:"retention,omitempty"`
	Subscriptions int            `json:"subscriptions"`
	LastSequence  uint64         `json:"last_sequence"`
	CreatedAt     time.Time      `json:"created_at"`
	UpdatedAt     time.Time      `json:"updated_at"`
}

type retentionView struct {
	Age   string `json:"age,omitempty"`
	Bytes int64  `json:"bytes,omitempty"`
}

func viewRetention(r engine.Retention) *retentionView {
	if r.IsZero() {
		return nil
	}
	view := &retentionView{Bytes: r.Bytes}
	if r.Age > 0 {
		view.Age = r.Age.String()
	}
	return view
}

func viewTopic(t *engine.Topic) topicView {
	c := t.Config()
	return topicView{
		Name:          c.Name,
		Declared:      c.Declared,
		Retention:     viewRetention(c.Retention),
		Subscriptions: len(t.Subscriptions()),
		LastSequence:  uint64(t.High()),
		CreatedAt:     time.UnixMilli(c.CreatedAt).UTC(),
		UpdatedAt:     time.UnixMilli(c.UpdatedAt).UTC(),
	}
}

// page is which part of a list is asked for.
type page struct {
	prefix, after string
	limit         int
}

// parsePage reads a list's query. Only some lists can be asked for a prefix.
func parsePage(query []byte, withPrefix bool) (p page, err error) {
	p.limit = pageDefault
	err = walkQuery(query, func(key, value string) error {
		switch {
		case key == "after":
			p.after = value
		case key == "prefix" && withPrefix:
			p.prefix = value
		case key == "limit":
			return readLimit(value, pageMax, &p.limit)
		default:
			return unknownParameter(key)
		}
		return nil
	})
	return p, err
}

func (f *Face) listTopics(ctx *fasthttp.RequestCtx, h *ingress.Head) error {
	p, err := parsePage(h.Query, true)
	if err != nil {
		return err
	}
	topics := f.engine.Topics(p.prefix, p.after, p.limit+1)
	list := struct {
		Topics []topicView `json:"topics"`
		Next   string      `json:"next,omitempty"`
	}{Topics: []topicView{}}
	for _, t := range topics[:min(p.limit, len(topics))] {
		list.Topics = append(list.Topics, viewTopic(t))
	}
	if len(topics) > p.limit {
		list.Next = list.Topics[p.limit-1].Name
	}
	reply(ctx, fasthttp.StatusOK, list)
	return nil
}

func (f *Face) putTopic(ctx *fasthttp.RequestCtx, name string) error {
	settings, err := parseTopic(ctx.Request.Body())
	if err != nil {
		return err
	}
	retention := engine.Retention{}
	if settings.retention != nil {
		retention = *settings.retention
	}
	t, created, err := f.engine.CreateTopicWith(engine.TopicConfig{Name: name, Retention: retention})
	if err == nil && !created && settings.retention != nil {
		err = f.engine.SetRetention(t, retention)
	}
	if err != nil {
		return err
	}
	status := fasthttp.StatusOK
	if created {
		status = fasthttp.StatusCreated
		f.log.Info().Str("topic", name).Msg("topic created")
	}
	reply(ctx, status, viewTopic(t))
	return nil
}

func (f *Face) getTopic(ctx *fasthttp.RequestCtx, name []byte) error {
	t := f.engine.Topic(name)
	if t == nil {
		return engine.ErrTopicNotFound
	}
	reply(ctx, fasthttp.StatusOK, viewTopic(t))
	return nil
}

func (f *Face) deleteTopic(ctx *fasthttp.RequestCtx, name string) error {
	if err := f.engine.DeleteTopic(name); err != nil {
		return err
	}
	f.log.Info().Str("topic", name).Msg("topic deleted")
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	return nil
}
