package engine

import "fanfare/engine/schedule"

// TopicID numbers a topic; it is never given twice.
type TopicID uint64

// SubscriptionID numbers a subscription; it is never given twice.
type SubscriptionID uint64

// TimerKey names an entry of the durable timer. The zero key names none.
type TimerKey = schedule.Key

// TimerKeyMax sorts behind every other key.
var TimerKeyMax = schedule.Max

// Store makes messages, progress, timers, dead letters and the catalog durable.
//
// What every store promises:
//   - The writes of one Batch happen all or not at all, also across a crash.
//   - Batches become durable in the order in which Apply returned: after a crash the store holds a
//     prefix of them. So a progress record can never outlive the retry that made it true.
//   - After Apply returned nil the writes are visible to reads; after Wait returned nil they survive a
//     power cut. Without a wait they become durable soon, or with the next batch that is waited for. When Wait returns an error they may do either, and the store refuses every later write.
//   - Reads may run at any time from any goroutine; a batch belongs to one goroutine.
type Store interface {
	// NewBatch returns an empty batch, to be used over and over by its owner.
	NewBatch() Batch

	// ReadTopic calls fn with the records of a topic from sequence first to last, in order, until fn
	// returns false. The record must not be retained after fn returns.
	ReadTopic(topic TopicID, first, last Sequence, fn func(Sequence, []byte) bool) error
	// HighWater returns the highest sequence the topic ever had, 0 for none.
	HighWater(topic TopicID) (Sequence, error)

	// ReadProgress returns what SaveProgress wrote last, nil for nothing.
	ReadProgress(sub SubscriptionID) ([]byte, error)

	// ReadTimers calls fn with the keys from first (included) to last (excluded) in order, until fn returns false.
	ReadTimers(first, last TimerKey, fn func(TimerKey) bool) error
	// ReadTimer appends an entry's value to dst; ok is false when there is none.
	ReadTimer(key TimerKey, dst []byte) (value []byte, ok bool, err error)

	// ReadDeadLetters calls fn with a subscription's dead letters behind a sequence, in their order, until fn
	// returns false. The value must not be retained after fn returns.
	ReadDeadLetters(sub SubscriptionID, after Sequence, fn func(Sequence, []byte) bool) error

	// ReadStates calls fn with the states of a kind that messages of a topic have, from the sequence first on and in order,
	// until fn returns false. The value must not be retained after fn returns.
	ReadStates(topic TopicID, kind StateKind, first Sequence, fn func(Sequence, []byte) bool) error

	// ReadMarks calls fn with the marks of a topic in the order of their sequences.
	ReadMarks(topic TopicID, fn func(Mark)) error

	// ReadCatalog calls fn with every catalog entry, in the order of the keys. Neither slice may be retained.
	ReadCatalog(fn func(key string, value []byte) error) error

	// Err returns why the store refuses writes, nil while it accepts them.
	Err() error
	// Close makes everything applied durable and closes the store. It is idempotent.
	Close() error
}

// Bounded is an optional ability of a Store that can run out of room: while Full returns an error, which says
// why, no message is accepted. Everything else goes on, since it frees room.
type Bounded interface {
	Full() error
}

// Mark says where in a topic that retains its messages one was appended: with it, what is older or lies further
// back than the retention allows is found without reading it.
type Mark struct {
	Sequence Sequence
	At       int64  // when it was appended, ms since 1970
	Bytes    uint64 // of the records before it, since the topic's first
}

// StateKind says what a state is about: a small record that lies beside a message of a topic, and may outlive it.
type StateKind byte

// The kinds of states.
const (
	StateReceived  StateKind = iota + 1 // a message of a queue was received and is not deleted yet
	StatePublished                      // a message of a FIFO topic that another one may be a duplicate of
)

// Batch collects writes that happen together.
type Batch interface {
	// AppendMessage's record must stay unchanged until Apply; all other slices may be used again at once. The sequences of
	// a topic rise; they have gaps where the topic is a queue's that is imported.
	AppendMessage(topic TopicID, sequence Sequence, record []byte)
	// TrimTopic forgets the messages behind the sequence after, up to and including through, but not that
	// there were so many.
	TrimTopic(topic TopicID, after, through Sequence)
	// DeleteMessage forgets one message. With the last one it is forgotten that there was one: the caller has to know.
	DeleteMessage(topic TopicID, sequence Sequence)
	// PutState sets the state of a kind that a message has.
	PutState(topic TopicID, kind StateKind, sequence Sequence, value []byte)
	DeleteState(topic TopicID, kind StateKind, sequence Sequence)
	// TrimStates forgets the states of a kind behind the sequence after, up to and including through.
	TrimStates(topic TopicID, kind StateKind, after, through Sequence)
	// DropTopic forgets everything of the topic.
	DropTopic(topic TopicID)
	SaveProgress(sub SubscriptionID, progress []byte)
	// DropSubscription forgets a subscription's progress and dead letters.
	DropSubscription(sub SubscriptionID)
	// PutTimer writes an entry whose value is head followed by record.
	PutTimer(key TimerKey, head, record []byte)
	DeleteTimer(key TimerKey)
	PutDeadLetter(sub SubscriptionID, sequence Sequence, head, record []byte)
	DeleteDeadLetter(sub SubscriptionID, sequence Sequence)
	// PutMark writes a mark. TrimTopic forgets those of the messages it forgets, DropTopic all.
	PutMark(topic TopicID, mark Mark)
	PutCatalog(key string, value []byte)
	DeleteCatalog(key string)

	// Len is the number of writes collected.
	Len() int
	// Apply makes the collected writes visible, in one step. With durable, Wait must follow.
	Apply(durable bool) error
	// Wait blocks until what Apply wrote is durable, as the store's durability setting understands it.
	Wait() error
	// Reset empties the batch for its next use. It must not be called between Apply and Wait.
	Reset()
}

// Durability says what an answered publish has survived.
type Durability string

// The durability settings.
const (
	// DurabilitySync answers after the write-ahead log is synced to the disk.
	DurabilitySync Durability = "sync"
	// DurabilityAsync answers after the log was handed to the operating system; it is synced at an interval.
	DurabilityAsync Durability = "async"
	// DurabilityMemory keeps everything in memory.
	DurabilityMemory Durability = "memory"
)
