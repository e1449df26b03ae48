package engine

import (
	"slices"
	"strings"
	"time"
)

// Topic finds a topic by its name, nil when there is none. It takes no lock and does not allocate.
func (e *Engine) Topic(name []byte) *Topic { return e.catalog.topic(name) }

// CreateTopic makes a topic. When one of the name exists it is returned with created false, whatever its
// labels are: comparing them is the faces' affair.
func (e *Engine) CreateTopic(name string, labels map[string]string) (t *Topic, created bool, err error) {
	return e.createTopic(TopicConfig{Name: name, Labels: labels})
}

// DeclareTopic is CreateTopicWith for the configuration file. A topic that exists takes over the retention, and how
// duplicates are found; whether it is FIFO cannot be changed.
func (e *Engine) DeclareTopic(config TopicConfig) (t *Topic, created bool, err error) {
	config.Declared = true
	if t, created, err = e.createTopic(config); err != nil || created {
		return t, created, err
	}
	switch have := t.Config().FIFO; {
	case (have == nil) != (config.FIFO == nil):
		return t, false, &FieldError{"fifo", "cannot be changed: the topic exists"}
	case have != nil && *have != *config.FIFO:
		if err := e.SetFIFO(t, *config.FIFO); err != nil {
			return t, false, err
		}
	}
	return t, false, e.SetRetention(t, config.Retention)
}

// CreateTopicWith is CreateTopic for a topic with more than a name and labels.
func (e *Engine) CreateTopicWith(config TopicConfig) (t *Topic, created bool, err error) {
	return e.createTopic(config)
}

func (e *Engine) createTopic(config TopicConfig) (t *Topic, created bool, err error) {
	if err := CheckTopicName(config.Name); err != nil {
		return nil, false, err
	}
	if err := config.Retention.Check(); err != nil {
		return nil, false, err
	}
	err = e.change(func(b Batch) (func(), error) {
		if t = e.catalog.topic([]byte(config.Name)); t != nil {
			if !t.durable.Load() {
				b.PutCatalog(topicKey(t.ID), mustJSON(t.Config())) // answer behind the sync, as its maker does
			}
			return nil, nil
		}
		if len(e.catalog.topics) >= e.opts.TopicsMax {
			return nil, ErrTopicLimit
		}
		created = true
		config.CreatedAt = time.Now().UnixMilli()
		config.UpdatedAt = config.CreatedAt
		t = e.newTopic(TopicID(e.catalog.nextIDLocked()), &config)
		b.PutCatalog(topicKey(t.ID), mustJSON(&config))
		return func() { e.catalog.insertLocked(t) }, nil
	})
	if err != nil {
		return nil, false, err
	}
	t.durable.Store(true)
	return t, created, nil
}

// UpdateTopic changes a topic's labels.
func (e *Engine) UpdateTopic(t *Topic, update func(labels map[string]string)) error {
	return e.changeTopic(t, func(config *TopicConfig) {
		if config.Labels == nil {
			config.Labels = map[string]string{}
		}
		update(config.Labels)
	})
}

// SetRetention changes how long a topic keeps what is settled. What is there is judged by it from now on.
func (e *Engine) SetRetention(t *Topic, retention Retention) error {
	if err := retention.Check(); err != nil {
		return err
	}
	old := t.Config().Retention
	if old == retention {
		return nil
	}
	if old.IsZero() {
		t.marks.begin()
	}
	return e.changeTopic(t, func(config *TopicConfig) { config.Retention = retention })
}

// SetFIFO changes how a FIFO topic finds duplicates, from the next message on.
func (e *Engine) SetFIFO(t *Topic, fifo FIFO) error {
	if t.Config().FIFO == nil {
		return &FieldError{"fifo", "cannot be set on a topic that was made without it"}
	}
	return e.changeTopic(t, func(config *TopicConfig) { *config.FIFO = fifo })
}

func (e *Engine) changeTopic(t *Topic, update func(*TopicConfig)) error {
	return e.change(func(b Batch) (func(), error) {
		if t.deleted.Load() {
			return nil, ErrTopicNotFound
		}
		config := t.Config().clone()
		update(config)
		config.UpdatedAt = time.Now().UnixMilli()
		b.PutCatalog(topicKey(t.ID), mustJSON(config))
		return func() { t.config.Store(config) }, nil
	})
}

// DeleteTopic deletes a topic, its subscriptions and its messages. It answers ErrTopicNotFound when there
// is none of the name.
func (e *Engine) DeleteTopic(name string) error {
	var t *Topic
	var gone []*Subscription
	err := e.change(func(b Batch) (func(), error) {
		if t = e.catalog.topic([]byte(name)); t == nil {
			return nil, ErrTopicNotFound
		}
		gone = t.Subscriptions()
		for _, s := range gone {
			b.DeleteCatalog(subscriptionKey(s.ID))
			b.DropSubscription(s.ID)
		}
		b.DeleteCatalog(topicKey(t.ID))
		b.DropTopic(t.ID)
		return func() {
			t.deleted.Store(true)
			for _, s := range gone {
				e.detachLocked(s)
			}
			e.catalog.removeLocked(t)
		}, nil
	})
	if err != nil {
		return err
	}
	for _, s := range gone {
		e.egress.Close(s)
	}
	return nil
}

// Topics returns up to limit topics in the order of their names, those after the given name and with the prefix.
func (e *Engine) Topics(prefix, after string, limit int) []*Topic {
	c := &e.catalog
	c.mu.Lock()
	defer c.mu.Unlock()
	var topics []*Topic
	at, found := slices.BinarySearch(c.names, max(prefix, after))
	if found && after >= prefix && after != "" {
		at++
	}
	for ; at < len(c.names) && len(topics) < limit && strings.HasPrefix(c.names[at], prefix); at++ {
		topics = append(topics, c.topic([]byte(c.names[at])))
	}
	return topics
}
