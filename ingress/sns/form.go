package sns

import (
	"bytes"
	"slices"
)

const (
	batchMax          = 10   // entries of a PublishBatch
	attributesMax     = 1024 // the highest number of an attribute
	attributesPooled  = 64   // places for attributes that go back to the pool
	entriesParameter  = "PublishBatchRequestEntries."
	attributesOfEntry = "MessageAttributes."
)

// What a publish says beside its messages.
type topParam uint8

const (
	topAction topParam = iota
	topVersion
	topTopicARN
	topTargetARN
	topPhoneNumber
	topParams
)

// What it says of a message.
type messageParam uint8

const (
	messageID messageParam = iota // in a batch
	messageText
	messageSubject
	messageStructure
	messageGroup
	messageDedup
	messageParams
)

// publishForm is a Publish or PublishBatch taken apart: views of the request, still encoded. A value that was not given
// is nil; one that is empty is not.
type publishForm struct {
	top      [topParams][]byte
	entries  [batchMax]messageForm // the first count; a Publish has one
	count    int
	overflow bool // there are more entries
}

// messageForm is one message of a publish.
type messageForm struct {
	number     int // of the entry, as the client counts
	values     [messageParams][]byte
	attributes []attributeForm // by the number the client gave; there may be gaps
}

// attributeForm is one attribute of a message.
type attributeForm struct{ name, dataType, text, binary []byte }

func (a *attributeForm) given() bool {
	return a.name != nil || a.dataType != nil || a.text != nil || a.binary != nil
}

func (f *publishForm) reset() {
	f.top = [topParams][]byte{}
	for i := range f.entries[:f.count] {
		e := &f.entries[i]
		e.values = [messageParams][]byte{}
		clear(e.attributes)
		e.attributes = e.attributes[:0]
		if cap(e.attributes) > attributesPooled {
			e.attributes = nil
		}
	}
	f.count, f.overflow = 0, false
}

// scanPublish takes the request apart. Parameters it does not know are skipped, as in every action.
func (c *call) scanPublish(batch bool) error {
	f := &c.form
	if !batch {
		f.count = 1
	}
	p := c.parameters()
	for p.Next() {
		if err := f.set(p.Key, p.Value, batch); err != nil {
			return err
		}
	}
	if p.Err() != nil {
		return p.Err()
	}
	if batch {
		slices.SortFunc(f.entries[:f.count], func(a, b messageForm) int { return a.number - b.number })
	}
	return nil
}

func (f *publishForm) set(key, value []byte, batch bool) error {
	at := topParams
	switch string(key) {
	case "Action":
		at = topAction
	case "Version":
		at = topVersion
	case "TopicArn":
		at = topTopicARN
	case "TargetArn":
		at = topTargetARN
	case "PhoneNumber":
		at = topPhoneNumber
	}
	switch {
	case at < topParams:
		return setOnce(&f.top[at], key, value)
	case !batch:
		return f.entries[0].set(key, key, value)
	}
	rest, ok := bytes.CutPrefix(key, []byte(entriesParameter))
	if !ok {
		return nil
	}
	rest, _ = bytes.CutPrefix(rest, []byte("member."))
	number, rest, ok := cutNumber(rest)
	if !ok {
		return nil
	}
	if e := f.entry(number); e != nil {
		return e.set(key, rest, value)
	}
	f.overflow = true
	return nil
}

// entry finds or makes the entry of a number, nil when there are too many.
func (f *publishForm) entry(number int) *messageForm {
	for i := f.count - 1; i >= 0; i-- { // the last one is the likeliest
		if f.entries[i].number == number {
			return &f.entries[i]
		}
	}
	if f.count == batchMax {
		return nil
	}
	f.count++
	e := &f.entries[f.count-1]
	e.number = number
	return e
}

// set takes a parameter of a message. The name is the key without what leads to the message.
func (e *messageForm) set(key, name, value []byte) error {
	at := messageParams
	switch string(name) {
	case "Id":
		at = messageID
	case "Message":
		at = messageText
	case "Subject":
		at = messageSubject
	case "MessageStructure":
		at = messageStructure
	case "MessageGroupId":
		at = messageGroup
	case "MessageDeduplicationId":
		at = messageDedup
	}
	if at < messageParams {
		return setOnce(&e.values[at], key, value)
	}
	rest, ok := bytes.CutPrefix(name, []byte(attributesOfEntry))
	if !ok {
		return nil
	}
	rest, _ = bytes.CutPrefix(rest, []byte("entry."))
	number, rest, ok := cutNumber(rest)
	if !ok {
		return nil
	}
	if number > attributesMax {
		return invalid("MessageAttributes Reason: more than %d attributes", attributesMax)
	}
	for len(e.attributes) <= number {
		e.attributes = append(e.attributes, attributeForm{})
	}
	a := &e.attributes[number]
	switch string(rest) {
	case "Name":
		return setOnce(&a.name, key, value)
	case "Value.DataType":
		return setOnce(&a.dataType, key, value)
	case "Value.StringValue":
		return setOnce(&a.text, key, value)
	case "Value.BinaryValue":
		return setOnce(&a.binary, key, value)
	}
	return nil
}

func setOnce(place *[]byte, key, value []byte) error {
	if *place != nil {
		return duplicateParameter(key)
	}
	*place = value
	return nil
}

// cutNumber splits "12.rest". What is beyond all numbers counts as the largest.
func cutNumber(text []byte) (number int, rest []byte, ok bool) {
	const numberMax = 999_999_999
	for i, c := range text {
		switch {
		case c == '.' && i > 0:
			return number, text[i+1:], true
		case c < '0' || c > '9':
			return 0, nil, false
		}
		number = min(number*10+int(c-'0'), numberMax)
	}
	return 0, nil, false
}
