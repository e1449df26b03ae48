package native

import (
	"slices"
	"strings"
	"time"

	"fanfare/engine"
	"fanfare/ingress"

	"github.com/valyala/fasthttp"
)

// subscriptionView is what is told of a subscription: its settings and what goes with them.
type subscriptionView struct {
	Name        string    `json:"name"`
	Topic       string    `json:"topic"`
	Kind        string    `json:"kind"`
	Endpoint    string    `json:"endpoint"`
	Envelope    string    `json:"envelope"`
	MaxInFlight int       `json:"max_in_flight"`
	Pipeline    int       `json:"pipeline"`
	FilterTag   string    `json:"filter_tag,omitempty"`
	Retry       retryView `json:"retry"`
	Pending     bool      `json:"pending,omitempty"`
	Declared    bool      `json:"declared,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

type retryView struct {
	MinDelay    string `json:"min_delay"`
	MaxDelay    string `json:"max_delay"`
	MaxAttempts int    `json:"max_attempts"`
	MaxAge      string `json:"max_age"`
	Timeout     string `json:"timeout,omitempty"`
}

func viewSubscription(s *engine.Subscription) subscriptionView {
	return viewConfig(s.Config(), s.Topic.Name())
}

func viewConfig(c *engine.SubscriptionConfig, topic string) subscriptionView {
	view := subscriptionView{
		Name: c.Name, Topic: topic, Kind: c.Kind, Endpoint: c.Endpoint, Envelope: c.Envelope,
		MaxInFlight: c.MaxInFlight, Pipeline: c.Pipeline, FilterTag: c.FilterTag,
		Retry: retryView{
			MinDelay: c.Retry.MinDelay.String(), MaxDelay: c.Retry.MaxDelay.String(),
			MaxAttempts: c.Retry.MaxAttempts, MaxAge: c.Retry.MaxAge.String(),
		},
		Pending: c.Pending, Declared: c.Declared,
		CreatedAt: time.UnixMilli(c.CreatedAt).UTC(),
		UpdatedAt: time.UnixMilli(c.UpdatedAt).UTC(),
	}
	if c.Retry.Timeout != 0 {
		view.Retry.Timeout = c.Retry.Timeout.String()
	}
	return view
}

func (f *Face) subscription(topic []byte, name string) (*engine.Topic, *engine.Subscription, error) {
	t := f.engine.Topic(topic)
	if t == nil {
		return nil, nil, engine.ErrTopicNotFound
	}
	return t, t.Subscription(name), nil
}

func (f *Face) putSubscription(ctx *fasthttp.RequestCtx, topic []byte, name string) error {
	config, err := parseSettings(ctx.Request.Body())
	if err != nil {
		return err
	}
	t, old, err := f.subscription(topic, name)
	if err != nil {
		return err
	}
	config.Name = name
	if old != nil {
		keep(&config, old.Config())
	}
	s, created, err := f.engine.PutSubscription(t, config)
	if err != nil {
		return err
	}
	status := fasthttp.StatusOK
	if created {
		status = fasthttp.StatusCreated
		f.log.Info().Str("topic", t.Name()).Str("subscription", name).Msg("subscription created")
	}
	reply(ctx, status, viewSubscription(s))
	return nil
}

// keep carries over what settings do not say. A subscription that waits for the confirmation of its endpoint
// goes on waiting, unless it is of another kind or endpoint now.
func keep(c, old *engine.SubscriptionConfig) {
	c.Declared, c.Labels = old.Declared, old.Labels
	if c.Kind == old.Kind && c.Endpoint == old.Endpoint {
		c.Pending, c.Token, c.TokenUntil = old.Pending, old.Token, old.TokenUntil
	}
}

func (f *Face) getSubscription(ctx *fasthttp.RequestCtx, topic []byte, name string) error {
	_, s, err := f.subscription(topic, name)
	if err != nil {
		return err
	}
	if s == nil {
		return engine.ErrSubscriptionNotFound
	}
	reply(ctx, fasthttp.StatusOK, viewSubscription(s))
	return nil
}

func (f *Face) deleteSubscription(ctx *fasthttp.RequestCtx, topic []byte, name string) error {
	t, s, err := f.subscription(topic, name)
	if err != nil {
		return err
	}
	if s == nil {
		return engine.ErrSubscriptionNotFound
	}
	if err := f.engine.DeleteSubscription(s); err != nil {
		return err
	}
	f.log.Info().Str("topic", t.Name()).Str("subscription", name).Msg("subscription deleted")
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	return nil
}

// listSubscriptions lists in the order of the names, so that a page can go on behind one that was deleted.
func (f *Face) listSubscriptions(ctx *fasthttp.RequestCtx, h *ingress.Head, topic []byte) error {
	p, err := parsePage(h.Query, false)
	if err != nil {
		return err
	}
	t := f.engine.Topic(topic)
	if t == nil {
		return engine.ErrTopicNotFound
	}
	all := slices.Clone(t.Subscriptions())
	slices.SortFunc(all, func(a, b *engine.Subscription) int { return strings.Compare(a.Name(), b.Name()) })
	list := struct {
		Subscriptions []subscriptionView `json:"subscriptions"`
		Next          string             `json:"next,omitempty"`
	}{Subscriptions: []subscriptionView{}}
	for _, s := range all {
		if p.after != "" && s.Name() <= p.after {
			continue
		}
		if len(list.Subscriptions) == p.limit {
			list.Next = list.Subscriptions[p.limit-1].Name
			break
		}
		list.Subscriptions = append(list.Subscriptions, viewSubscription(s))
	}
	reply(ctx, fasthttp.StatusOK, list)
	return nil
}
