package engine

import (
	"maps"
	"sync/atomic"
	"time"
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
	Visibility  time.Duration     `json:"visibility"`             // how long a received message is hidden; default VisibilityDefault when the queue is made, then 0 is 0
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

// Queue is a place with pull consumers. Its messages lie in a topic of its own, which no face lists and nothing can
// subscribe to; sending is publishing to it.
type Queue struct {
	topic  *Topic // immutable
	config atomic.Pointer[QueueConfig]
	engine *Engine // immutable
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

func (c *QueueConfig) clone() *QueueConfig {
	d := *c
	d.Labels = maps.Clone(c.Labels)
	if c.FIFO != nil {
		fifo := *c.FIFO
		d.FIFO = &fifo
	}
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
