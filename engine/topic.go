package engine

import (
	"fmt"
	"maps"
	"sync/atomic"
)

// TopicNameBytesMax is the longest topic name any face allows.
const TopicNameBytesMax = 256

// TopicConfig is what is known of a topic; immutable once published.
type TopicConfig struct {
	Name      string            `json:"name"`
	Declared  bool              `json:"declared,omitempty"` // comes from the configuration file
	CreatedAt int64             `json:"created_at"`         // ms since 1970
	UpdatedAt int64             `json:"updated_at"`         // ms since 1970
	Retention Retention         `json:"retention,omitzero"`
	FIFO      *FIFO             `json:"fifo,omitempty"`   // nil for a standard topic; never set or taken away later
	Labels    map[string]string `json:"labels,omitempty"` // what faces keep, each under keys of its own, such as "smn.display_name"
}

// FIFO makes a topic, or a queue, keep the order of the messages of each group (FieldGroup), and take a message once: within
// DeduplicationWindow another one with the same deduplication id (FieldDeduplicationID) is a duplicate.
type FIFO struct {
	ByContent bool `json:"by_content,omitempty"` // a message without an id has the SHA-256 of its body, or of its object of bodies by protocol, in hex, for one
	PerGroup  bool `json:"per_group,omitempty"`  // ids are compared within a group rather than within the topic
}

func (f *FIFO) clone() *FIFO {
	if f == nil {
		return nil
	}
	d := *f
	return &d
}

// Topic is a named stream of messages; the same topic under every face.
type Topic struct {
	ID    TopicID // immutable
	shard *shard  // immutable
	queue *Queue  // immutable: what receives from it; nil for a topic that is one to the faces

	config        atomic.Pointer[TopicConfig]
	subscriptions atomic.Pointer[[]*Subscription] // snapshot in order of creation; replaced under the catalog's lock
	interest      atomic.Pointer[interest]        // finds subscriptions by what they filter for; nil: not worth it
	findable      int                             // guarded by the catalog's lock: subscriptions it could find
	deleted       atomic.Bool
	durable       atomic.Bool // the catalog entry is synced

	marks marks
	found Sequence // immutable: the last durable one when the engine was made

	next       Sequence   // committer only: the sequence the next message gets
	duplicates duplicates // committer only

	high atomic.Uint64 // written by the shard's dispatcher: the last durable sequence
	trim atomic.Uint64 // written by the egress: everything up to here is trimmed
	pass atomic.Uint64 // written by the egress: everything up to here was offered to whom it concerns
}

// Config returns the topic's description; it must not be changed.
func (t *Topic) Config() *TopicConfig { return t.config.Load() }

// Queue is the queue whose messages the topic holds, nil for none: then it is a topic to the faces.
func (t *Topic) Queue() *Queue { return t.queue }

// Name is the topic's name.
func (t *Topic) Name() string { return t.config.Load().Name }

// Label returns what a face keeps under a key, "" for nothing.
func (t *Topic) Label(key string) string { return t.config.Load().Labels[key] }

// Subscriptions returns the current snapshot, in order of creation; it must not be changed.
func (t *Topic) Subscriptions() []*Subscription {
	if p := t.subscriptions.Load(); p != nil {
		return *p
	}
	return nil
}

// Found is the last sequence that was durable when the engine was made: what is behind it was written since.
func (t *Topic) Found() Sequence { return t.found }

// High is the last durable sequence.
func (t *Topic) High() Sequence { return Sequence(t.high.Load()) }

// Deleted reports whether the topic was deleted.
func (t *Topic) Deleted() bool { return t.deleted.Load() }

// Trimmed is the sequence up to which messages were trimmed.
func (t *Topic) Trimmed() Sequence { return Sequence(t.trim.Load()) }

// SetTrimmed records a trim; only for the egress worker that owns the topic.
func (t *Topic) SetTrimmed(s Sequence) { t.trim.Store(uint64(s)) }

// Passed is the sequence up to which every message was offered to whom it concerns, as far as it is kept.
func (t *Topic) Passed() Sequence { return Sequence(t.pass.Load()) }

// SetPassed records it; only for the egress worker that owns the topic.
func (t *Topic) SetPassed(s Sequence) { t.pass.Store(uint64(s)) }

func (c *TopicConfig) clone() *TopicConfig {
	d := *c
	d.Labels = maps.Clone(c.Labels)
	d.FIFO = c.FIFO.clone()
	return &d
}

// CheckTopicName says what is wrong with a name, nil for nothing. It allows what any face allows; each
// narrows it on creation.
func CheckTopicName(name string) *FieldError {
	if validTopicName(name) {
		return nil
	}
	return &FieldError{"name", fmt.Sprintf("must be 1 to %d letters, digits, '-', '_', '.', '%%' or '|'", TopicNameBytesMax)}
}

func validTopicName(name string) bool {
	if name == "" || len(name) > TopicNameBytesMax {
		return false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-' || c == '_' || c == '.' || c == '%' || c == '|':
		default:
			return false
		}
	}
	return name != "." && name != ".."
}
