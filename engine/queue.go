package engine

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine/visibility"
)

// The defaults of a queue's settings, and their limits.
const (
	VisibilityDefault    = 30 * time.Second
	VisibilityMax        = 12 * time.Hour
	QueueDelayMax        = 15 * time.Minute
	QueueRetentionMin    = time.Minute
	QueueRetentionMax    = 14 * 24 * time.Hour
	QueueRetention       = 4 * 24 * time.Hour // default
	ReceiveWaitMax       = 20 * time.Second
	ReceiveMessagesMax   = 10
	ReceivesMaxMax       = 1000
	QueueInFlightMax     = 120_000 // messages that were received and neither deleted nor given back
	DeduplicationWindow  = 5 * time.Minute
	QueueMessageBytesMin = 1 << 10
	QueueMessageBytesMax = 1 << 20 // and default
)

// QueueConfig is what is known of a queue; immutable once published.
type QueueConfig struct {
	Name        string            `json:"name"`
	FIFO        *FIFO             `json:"fifo,omitempty"`         // nil for a standard queue; never set or taken away later
	Visibility  time.Duration     `json:"visibility"`             // how long a received message is hidden; NewQueueConfig has the default
	Delay       time.Duration     `json:"delay,omitempty"`        // before a message can be received that says nothing else
	Retention   time.Duration     `json:"retention"`              // default QueueRetention
	ReceiveWait time.Duration     `json:"receive_wait,omitempty"` // of receives that say nothing else
	MessageMax  int               `json:"message_max"`            // bytes of a body with its attributes; default QueueMessageBytesMax; faces enforce it
	DeadLetters QueueRedrive      `json:"dead_letters,omitzero"`
	Labels      map[string]string `json:"labels,omitempty"`    // what faces keep, each under keys of its own, such as "sqs.tag.team"
	PurgedAt    int64             `json:"purged_at,omitempty"` // ms since 1970: what was sent before is gone
	CreatedAt   int64             `json:"created_at"`          // ms since 1970
	UpdatedAt   int64             `json:"updated_at"`          // ms since 1970
}

// QueueRedrive moves a message that was received too often. The zero value moves none.
type QueueRedrive struct {
	Queue    string `json:"queue"`    // name of the queue it is moved to
	Receives int    `json:"receives"` // after so many, 1 to ReceivesMaxMax
}

// NewQueueConfig returns the default settings of a standard queue.
func NewQueueConfig(name string) QueueConfig {
	return QueueConfig{Name: name, Visibility: VisibilityDefault, Retention: QueueRetention, MessageMax: QueueMessageBytesMax}
}

// Queue is a place with pull consumers. Its messages lie in a topic of its own, which no face lists and nothing can
// subscribe to; sending is publishing to it.
//
// A standard queue goes through its messages once: what lies before next was received and is in the table until it is
// deleted. What is received again is read from the store. In a FIFO queue all up to next are in the table, as far as it
// may grow, since what can be received depends on the groups.
type Queue struct {
	engine *Engine      // immutable
	topic  *Topic       // immutable
	ledger *queueLedger // immutable
	config atomic.Pointer[QueueConfig]
	ended  chan struct{} // closed when the queue was deleted

	coming      atomic.Int64 // messages on the timer, as far as they are known
	comingUntil atomic.Int64 // when the last of them comes, ms since 1970
	jam         jam          // the timer's goroutine only; of a FIFO queue

	reading sync.Mutex // held while new messages are read from the store; before mu

	mu        sync.Mutex
	table     *visibility.Table
	high      Sequence   // the last durable one
	next      Sequence   // the first that is new
	floor     Sequence   // of a FIFO queue: all before it are gone
	gone      uint64     // messages that are gone
	fresh     []*Message // of a standard queue: new messages, the first from next on; those before freshAt were taken
	freshAt   int
	heldBytes int64                      // of the messages in memory
	skip      map[Sequence]struct{}      // new messages that were deleted
	stored    map[Sequence]receivedState // of a FIFO queue: messages that were received before the restart and not looked at since
	waiters   waiters
}

// Config returns the queue's description; it must not be changed.
func (q *Queue) Config() *QueueConfig { return q.config.Load() }

// Name is the queue's name.
func (q *Queue) Name() string { return q.config.Load().Name }

// Topic is where the queue's messages lie: what is published to it is sent to the queue. A message whose DeliverAt is
// not set gets the queue's delay.
func (q *Queue) Topic() *Topic { return q.topic }

// Deleted reports whether the queue was deleted.
func (q *Queue) Deleted() bool { return q.topic.Deleted() }

func (q *Queue) fifo() bool { return q.topic.config.Load().FIFO != nil }

// delay makes a message wait that says nothing of it, as the queue's settings say.
func (q *Queue) delay(m *Message) {
	if d := q.Config().Delay; d > 0 && m.DeliverAt() == 0 {
		m.SetDeliverAt(m.PublishedAt() + d.Milliseconds())
	}
}

// keepsDelayed reports whether messages that are due later get their place in the topic at once: those of a FIFO queue do,
// since their order is that of their publishes.
func (t *Topic) keepsDelayed() bool { return t.queue != nil && t.queue.fifo() }

// parked counts a message that the timer brings at a time, in ms since 1970; unparked one that it brought.
func (q *Queue) parked(due int64) {
	q.coming.Add(1)
	for old := q.comingUntil.Load(); old < due && !q.comingUntil.CompareAndSwap(old, due); old = q.comingUntil.Load() {
	}
}

func (q *Queue) unparked() { q.coming.Add(-1) }

// delayed is how many messages the timer is known to bring.
func (q *Queue) delayed() uint64 {
	if q.comingUntil.Load()+delayedSlack.Milliseconds() < nowMillis() {
		q.coming.Store(0) // whatever was miscounted
	}
	return uint64(max(q.coming.Load(), 0))
}

// delayedSlack is how much later than at their time messages come from the timer.
const delayedSlack = 10 * time.Second

func nowMillis() int64 { return time.Now().UnixMilli() }

func (c *QueueConfig) clone() *QueueConfig {
	d := *c
	d.Labels = maps.Clone(c.Labels)
	d.FIFO = c.FIFO.clone()
	return &d
}

// QueueCounts is about how many messages a queue has.
type QueueCounts struct {
	Visible  uint64 // can be received
	InFlight uint64 // were received and are hidden
	Delayed  uint64 // are to be received later
}

// Receipt names one receipt of one message. It is good for the queue that the message was received from.
type Receipt struct {
	Topic    TopicID // of the queue
	Sequence Sequence
	Receives uint32 // how often the message had been received
}

// Received is a message that was received.
type Received struct {
	Message  *Message // the receiver releases it
	Receipt  Receipt
	Receives int   // how often it was received, this time included
	FirstAt  int64 // when it was first, ms since 1970
}

// ReceiveRequest says what a receiver wants.
type ReceiveRequest struct {
	Max        int           // messages at the most, 1 to ReceiveMessagesMax
	Visibility time.Duration // how long they are hidden; negative: as the queue says
	Wait       time.Duration // for the first message; negative: as the queue says
	Alive      func() bool   // nil, or whether the receiver still waits: it is asked before it gets messages
}
