package sns

import (
	"errors"
	"time"

	"fanfare/engine"
)

// Source: Amazon SNS API reference, Unsubscribe; developer guide, "Unsubscribing" and the message
// UnsubscribeConfirmation, read 2026-11.

const (
	labelCancelled = "sns.cancelled" // "true": it is gone, unless its token brings it back

	// pendingAge is how long a subscription is kept that nobody confirms: a day longer than its token is good.
	pendingAge = 24 * time.Hour
)

// isCancelled reports whether a subscription is gone but for the token that brings it back.
func isCancelled(config *engine.SubscriptionConfig) bool { return config.Labels[labelCancelled] != "" }

// unsubscribe is what the UnsubscribeURL leads to. It is idempotent. When anybody could have followed the link, the
// endpoint is told, and can come back with the token it is sent.
func (c *call) unsubscribe(p params) error {
	s, err := c.subscription(p)
	switch {
	case errors.Is(err, engine.ErrSubscriptionNotFound):
		c.replyNone("Unsubscribe")
		return nil
	case err != nil:
		return err
	}
	config := s.Config()
	switch {
	case isCancelled(config): // by another request, meanwhile: it is not pending, and can come back
		c.replyNone("Unsubscribe")
		return nil
	case !c.signed && (c.face.guessable(config) || config.Labels[labelGuarded] == "true"):
		return &fault{403, "AuthorizationError", "User is not authorized to perform: SNS:Unsubscribe on resource: " + c.subscriptionARN(s)}
	}
	if c.signed || config.Pending || config.Token == "" {
		err = c.face.deleteSubscription(s)
	} else {
		err = c.cancel(s)
	}
	if err != nil {
		return err
	}
	c.logSubscription(s, "subscription deleted")
	c.face.sweep(s.Topic)
	c.replyNone("Unsubscribe")
	return nil
}

// guessable reports whether whoever knows the name of a subscription need not have got it from its messages: a name that was
// chosen is no credential.
func (f *Face) guessable(config *engine.SubscriptionConfig) bool {
	return config.Declared || f.Verifies() && config.Token == ""
}

func (f *Face) deleteSubscription(s *engine.Subscription) error {
	if err := f.engine.DeleteSubscription(s); err != nil && !errors.Is(err, engine.ErrSubscriptionNotFound) {
		return err
	}
	return nil
}

// cancel hides a subscription and sends its endpoint the token that restores it.
func (c *call) cancel(s *engine.Subscription) error {
	arn := c.subscriptionARN(s)
	err := c.face.engine.UpdateSubscription(s, func(config *engine.SubscriptionConfig) {
		config.Pending, config.Token, config.TokenUntil = true, newToken(), time.Now().Add(tokenAge).UnixMilli()
		setLabel(config, labelCancelled, "true")
	})
	switch {
	case errors.Is(err, engine.ErrSubscriptionNotFound):
		return nil
	case err != nil:
		return err
	}
	return c.face.notify(s, engine.UnsubscribeConfirmation, "You have chosen to deactivate subscription "+arn+
		".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.")
}

// sweep deletes a topic's subscriptions that nobody confirmed in time, and those that are gone and were not brought back.
func (f *Face) sweep(t *engine.Topic) {
	now := time.Now()
	for _, s := range t.Subscriptions() {
		config := s.Config()
		if !config.Pending || config.Declared || !belongs(config) {
			continue
		}
		until := time.UnixMilli(config.TokenUntil)
		if !isCancelled(config) {
			until = until.Add(pendingAge)
		}
		if now.After(until) {
			if err := f.deleteSubscription(s); err != nil {
				return // it is tried again the next time
			}
		}
	}
}
