package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// catalog holds the topics and subscriptions. Readers find a topic through an immutable bucket behind an
// atomic pointer, without a lock; changes are made under mu and written through to the store. The lock is
// held while a change is applied, so that the store has the changes in the order in which they became
// visible, and released before it is waited for.
type catalog struct {
	buckets [1024]atomic.Pointer[map[string]*Topic]

	mu            sync.Mutex
	topics        map[TopicID]*Topic               // guarded by mu
	names         []string                         // guarded by mu: sorted
	subscriptions map[SubscriptionID]*Subscription // guarded by mu
	tokens        map[string]*Subscription         // guarded by mu
	lastID        uint64                           // guarded by mu

	documents documents
}

func (c *catalog) bucket(hash uint64) *atomic.Pointer[map[string]*Topic] {
	return &c.buckets[hash>>54] // the top bits: the low ones choose the shard
}

func (c *catalog) topic(name []byte) *Topic {
	if m := c.bucket(xxhash.Sum64(name)).Load(); m != nil {
		return (*m)[string(name)]
	}
	return nil
}

func (c *catalog) topicByID(id TopicID) *Topic {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.topics[id]
}

func (c *catalog) subscription(id SubscriptionID) *Subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subscriptions[id]
}

func (c *catalog) counts() (topics, subscriptions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.topics), len(c.subscriptions)
}

// insertLocked makes a topic visible.
func (c *catalog) insertLocked(t *Topic) {
	name := t.Name()
	c.replaceLocked(name, t)
	c.topics[t.ID] = t
	at, _ := slices.BinarySearch(c.names, name)
	c.names = slices.Insert(c.names, at, name)
}

func (c *catalog) removeLocked(t *Topic) {
	name := t.Name()
	c.replaceLocked(name, nil)
	delete(c.topics, t.ID)
	if at, ok := slices.BinarySearch(c.names, name); ok {
		c.names = slices.Delete(c.names, at, at+1)
	}
}

// replaceLocked publishes a new bucket in which the name leads to the topic, or to none.
func (c *catalog) replaceLocked(name string, t *Topic) {
	b := c.bucket(xxhash.Sum64String(name))
	next := map[string]*Topic{}
	if old := b.Load(); old != nil {
		for k, v := range *old {
			next[k] = v
		}
	}
	if t == nil {
		delete(next, name)
	} else {
		next[name] = t
	}
	b.Store(&next)
}

func (c *catalog) nextIDLocked() uint64 {
	c.lastID++
	return c.lastID
}

// The catalog's entries in the store: "t/ID" holds a TopicConfig, "s/ID" a storedSubscription, "d/KEY" a document. The
// highest id ever given is kept under "id", so that a deleted entry's is not given again.
type storedSubscription struct {
	Topic  TopicID            `json:"topic"`
	Config SubscriptionConfig `json:"config"`
}

func topicKey(id TopicID) string               { return "t/" + strconv.FormatUint(uint64(id), 10) }
func subscriptionKey(id SubscriptionID) string { return "s/" + strconv.FormatUint(uint64(id), 10) }

const lastIDKey = "id"

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("BUG: engine: %T does not encode: %v", v, err))
	}
	return b
}

