package main

import (
	"fmt"
	"reflect"

	"fanfare/engine"
)

// declare makes the queues, topics and subscriptions of the configuration file exist. A subscription that was
// declared once and is not any more is deleted; a queue or a topic stays, since it may hold messages, and so does
// everything the APIs made.
func (k *core) declare(c *config) error {
	for i := range c.Queues {
		if err := k.declareQueue(c.Queues[i].engine()); err != nil {
			return fmt.Errorf("queue %q: %w", c.Queues[i].Name, err)
		}
	}
	declared := map[*engine.Subscription]bool{}
	for i := range c.Topics {
		tc := &c.Topics[i]
		t, created, err := k.engine.DeclareTopic(engine.TopicConfig{Name: tc.Name, FIFO: tc.FIFO.engine(), Retention: tc.Retention.engine()})
		if err != nil {
			return fmt.Errorf("topic %q: %w", tc.Name, err)
		}
		if created {
			k.log.Info().Str("topic", tc.Name).Msg("declared topic created")
		}
		for j := range tc.Subscriptions {
			s, err := k.declareSubscription(t, tc.Subscriptions[j].engine())
			if err != nil {
				return fmt.Errorf("topic %q, subscription %q: %w", tc.Name, tc.Subscriptions[j].Name, err)
			}
			declared[s] = true
		}
	}
	for _, s := range k.engine.Subscriptions() {
		if s.Config().Declared && !declared[s] {
			k.log.Info().Str("topic", s.Topic.Name()).Str("subscription", s.Name()).Msg("subscription is not declared any more and is deleted")
			if err := k.engine.DeleteSubscription(s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *core) declareSubscription(t *engine.Topic, want engine.SubscriptionConfig) (*engine.Subscription, error) {
	if s := t.Subscription(want.Name); s != nil {
		// The same again is no change, and costs no write.
		if err := k.egress.Check(&want); err != nil {
			return nil, err
		}
		want.SetDefaults()
		want.Ordered = want.Ordered || t.Config().FIFO != nil
		if err := want.CompileFilter(); err != nil {
			return nil, err
		}
		have := *s.Config()
		want.CreatedAt, want.UpdatedAt = have.CreatedAt, have.UpdatedAt
		if reflect.DeepEqual(have, want) {
			return s, nil
		}
	}
	s, created, err := k.engine.PutSubscription(t, want)
	if err == nil {
		k.log.Info().Str("topic", t.Name()).Str("subscription", want.Name).Str("endpoint", want.Endpoint).Bool("created", created).
			Msg("declared subscription applied")
	}
	return s, err
}

// reload applies the queues, the topics and the credentials of a configuration file that changed. Everything else needs a restart.
func (h *house) reload(load func() (*config, error)) {
	c, err := load()
	if err == nil {
		err = h.replaceCredentials(c) // first: a key that is taken back must not stay because of a topic
	}
	if err == nil {
		err = h.core.Load().declare(c)
	}
	if err == nil {
		h.config.Queues, h.config.Topics = c.Queues, c.Topics // a store that is opened anew is declared these, not those of the start
	}
	if err != nil {
		h.log.Error().Err(err).Msg("the configuration was not applied, or not all of it")
		return
	}
	h.log.Info().Msg("the configured queues, topics, subscriptions and credentials were applied")
}
