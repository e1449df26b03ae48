package engine

import (
	"crypto/md5"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine/invariant"

	"github.com/cespare/xxhash/v2"
)

// A record is the stored form of a message. All integers are little-endian.
//
//	offset size
//	     0    1  version, recordVersion
//	     1    1  type (MessageType)
//	     2    1  origin (Origin), the face it came through
//	     3    1  flags, bit 0: the body's MD5 is present
//	     4    4  length of the fields, in bytes
//	     8    8  sequence in the topic; set by the committer, so not under the checksum: the key repeats it
//	    16    8  checksum: xxhash64 of bytes 24 to the end, mixed with bytes 0 to 8
//	    24    8  published at, ms since 1970
//	    32    8  deliver not before, ms since 1970; 0: at once
//	    40    8  expires at, ms since 1970; 0: never
//	    48   16  id
//	    64   16  MD5 of the body, when the flag says so
//	    80       fields, each: kind (1), length (4), bytes
//
// A torn record fails the length or the checksum and is reported, never served.
const (
	recordVersion    = 1
	recordHeaderSize = 80
	fieldHeaderSize  = 5

	flagBodyMD5 = 1 << 0

	// messageBytesKept is the largest arena that goes back to the pool with its message: a body of 64 KiB, the
	// most that some clouds allow, with its record around it, still fits.
	messageBytesKept = 128 << 10
)

// MessageType tells notifications from the messages of the subscription protocol.
type MessageType uint8

// The message types.
const (
	Notification MessageType = iota
	SubscriptionConfirmation
	UnsubscribeConfirmation
)

// String is the name of the type, which the clouds have in common.
func (t MessageType) String() string {
	switch t {
	case SubscriptionConfirmation:
		return "SubscriptionConfirmation"
	case UnsubscribeConfirmation:
		return "UnsubscribeConfirmation"
	default:
		return "Notification"
	}
}

// Origin names the face a message was published through.
type Origin uint8

// The origins.
const (
	OriginNative Origin = iota
	OriginSNS
	OriginSMQ
	OriginRocketMQ
	OriginSMN
	OriginDMS
	OriginSQS
	OriginTopic // into a queue, by a subscription
)

// Field is the kind of one part of a message.
type Field uint8

// The fields. The attribute fields repeat: a name, then its type, then its value.
const (
	FieldBody            Field = iota + 1 // what is delivered
	FieldSubject                          // subject line (SNS, SMN)
	FieldTag                              // tag that subscriptions filter by (SMQ, RocketMQ, DMS)
	FieldKeys                             // message keys (RocketMQ, DMS)
	FieldGroup                            // ordering group or sharding key
	FieldDeduplicationID                  // FIFO deduplication id
	FieldStructure                        // JSON object of bodies by protocol (SNS, SMN)
	FieldContentType                      // media type of the body (native)
	FieldToken                            // confirmation token
	FieldTrace                            // trace header of the publisher (SNS, SQS)
	FieldSource                           // queue that a message was moved from as a dead letter
	fieldSingles                          // number of kinds that occur at most once, plus one

	FieldAttributeName   Field = 0x20 // starts an attribute
	FieldAttributeType   Field = 0x21 // data type, as published
	FieldAttributeString Field = 0x22 // text value
	FieldAttributeBinary Field = 0x23 // binary value, decoded
)

// MessageID is the 128-bit id of a message; faces print it in their own form.
type MessageID [16]byte

// Sequence is a message's position in its topic, from 1; 0 means none.
type Sequence uint64

type span struct{ start, end uint32 }

// Message is one publish: a pooled object whose bytes are the stored record. A face gets one from
// NewMessage, appends its fields and hands it to Engine.Publish. Whoever keeps it retains it; the
// last Release returns it to the pool. Slices its accessors return are valid until Release.
type Message struct {
	buf    []byte
	fields [fieldSingles]span
	open   int // start of the open field's header, 0 when none is open
	refs   atomic.Int32

	topic *Topic

	from    TimerKey // entry of the timer this message came from; goes with the commit
	parked  TimerKey // entry of the timer this message became instead of getting a sequence
	held    bool     // waits for Settle
	waited  bool     // somebody waits for the commit
	follows bool     // so does the same publisher for the message before

	duplicate bool     // of one that the FIFO topic has
	key       [16]byte // by which duplicates are found, zero for none; only before the commit

	// Where the publisher waits for its commit; owned by the pool object, so that waiting costs nothing.
	done chan struct{}
	err  error
}

var messagePool = sync.Pool{New: func() any {
	return &Message{buf: make([]byte, recordHeaderSize, 2048), done: make(chan struct{}, 1)}
}}

// NewMessage returns an empty message with one reference, a fresh id and the current time.
func NewMessage() *Message {
	m := emptyMessage()
	b := m.buf
	b[0] = recordVersion
	binary.LittleEndian.PutUint64(b[24:], uint64(time.Now().UnixMilli()))
	m.SetID(NewMessageID())
	return m
}