// load reads the catalog from the store.
func (e *Engine) load() error {
	c := &e.catalog
	stored := map[SubscriptionID]storedSubscription{}
	err := e.opts.Store.ReadCatalog(func(key string, value []byte) error {
		kind, number, _ := strings.Cut(key, "/")
		id, err := strconv.ParseUint(number, 10, 64)
		switch {
		case key == lastIDKey:
			return json.Unmarshal(value, &c.lastID)
		case strings.HasPrefix(key, documentPrefix):
			c.documents.loadDocument(key, value)
		case err != nil:
			return fmt.Errorf("engine: unknown catalog entry %q", key)
		case kind == "t":
			var config TopicConfig
			if err := json.Unmarshal(value, &config); err != nil {
				return fmt.Errorf("engine: catalog entry %q: %w", key, err)
			}
			t := e.newTopic(TopicID(id), &config)
			t.durable.Store(true)
			high, err := e.opts.Store.HighWater(t.ID)
			if err != nil {
				return fmt.Errorf("engine: topic %q: %w", config.Name, err)
			}
			t.next, t.found = high, high
			t.high.Store(uint64(high))
			if err := e.loadMarks(t); err != nil {
				return fmt.Errorf("engine: topic %q: %w", config.Name, err)
			}
			c.insertLocked(t)
		case kind == "s":
			var s storedSubscription
			if err := json.Unmarshal(value, &s); err != nil {
				return fmt.Errorf("engine: catalog entry %q: %w", key, err)
			}
			stored[SubscriptionID(id)] = s
		default:
			return fmt.Errorf("engine: unknown catalog entry %q", key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	ids := make([]SubscriptionID, 0, len(stored))
	for id := range stored {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		t := c.topics[stored[id].Topic]
		if t == nil {
			return fmt.Errorf("engine: subscription %d is of a topic that does not exist", id)
		}
		config := stored[id].Config
		e.compileStored(t, &config)
		e.attachLocked(e.newSubscription(id, t, &config))
	}
	return nil
}

func (e *Engine) newTopic(id TopicID, config *TopicConfig) *Topic {
	t := &Topic{ID: id, shard: e.shards[xxhash.Sum64String(config.Name)%uint64(len(e.shards))]}
	t.config.Store(config)
	return t
}

func (e *Engine) newSubscription(id SubscriptionID, t *Topic, config *SubscriptionConfig) *Subscription {
	s := &Subscription{ID: id, Topic: t}
	s.config.Store(config)
	return s
}

// attachLocked makes a subscription known to the catalog; its topic gets a new snapshot.
func (e *Engine) attachLocked(s *Subscription) {
	c := &e.catalog
	c.subscriptions[s.ID] = s
	if token := s.Config().Token; token != "" {
		c.tokens[token] = s
	}
	snapshot := append(slices.Clone(s.Topic.Subscriptions()), s)
	s.Topic.subscriptions.Store(&snapshot)
	e.findLocked(s, nil, s.Config())
}

func (e *Engine) detachLocked(s *Subscription) {
	c := &e.catalog
	delete(c.subscriptions, s.ID)
	delete(c.tokens, s.Config().Token)
	s.deleted.Store(true)
	e.findLocked(s, s.Config(), nil)
	snapshot := slices.DeleteFunc(slices.Clone(s.Topic.Subscriptions()), func(o *Subscription) bool { return o == s })
	s.Topic.subscriptions.Store(&snapshot)
}

// write applies a batch and waits for it.
func (e *Engine) write(b Batch) error {
	if err := b.Apply(true); err != nil {
		e.fail(err)
		return ErrUnavailable
	}
	if err := b.Wait(); err != nil {
		e.fail(err)
		return ErrUnavailable
	}
	return nil
}

// change runs a change of the catalog: fn checks and collects under the lock, then the batch is applied,
// then after makes the change visible, all under the lock; the wait for the disk comes behind it.
func (e *Engine) change(fn func(b Batch) (after func(), err error)) error {
	if state := e.state.Load(); state != stateRunning && state != stateNew {
		return state.err()
	}
	c := &e.catalog
	b := e.opts.Store.NewBatch()
	c.mu.Lock()
	lastID := c.lastID
	after, err := fn(b)
	if err == nil && c.lastID != lastID {
		b.PutCatalog(lastIDKey, mustJSON(c.lastID))
	}
	if err == nil && b.Len() > 0 {
		if applyErr := b.Apply(true); applyErr != nil {
			e.fail(applyErr)
			err = ErrUnavailable
		}
	}
	if err == nil && after != nil {
		after()
	}
	c.mu.Unlock()
	if err != nil || b.Len() == 0 {
		return err
	}
	if err := b.Wait(); err != nil {
		e.fail(err)
		return ErrUnavailable
	}
	return nil
}

// Topic finds a topic by its name, nil when there is none. It takes no lock and does not allocate.
func (e *Engine) Topic(name []byte) *Topic { return e.catalog.topic(name) }

// CreateTopic makes a topic. When one of the name exists it is returned with created false, whatever its
// labels are: comparing them is the faces' affair.
func (e *Engine) CreateTopic(name string, labels map[string]string) (t *Topic, created bool, err error) {
	return e.createTopic(TopicConfig{Name: name, Labels: labels})
}

// DeclareTopic is CreateTopic for the configuration file. A topic that exists takes over the retention.
func (e *Engine) DeclareTopic(name string, retention Retention) (t *Topic, created bool, err error) {
	t, created, err = e.createTopic(TopicConfig{Name: name, Retention: retention, Declared: true})
	if err == nil && !created {
		err = e.SetRetention(t, retention)
	}
	return t, created, err
}

// CreateTopicWith is CreateTopic for a topic with a retention.
func (e *Engine) CreateTopicWith(name string, retention Retention) (t *Topic, created bool, err error) {
	return e.createTopic(TopicConfig{Name: name, Retention: retention})
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
