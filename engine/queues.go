package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanfare/engine/visibility"
)

// queueScheme begins the endpoint of a subscription that delivers into a queue of ours.
const queueScheme = "queue:"

// QueueOf returns the name of the queue that an endpoint names, without ok when it is something else.
func QueueOf(endpoint string) (name string, ok bool) { return strings.CutPrefix(endpoint, queueScheme) }

// QueueEndpoint is the endpoint that names a queue.
func QueueEndpoint(name string) string { return queueScheme + name }

// Queue finds a queue by its name, nil when there is none. It takes no lock and does not allocate.
func (e *Engine) Queue(name []byte) *Queue { return e.catalog.queueNames.get(name) }

// Queues returns up to limit queues in the order of their names, those after the given name and with the prefix.
func (e *Engine) Queues(prefix, after string, limit int) []*Queue {
	c := &e.catalog
	c.mu.Lock()
	defer c.mu.Unlock()
	var queues []*Queue
	at, found := slices.BinarySearch(c.queuesSorted, max(prefix, after))
	if found && after >= prefix && after != "" {
		at++
	}
	for ; at < len(c.queuesSorted) && len(queues) < limit && strings.HasPrefix(c.queuesSorted[at], prefix); at++ {
		queues = append(queues, e.Queue([]byte(c.queuesSorted[at])))
	}
	return queues
}

// CreateQueue makes a queue. When one of the name exists it is returned with created false, whatever its settings are:
// comparing them is the faces' affair.
func (e *Engine) CreateQueue(config QueueConfig) (q *Queue, created bool, err error) {
	config.Retention = cmp.Or(config.Retention, QueueRetention)
	config.MessageMax = cmp.Or(config.MessageMax, QueueMessageBytesMax)
	if err := config.check(); err != nil {
		return nil, false, err
	}
	err = e.change(func(b Batch) (func(), error) {
		if q = e.Queue([]byte(config.Name)); q != nil {
			if !q.topic.durable.Load() {
				b.PutCatalog(queueKey(q.topic.ID), mustJSON(q.Config())) // answer behind the sync, as its maker does
			}
			return nil, nil
		}
		if len(e.catalog.queues) >= e.opts.QueuesMax {
			return nil, ErrQueueLimit
		}
		created = true
		config.CreatedAt = time.Now().UnixMilli()
		config.UpdatedAt = config.CreatedAt
		q = e.newQueue(TopicID(e.catalog.nextIDLocked()), &config)
		b.PutCatalog(queueKey(q.topic.ID), mustJSON(&config))
		return func() { e.catalog.insertQueueLocked(q) }, nil
	})
	if err != nil {
		return nil, false, err
	}
	q.topic.durable.Store(true)
	return q, created, nil
}

// UpdateQueue changes a queue's settings. Its name, and whether it is FIFO, cannot be changed.
func (e *Engine) UpdateQueue(q *Queue, update func(*QueueConfig)) error {
	return e.change(func(b Batch) (func(), error) {
		if q.Deleted() {
			return nil, ErrQueueNotFound
		}
		old := q.Config()
		config := old.clone()
		update(config)
		config.Name, config.UpdatedAt = old.Name, time.Now().UnixMilli()
		if (config.FIFO == nil) != (old.FIFO == nil) {
			return nil, &FieldError{"fifo", "cannot be changed"}
		}
		if err := config.check(); err != nil {
			return nil, err
		}
		b.PutCatalog(queueKey(q.topic.ID), mustJSON(config))
		return func() { q.configure(config) }, nil
	})
}

