package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// catalog holds the topics, the subscriptions and the queues. Readers find a topic or a queue without a lock; changes are
// made under mu and written through to the store. The lock is held while a change is applied, so that the store has the
// changes in the order in which they became visible, and released before it is waited for.
type catalog struct {
	topicNames names[Topic]
	queueNames names[Queue]

	mu            sync.Mutex
	topics        map[TopicID]*Topic               // guarded by mu
	names         []string                         // guarded by mu: sorted
	subscriptions map[SubscriptionID]*Subscription // guarded by mu
	tokens        map[string]*Subscription         // guarded by mu
	queues        map[TopicID]*Queue               // guarded by mu
	queuesSorted  []string                         // guarded by mu: names
	lastID        uint64                           // guarded by mu

	documents documents
}

func (c *catalog) topic(name []byte) *Topic { return c.topicNames.get(name) }

// topicByID finds a topic, or that of a queue.
func (c *catalog) topicByID(id TopicID) *Topic {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q := c.queues[id]; q != nil {
		return q.topic
	}
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
	c.topicNames.replace(name, t)
	c.topics[t.ID] = t
	at, _ := slices.BinarySearch(c.names, name)
	c.names = slices.Insert(c.names, at, name)
}

func (c *catalog) removeLocked(t *Topic) {
	name := t.Name()
	c.topicNames.replace(name, nil)
	delete(c.topics, t.ID)
	if at, ok := slices.BinarySearch(c.names, name); ok {
		c.names = slices.Delete(c.names, at, at+1)
	}
}

func (c *catalog) nextIDLocked() uint64 {
	c.lastID++
	return c.lastID
}

// The catalog's entries in the store: "t/ID" holds a TopicConfig, "s/ID" a storedSubscription, "q/ID" a QueueConfig, "d/KEY" a
// document. The
// highest id ever given is kept under "id", so that a deleted entry's is not given again.
type storedSubscription struct {
	Topic  TopicID            `json:"topic"`
	Config SubscriptionConfig `json:"config"`
}

func topicKey(id TopicID) string               { return "t/" + strconv.FormatUint(uint64(id), 10) }
func queueKey(id TopicID) string               { return "q/" + strconv.FormatUint(uint64(id), 10) }
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
			if err := errors.Join(e.loadMarks(t), e.loadDuplicates(t)); err != nil {
				return fmt.Errorf("engine: topic %q: %w", config.Name, err)
			}
			c.insertLocked(t)
		case kind == "q":
			var config QueueConfig
			if err := json.Unmarshal(value, &config); err != nil {
				return fmt.Errorf("engine: catalog entry %q: %w", key, err)
			}
			q := e.newQueue(TopicID(id), &config)
			if err := q.load(); err != nil {
				return fmt.Errorf("engine: queue %q: %w", config.Name, err)
			}
			c.insertQueueLocked(q)
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