// emptyMessage returns a pooled message with a zeroed header and one reference.
func emptyMessage() *Message {
	m := messagePool.Get().(*Message)
	m.buf = m.buf[:recordHeaderSize]
	clear(m.buf)
	m.refs.Store(1)
	return m
}

// Retain adds a reference; the caller must own one.
func (m *Message) Retain() {
	if m.refs.Add(1) <= 1 {
		panic("BUG: engine: Retain of a released message")
	}
}

// Release gives up one reference. The message must not be used by the caller afterwards.
func (m *Message) Release() {
	n := m.refs.Add(-1)
	if n > 0 {
		return
	}
	if n < 0 {
		panic("BUG: engine: Release of a released message")
	}
	m.topic, m.from, m.parked, m.held, m.waited, m.follows, m.err, m.open = nil, TimerKey{}, TimerKey{}, false, false, false, nil, 0
	m.duplicate, m.key = false, [16]byte{}
	m.fields = [fieldSingles]span{}
	invariant.Poison(m.buf)
	if cap(m.buf) > messageBytesKept {
		m.buf = make([]byte, recordHeaderSize, 2048)
	}
	messagePool.Put(m)
}

// Begin opens a field and returns the arena to append its bytes to; End closes it. Between the two
// the message must not be used otherwise.
func (m *Message) Begin(f Field) []byte {
	if m.open != 0 {
		panic("BUG: engine: a field is open already")
	}
	m.open = len(m.buf)
	return append(m.buf, byte(f), 0, 0, 0, 0)
}

// End closes the field that Begin opened; dst is the arena with the field's bytes appended.
func (m *Message) End(dst []byte) {
	start := m.open + fieldHeaderSize
	if m.open == 0 || len(dst) < start {
		panic("BUG: engine: End without Begin")
	}
	binary.LittleEndian.PutUint32(dst[m.open+1:], uint32(len(dst)-start))
	if f := Field(dst[m.open]); f < fieldSingles {
		m.fields[f] = span{uint32(start), uint32(len(dst))}
	}
	m.buf, m.open = dst, 0
}

// Discard drops the field that Begin opened.
func (m *Message) Discard(dst []byte) {
	m.buf, m.open = dst[:m.open], 0
}

// Set appends a whole field.
func (m *Message) Set(f Field, value []byte) { m.End(append(m.Begin(f), value...)) }

// Get returns a field, nil when the message has none. Valid until Release.
func (m *Message) Get(f Field) []byte {
	s := m.fields[f]
	if s.start == 0 {
		return nil
	}
	return m.buf[s.start:s.end:s.end]
}

// Has reports whether the field was set, be it to the empty value.
func (m *Message) Has(f Field) bool { return m.fields[f].start != 0 }

// Body is what is delivered. Valid until Release.
func (m *Message) Body() []byte { return m.Get(FieldBody) }

// Tag is the tag that subscriptions filter by. Valid until Release.
func (m *Message) Tag() []byte { return m.Get(FieldTag) }

// AddAttribute appends an attribute whose parts are at hand.
func (m *Message) AddAttribute(name, dataType, value []byte, binaryValue bool) {
	m.Set(FieldAttributeName, name)
	m.Set(FieldAttributeType, dataType)
	if binaryValue {
		m.Set(FieldAttributeBinary, value)
	} else {
		m.Set(FieldAttributeString, value)
	}
}

// AttributeIterator walks the attributes of a message in the order they were added.
type AttributeIterator struct {
	rest []byte

	// The current attribute; valid until the message's Release.
	Name, Type, Value []byte
	Binary            bool
}

// Attributes returns an iterator over the message's attributes.
func (m *Message) Attributes() AttributeIterator {
	return AttributeIterator{rest: m.buf[recordHeaderSize:]}
}

// Next moves to the next attribute and reports whether there is one.
func (it *AttributeIterator) Next() bool {
	for len(it.rest) >= fieldHeaderSize {
		f := Field(it.rest[0])
		end := fieldHeaderSize + int(binary.LittleEndian.Uint32(it.rest[1:]))
		value := it.rest[fieldHeaderSize:end:end]
		it.rest = it.rest[end:]
		switch f {
		case FieldAttributeName:
			it.Name, it.Type = value, nil
		case FieldAttributeType:
			it.Type = value
		case FieldAttributeString, FieldAttributeBinary:
			it.Value, it.Binary = value, f == FieldAttributeBinary
			return true
		default: // a field of the message itself
		}
	}
	return false
}

// HasAttributes reports whether the message has at least one attribute.
func (m *Message) HasAttributes() bool {
	it := m.Attributes()
	return it.Next()
}

// ID is the message's id.
func (m *Message) ID() MessageID { return MessageID(m.buf[48:64]) }

// SetID sets the id; for tests and for messages that come with one.
func (m *Message) SetID(id MessageID) { copy(m.buf[48:], id[:]) }

// Type is the message's type.
func (m *Message) Type() MessageType { return MessageType(m.buf[1]) }

// SetType sets the message's type.
func (m *Message) SetType(t MessageType) { m.buf[1] = byte(t) }

// Origin is the face the message came through.
func (m *Message) Origin() Origin { return Origin(m.buf[2]) }

