package engine

import (
	"slices"
	"time"
)

// Subscription finds a subscription by its name, nil when there is none.
func (t *Topic) Subscription(name string) *Subscription {
	for _, s := range t.Subscriptions() {
		if s.Name() == name {
			return s
		}
	}
	return nil
}

// PutSubscription makes a subscription of the topic or replaces the settings of the one of that name. It
// gets the messages whose publish begins after the return.
func (e *Engine) PutSubscription(t *Topic, config SubscriptionConfig) (s *Subscription, created bool, err error) {
	config.Ordered = config.Ordered || t.Config().FIFO != nil
	if err := e.egress.Check(&config); err != nil {
		return nil, false, err
	}
	config.SetDefaults()
	for _, fault := range config.Validate() {
		return nil, false, fault
	}
	err = e.change(func(b Batch) (func(), error) {
		if t.deleted.Load() {
			return nil, ErrTopicNotFound
		}
		now := time.Now().UnixMilli()
		config.CreatedAt, config.UpdatedAt = now, now
		if s = t.Subscription(config.Name); s != nil {
			config.CreatedAt = s.Config().CreatedAt
			return e.replaceLocked(b, s, &config), nil
		}
		if len(e.catalog.subscriptions) >= e.opts.SubscriptionsMax || len(t.Subscriptions()) >= e.opts.SubscriptionsPerTopicMax {
			return nil, ErrSubscriptionLimit
		}
		created = true
		s = e.newSubscription(SubscriptionID(e.catalog.nextIDLocked()), t, &config)
		b.PutCatalog(subscriptionKey(s.ID), mustJSON(storedSubscription{t.ID, config}))
		progress := Progress{Floor: t.High()}
		b.SaveProgress(s.ID, progress.AppendBytes(nil))
		return func() {
			s.receiver = e.egress.Open(s, progress)
			e.attachLocked(s)
		}, nil
	})
	if err != nil {
		return nil, false, err
	}
	return s, created, nil
}

// replaceLocked adds a subscription's new settings to the batch and returns what makes them visible.
func (e *Engine) replaceLocked(b Batch, s *Subscription, config *SubscriptionConfig) func() {
	b.PutCatalog(subscriptionKey(s.ID), mustJSON(storedSubscription{s.Topic.ID, *config}))
	old := s.Config()
	return func() {
		delete(e.catalog.tokens, old.Token)
		if config.Token != "" {
			e.catalog.tokens[config.Token] = s
		}
		s.config.Store(config)
		e.findLocked(s, old, config)
		e.egress.Update(s)
	}
}

// UpdateSubscription changes a subscription's settings.
func (e *Engine) UpdateSubscription(s *Subscription, update func(*SubscriptionConfig)) error {
	return e.change(func(b Batch) (func(), error) {
		if s.deleted.Load() {
			return nil, ErrSubscriptionNotFound
		}
		config := s.Config().Clone()
		update(config)
		config.Ordered = config.Ordered || s.Topic.Config().FIFO != nil
		if err := e.egress.Check(config); err != nil {
			return nil, err
		}
		config.SetDefaults()
		config.UpdatedAt = time.Now().UnixMilli()
		for _, fault := range config.Validate() {
			return nil, fault
		}
		return e.replaceLocked(b, s, config), nil
	})
}

// DeleteSubscription deletes a subscription; what it was owed is dropped.
func (e *Engine) DeleteSubscription(s *Subscription) error {
	err := e.change(func(b Batch) (func(), error) {
		if s.deleted.Load() {
			return nil, ErrSubscriptionNotFound
		}
		b.DeleteCatalog(subscriptionKey(s.ID))
		b.DropSubscription(s.ID)
		return func() { e.detachLocked(s) }, nil
	})
	if err == nil {
		e.egress.Close(s)
	}
	return err
}

// SubscriptionByToken finds the subscription that a token confirms, nil when there is none or the token
// is too old. A token goes on to be known after it was used, so that confirming twice is no fault.
func (e *Engine) SubscriptionByToken(token string) *Subscription {
	c := &e.catalog
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.tokens[token]
	if s == nil || s.Config().TokenUntil < time.Now().UnixMilli() {
		return nil
	}
	return s
}

// Subscriptions returns every subscription in the order of its creation; for lists and reports.
func (e *Engine) Subscriptions() []*Subscription {
	c := &e.catalog
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*Subscription, 0, len(c.subscriptions))
	for _, s := range c.subscriptions {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Subscription) int { return int(int64(a.ID) - int64(b.ID)) })
	return all
}