// DeleteQueue deletes a queue and its messages; whoever waits for one gets ErrQueueNotFound. So does the caller, when there
// is none of the name.
func (e *Engine) DeleteQueue(name string) error {
	var q *Queue
	err := e.change(func(b Batch) (func(), error) {
		if q = e.Queue([]byte(name)); q == nil {
			return nil, ErrQueueNotFound
		}
		b.DeleteCatalog(queueKey(q.topic.ID))
		b.DropTopic(q.topic.ID)
		b.DropSubscription(SubscriptionID(q.topic.ID))
		moves := e.catalog.documents.listLocked(movePrefix+name+"/", "", 10*movesKept)
		for _, d := range moves {
			b.DeleteCatalog(documentPrefix + d.Key)
		}
		return func() {
			q.topic.deleted.Store(true)
			for _, d := range moves {
				e.catalog.documents.setLocked(d.Key, nil)
			}
			e.catalog.removeQueueLocked(q)
		}, nil
	})
	if err == nil {
		q.end()
	}
	return err
}

func (e *Engine) newQueue(id TopicID, config *QueueConfig) *Queue {
	q := &Queue{
		engine: e, table: visibility.New(), next: 1, floor: 1, ended: make(chan struct{}),
		skip: map[Sequence]struct{}{}, stored: map[Sequence]receivedState{},
	}
	q.topic = e.newTopic(id, &TopicConfig{Name: config.Name})
	q.topic.queue = q
	q.ledger = e.ledgers[q.topic.shard.index]
	q.waiters.queue = q
	q.configure(config)
	return q
}

// configure makes settings visible, those of the queue's topic among them.
func (q *Queue) configure(config *QueueConfig) {
	q.config.Store(config)
	q.topic.config.Store(&TopicConfig{Name: config.Name, FIFO: config.FIFO, CreatedAt: config.CreatedAt, UpdatedAt: config.UpdatedAt})
}

func (c *catalog) insertQueueLocked(q *Queue) {
	name := q.Name()
	c.queueNames.replace(name, q)
	c.queues[q.topic.ID] = q
	at, _ := slices.BinarySearch(c.queuesSorted, name)
	c.queuesSorted = slices.Insert(c.queuesSorted, at, name)
}

func (c *catalog) removeQueueLocked(q *Queue) {
	name := q.Name()
	c.queueNames.replace(name, nil)
	delete(c.queues, q.topic.ID)
	if at, ok := slices.BinarySearch(c.queuesSorted, name); ok {
		c.queuesSorted = slices.Delete(c.queuesSorted, at, at+1)
	}
}

// Validate returns all that is wrong with the settings.
func (c *QueueConfig) Validate() (faults []*FieldError) {
	fault := func(field, format string, args ...any) {
		faults = append(faults, &FieldError{field, fmt.Sprintf(format, args...)})
	}
	if err := CheckTopicName(c.Name); err != nil {
		faults = append(faults, err)
	}
	for _, d := range []struct {
		field        string
		v, low, high time.Duration
	}{
		{"visibility", c.Visibility, 0, VisibilityMax},
		{"delay", c.Delay, 0, QueueDelayMax},
		{"retention", c.Retention, QueueRetentionMin, QueueRetentionMax},
		{"receive_wait", c.ReceiveWait, 0, ReceiveWaitMax},
	} {
		if d.v < d.low || d.v > d.high {
			fault(d.field, "must be between %v and %v", d.low, d.high)
		}
	}
	if c.MessageMax < QueueMessageBytesMin || c.MessageMax > QueueMessageBytesMax {
		fault("message_max", "must be between %d and %d bytes", QueueMessageBytesMin, QueueMessageBytesMax)
	}
	r := c.DeadLetters
	if r == (QueueRedrive{}) {
		return faults
	}
	if !validTopicName(r.Queue) {
		fault("dead_letters.queue", "is not the name of a queue")
	}
	if r.Receives < 1 || r.Receives > ReceivesMaxMax {
		fault("dead_letters.receives", "must be between 1 and %d", ReceivesMaxMax)
	}
	return faults
}

// check returns the first thing that is wrong with the settings, nil for nothing.
func (c *QueueConfig) check() error {
	if faults := c.Validate(); len(faults) > 0 {
		return faults[0]
	}
	return nil
}