// SetOrigin records the face the message came through.
func (m *Message) SetOrigin(o Origin) { m.buf[2] = byte(o) }

// Sequence is the position in the topic, 0 before the commit.
func (m *Message) Sequence() Sequence { return Sequence(binary.LittleEndian.Uint64(m.buf[8:])) }

func (m *Message) setSequence(s Sequence) { binary.LittleEndian.PutUint64(m.buf[8:], uint64(s)) }

// PublishedAt is when the publish was accepted, in ms since 1970.
func (m *Message) PublishedAt() int64 { return int64(binary.LittleEndian.Uint64(m.buf[24:])) }

// SetPublishedAt sets the publish time, in ms since 1970.
func (m *Message) SetPublishedAt(ms int64) { binary.LittleEndian.PutUint64(m.buf[24:], uint64(ms)) }

// DeliverAt is the time before which the message is not pushed, in ms since 1970; 0 means at once.
func (m *Message) DeliverAt() int64 { return int64(binary.LittleEndian.Uint64(m.buf[32:])) }

// SetDeliverAt sets the time before which the message is not pushed, in ms since 1970.
func (m *Message) SetDeliverAt(ms int64) { binary.LittleEndian.PutUint64(m.buf[32:], uint64(ms)) }

// ExpiresAt is the time after which the message is not pushed, in ms since 1970; 0 means never.
func (m *Message) ExpiresAt() int64 { return int64(binary.LittleEndian.Uint64(m.buf[40:])) }

// SetExpiresAt sets the time after which the message is not pushed, in ms since 1970.
func (m *Message) SetExpiresAt(ms int64) { binary.LittleEndian.PutUint64(m.buf[40:], uint64(ms)) }

// BodyMD5 is the MD5 of the body, computed at the first call unless the record has it. The first
// call belongs to the face, before Publish; later callers only read.
func (m *Message) BodyMD5() [md5.Size]byte {
	if m.buf[3]&flagBodyMD5 != 0 {
		return [md5.Size]byte(m.buf[64:80])
	}
	return md5.Sum(m.Body())
}

// SumBody computes the MD5 of the body into the record and returns it. Only before Publish.
func (m *Message) SumBody() [md5.Size]byte {
	sum := md5.Sum(m.Body())
	copy(m.buf[64:80], sum[:])
	m.buf[3] |= flagBodyMD5
	return sum
}

// Duplicate reports whether the publish was one of a message that the FIFO topic had already: then it is kept and delivered
// once, and ID and Sequence are those of the first.
func (m *Message) Duplicate() bool { return m.duplicate }

// Topic is the topic the message was published to, nil before Publish.
func (m *Message) Topic() *Topic { return m.topic }

// Size is the length of the record in bytes.
func (m *Message) Size() int { return len(m.buf) }

// Record is the stored form. Valid until Release.
func (m *Message) Record() []byte { return m.buf }

// Checksum is that of the record: two messages of one id and one checksum say the same. It is set by Publish.
func (m *Message) Checksum() uint64 { return binary.LittleEndian.Uint64(m.buf[16:]) }

// seal completes the header; the record is immutable from here on but for its sequence.
func (m *Message) seal() {
	binary.LittleEndian.PutUint32(m.buf[4:], uint32(len(m.buf)-recordHeaderSize))
	binary.LittleEndian.PutUint64(m.buf[16:], recordChecksum(m.buf))
}

func recordChecksum(record []byte) uint64 {
	// An odd multiplier maps the eight leading bytes one to one, so a flip in them always shows.
	return xxhash.Sum64(record[24:]) ^ binary.LittleEndian.Uint64(record)*0x9E3779B97F4A7C15
}

// Faults of a stored record.
var (
	ErrRecordVersion = errors.New("engine: record of an unknown version")
	ErrRecordDamaged = errors.New("engine: record is damaged")
)

// DecodeMessage copies a stored record into a pooled message with one reference.
func DecodeMessage(record []byte) (*Message, error) {
	if len(record) < recordHeaderSize {
		return nil, ErrRecordDamaged
	}
	if record[0] != recordVersion {
		return nil, ErrRecordVersion
	}
	if int(binary.LittleEndian.Uint32(record[4:])) != len(record)-recordHeaderSize ||
		binary.LittleEndian.Uint64(record[16:]) != recordChecksum(record) {
		return nil, ErrRecordDamaged
	}
	m := emptyMessage()
	m.buf = append(m.buf[:0], record...)
	for at := recordHeaderSize; at < len(m.buf); {
		if len(m.buf)-at < fieldHeaderSize {
			m.Release()
			return nil, ErrRecordDamaged
		}
		start := at + fieldHeaderSize
		end := start + int(binary.LittleEndian.Uint32(m.buf[at+1:]))
		if end > len(m.buf) {
			m.Release()
			return nil, ErrRecordDamaged
		}
		if f := Field(m.buf[at]); f < fieldSingles {
			m.fields[f] = span{uint32(start), uint32(end)}
		}
		at = end
	}
	return m, nil
}
