package native

import (
	"slices"
	"strings"

	"fanfare/engine"
	"fanfare/ingress"

	"github.com/valyala/fasthttp"
)

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

// existing is the subscription a path names, which has to exist.
func (f *Face) existing(topic []byte, name string) (*engine.Subscription, error) {
	_, s, err := f.subscription(topic, name)
	if err == nil && s == nil {
		err = engine.ErrSubscriptionNotFound
	}
	return s, err
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
	s, err := f.existing(topic, name)
	if err != nil {
		return err
	}
	reply(ctx, fasthttp.StatusOK, viewLane(s))
	return nil
}

func (f *Face) deleteSubscription(ctx *fasthttp.RequestCtx, topic []byte, name string) error {
	s, err := f.existing(topic, name)
	if err != nil {
		return err
	}
	if err := f.engine.DeleteSubscription(s); err != nil {
		return err
	}
	f.log.Info().Str("topic", s.Topic.Name()).Str("subscription", name).Msg("subscription deleted")
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
		list.Subscriptions = append(list.Subscriptions, viewLane(s))
	}
	reply(ctx, fasthttp.StatusOK, list)
	return nil
}
