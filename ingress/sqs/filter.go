package sqs

import (
	"bytes"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// attributeFilter says which attributes of a message a receiver wants.
type attributeFilter struct {
	all             bool
	names, prefixes [][]byte
}

// allAttributes wants all of them.
var allAttributes = &attributeFilter{all: true}

func (f *attributeFilter) matches(name []byte) bool {
	if f.all {
		return true
	}
	for _, n := range f.names {
		if bytes.Equal(n, name) {
			return true
		}
	}
	for _, p := range f.prefixes {
		if bytes.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

func (f *attributeFilter) reset() {
	clear(f.names)
	clear(f.prefixes)
	f.all, f.names, f.prefixes = false, f.names[:0], f.prefixes[:0]
}

// readFilter reads MessageAttributeNames: names, prefixes that end in ".*", or All.
func (c *call) readFilter(f *attributeFilter) error {
	f.reset()
	names := c.form.lists[listMessageAttributes]
	room := 0
	for _, raw := range names {
		room += len(raw)
	}
	c.makeRoom(room)
	for _, raw := range names {
		name, err := c.kept(raw)
		if err != nil {
			return err
		}
		prefix, ok := bytes.CutSuffix(name, []byte(".*"))
		switch {
		case string(name) == "All", ok && len(prefix) == 0:
			f.all = true
		case ok:
			f.prefixes = append(f.prefixes, prefix)
		default:
			f.names = append(f.names, name)
		}
	}
	return nil
}

// systemAttribute is what a receiver can be told of a message beside its text and attributes.
type systemAttribute uint16

const (
	senderID systemAttribute = 1 << iota
	sentTimestamp
	receiveCount
	firstReceive
	sequenceNumber
	deduplicationID
	groupID
	trace
	source

	allSystem = 1<<iota - 1
)

func systemAttributeOf(name []byte) systemAttribute {
	switch string(name) {
	case "All":
		return allSystem
	case "SenderId":
		return senderID
	case "SentTimestamp":
		return sentTimestamp
	case "ApproximateReceiveCount":
		return receiveCount
	case "ApproximateFirstReceiveTimestamp":
		return firstReceive
	case "SequenceNumber":
		return sequenceNumber
	case "MessageDeduplicationId":
		return deduplicationID
	case "MessageGroupId":
		return groupID
	case traceHeader:
		return trace
	case "DeadLetterQueueSourceArn":
		return source
	}
	return 0
}

// readSystem reads MessageSystemAttributeNames, and AttributeNames as it was called before.
func (c *call) readSystem() (wanted systemAttribute, err error) {
	for _, l := range [...]list{listSystemAttributes, listAttributes} {
		for _, raw := range c.form.lists[l] {
			name, err := c.text(raw)
			if err != nil {
				return 0, err
			}
			a := systemAttributeOf(name)
			if a == 0 {
				return 0, unknownAttribute(aws.Shorten(name))
			}
			wanted |= a
		}
	}
	return wanted, nil
}

// of returns those of which a message has something to tell.
func (a systemAttribute) of(m *engine.Message, fifo bool) systemAttribute {
	for _, maybe := range [...]struct {
		bit   systemAttribute
		field engine.Field
	}{
		{deduplicationID, engine.FieldDeduplicationID},
		{groupID, engine.FieldGroup},
		{trace, engine.FieldTrace},
		{source, engine.FieldSource},
	} {
		if a&maybe.bit != 0 && len(m.Get(maybe.field)) == 0 {
			a &^= maybe.bit
		}
	}
	if !fifo {
		a &^= sequenceNumber | deduplicationID
	}
	return a
}
