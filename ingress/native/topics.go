package native

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/scan"

	"github.com/valyala/fasthttp"
)

// Sizes of a page of a list.
const (
	pageDefault = 100
	pageMax     = 1000
)

// topicView is what is told of a topic.
type topicView struct {
	Name          string    `json:"name"`
	Declared      bool      `json:"declared,omitempty"`
	Subscriptions int       `json:"subscriptions"`
	LastSequence  uint64    `json:"last_sequence"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

func viewTopic(t *engine.Topic) topicView {
	c := t.Config()
	return topicView{
		Name:          c.Name,
		Declared:      c.Declared,
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
func parsePage(query []byte, withPrefix bool) (page, error) {
	p := page{limit: pageDefault}
	s := scan.NewFormScanner(query)
	for s.Next() {
		key, err1 := scan.AppendFormValue(nil, s.Key)
		value, err2 := scan.AppendFormValue(nil, s.Value)
		if err1 != nil || err2 != nil {
			return p, &apiError{400, "invalid_query", "The query's percent-encoding is malformed."}
		}
		switch {
		case string(key) == "after":
			p.after = string(value)
		case string(key) == "prefix" && withPrefix:
			p.prefix = string(value)
		case string(key) == "limit":
			n, err := strconv.Atoi(string(value))
			if err != nil || n < 1 || n > pageMax {
				return p, &apiError{400, "invalid_query", fmt.Sprintf("limit must be between 1 and %d.", pageMax)}
			}
			p.limit = n
		default:
			return p, &apiError{400, "invalid_query", fmt.Sprintf("unknown parameter %q.", key)}
		}
	}
	return p, nil
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
	// A topic has no settings yet; an empty object is what a client with none would send.
	if body := ctx.Request.Body(); len(body) > 0 {
		var settings map[string]json.RawMessage
		if err := json.Unmarshal(body, &settings); err != nil || settings == nil {
			return &apiError{400, "invalid_body", "The body must be empty or a JSON object."}
		}
		for key := range settings {
			return &apiError{400, "invalid_body", fmt.Sprintf("unknown key %q.", key)}
		}
	}
	t, created, err := f.engine.CreateTopic(name, nil)
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
