package smn

import (
	"net/http"
	"time"

	"fanfare/engine"
	"fanfare/ingress/apigw"
)

// Source: SMN API reference, "Confirming a subscription" and "Canceling a subscription"; the links inside
// pushed messages lead to /smn/subscription/confirm and /smn/subscription/unsubscribe. None of them needs
// credentials: the token, or the random part of the subscription's URN, is the credential.

// confirm answers ConfirmSubscription, SubscribeTopic and the link of a confirmation request. A token is
// good as often as it is used in its time.
func (f *Face) confirm(r *request) *apigw.Error {
	q := r.ctx.QueryArgs()
	token := q.Peek("token")
	if len(token) == 0 {
		return errToken
	}
	s := f.engine.SubscriptionByToken(string(token))
	if s == nil || s.Config().Kind != kindName || !equals(q.Peek("endpoint"), s.Config().Endpoint) {
		return errToken
	}
	if text := q.Peek("topic_urn"); len(text) > 0 {
		u, ok := parseURN(text)
		switch {
		case !ok || u.subscription != nil:
			return errTopicURN
		case string(u.region) != f.opts.Region || string(u.topic) != s.Topic.Name():
			return errToken
		}
	}
	if fault := f.confirmSubscription(s); fault != nil {
		return fault
	}
	f.writeSubscriptionURN(r, http.StatusOK, f.subscriptionURN(f.projectOf(s), s.Topic.Name(), s.Name()))
	return nil
}

func (f *Face) confirmSubscription(s *engine.Subscription) *apigw.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if statusOf(s.Config()) == statusConfirmed {
		return nil
	}
	err := f.engine.UpdateSubscription(s, func(c *engine.SubscriptionConfig) {
		c.Pending = false
		delete(c.Labels, labelCancelled)
	})
	if err != nil {
		return codeOf(err)
	}
	return nil
}

// projectOf is the project a subscription was made under.
func (f *Face) projectOf(s *engine.Subscription) string {
	if project := s.Config().Labels[labelProject]; project != "" {
		return project
	}
	return f.opts.Project
}

// unsubscribe answers UnsubscribeSubscription, UnsubscribeTopic and the link of a notification. The
// subscription stays, cancelled, so that its endpoint can come back by the link it is sent.
func (f *Face) unsubscribe(r *request) *apigw.Error {
	u, ok := parseURN(r.ctx.QueryArgs().Peek("subscription_urn"))
	if !ok || u.subscription == nil {
		return errSubscriptionURN
	}
	s, fault := f.subscription(u, nil)
	if fault != nil {
		return fault
	}
	if s.Config().Declared {
		return errDeclared // its name can be guessed, so it is no credential
	}
	if fault := f.cancelByLink(s); fault != nil {
		return fault
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, struct {
		requestIDReply
		Message string `json:"message"`
	}{newReply(r), "The subscription to topic " + f.topicURN(f.projectOf(s), s.Topic.Name()) + " has been successfully canceled."})
	return nil
}

func (f *Face) cancelByLink(s *engine.Subscription) *apigw.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if statusOf(s.Config()) == statusCancelled {
		return nil
	}
	err := f.engine.UpdateSubscription(s, func(c *engine.SubscriptionConfig) {
		c.Pending = true
		setLabel(c, labelCancelled, formatTime(time.Now().UnixMilli()))
		renewToken(c, f.projectOf(s))
	})
	if err != nil {
		return codeOf(err)
	}
	return f.notify(s, engine.UnsubscribeConfirmation)
}
