package sqs

import (
	"bytes"
	"slices"

	"fanfare/ingress/aws"
)

// Source: Amazon SQS API reference, version 2012-11-05, as the SDKs sent it before the JSON protocol: flat lists, counted
// from 1, such as Attribute.1.Name.

// scanQuery takes a request of the query protocol apart. Its parameters stand in the URL, in the body, or in both.
func (c *call) scanQuery() error {
	p := aws.NewParameters(c.head.Query, c.body, &c.key)
	for p.Next() {
		if err := c.form.set(p.Key, p.Value); err != nil {
			return err
		}
	}
	if p.Err() != nil {
		return p.Err()
	}
	f := &c.form
	slices.SortFunc(f.entries[:f.count], func(a, b entry) int { return a.number - b.number })
	return nil
}

// set takes one parameter. Those it does not know are skipped.
func (f *form) set(key, value []byte) error {
	if p := paramOf(key); p < params {
		return setOnce(f.place(p), key, value)
	}
	head, rest, _ := bytes.Cut(key, []byte("."))
	if l := queryList(head); l < lists {
		return f.add(l, value)
	}
	switch string(head) {
	case "Attribute":
		return setPair(&f.attributes, key, rest, value)
	case "Tag":
		f.tagsGiven = true
		return setPair(&f.tags, key, rest, value)
	case "SendMessageBatchRequestEntry", "DeleteMessageBatchRequestEntry", "ChangeMessageVisibilityBatchRequestEntry":
		number, rest := cutNumber(rest)
		if e := f.entry(number); e != nil {
			return e.set(key, rest, value)
		}
		return nil
	}
	return f.top.setAttribute(key, head, rest, value)
}

// queryList finds a list by its name in this protocol; lists for none.
func queryList(name []byte) list {
	switch string(name) {
	case "AttributeName":
		return listAttributes
	case "MessageSystemAttributeName":
		return listSystemAttributes
	case "MessageAttributeName":
		return listMessageAttributes
	case "TagKey":
		return listTagKeys
	case "AWSAccountId":
		return listAccounts
	case "ActionName":
		return listActions
	}
	return lists
}

// entry finds or makes the entry of a number, nil when there are too many. Those that are too many come one behind the
// other, as far as it matters for their number.
func (f *form) entry(number int) *entry {
	for i := f.count - 1; i >= 0; i-- { // the last one is the likeliest
		if f.entries[i].number == number {
			return &f.entries[i]
		}
	}
	if f.sent > batchMax && number == f.beyond {
		return nil
	}
	f.beyond = number
	return f.next(number)
}

// set takes a parameter of an entry. The name is the key without what leads to the entry.
func (e *entry) set(key, name, value []byte) error {
	if p := paramOf(name); p < entryParams {
		return setOnce(&e.values[p], key, value)
	}
	head, rest, _ := bytes.Cut(name, []byte("."))
	return e.setAttribute(key, head, rest, value)
}

// setAttribute takes a part of an attribute, if the head says that it is one.
func (e *entry) setAttribute(key, head, rest, value []byte) error {
	l := &e.attributes
	switch string(head) {
	case "MessageAttribute":
	case "MessageSystemAttribute":
		l = &e.system
	default:
		return nil
	}
	number, rest := cutNumber(rest)
	a := l.numbered(number)
	if a == nil {
		return nil // there are too many, which is a fault
	}
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
	a.textList = a.textList || bytes.HasPrefix(rest, []byte("Value.StringListValue"))
	a.binaryList = a.binaryList || bytes.HasPrefix(rest, []byte("Value.BinaryListValue"))
	return nil
}

// setPair takes the key or the value of a member of a map.
func setPair(pairs *[]pair, key, rest, value []byte) error {
	number, rest := cutNumber(rest)
	p := pairNumbered(pairs, number)
	if p == nil {
		return errListTooLong
	}
	switch string(rest) {
	case "Name", "Key":
		return setOnce(&p.key, key, value)
	case "Value":
		return setOnce(&p.value, key, value)
	}
	return nil
}

func pairNumbered(pairs *[]pair, number int) *pair {
	for i := range *pairs {
		if (*pairs)[i].number == number {
			return &(*pairs)[i]
		}
	}
	if len(*pairs) == listMax {
		return nil
	}
	*pairs = append(*pairs, pair{number: number})
	return &(*pairs)[len(*pairs)-1]
}

func setOnce(place *[]byte, key, value []byte) error {
	if *place != nil {
		return invalid("The parameter %s is given more than once.", aws.Shorten(key))
	}
	*place = value
	return nil
}

// cutNumber splits "12.rest". Text without a number belongs to the number 0, as a list of one may be written; what is
// beyond all numbers counts as the largest.
func cutNumber(text []byte) (number int, rest []byte) {
	const numberMax = 999_999_999
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		number = min(number*10+int(text[i]-'0'), numberMax)
	}
	if i == 0 || i < len(text) && text[i] != '.' {
		return 0, text
	}
	if i < len(text) {
		i++
	}
	return number, text[i:]
}
