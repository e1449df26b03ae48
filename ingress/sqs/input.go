package sqs

// Bounds of a request.
const (
	batchMax      = 10  // entries of a batch
	attributesMax = 10  // of a message
	listMax       = 100 // members of any other list
)

// param is what a request says with one text or number, at its top or in an entry of a batch. Both protocols call them
// the same.
type param uint8

const (
	paramID param = iota
	paramBody
	paramDelay
	paramDedup
	paramGroup
	paramReceipt
	paramVisibility
	paramQueueURL // from here on at the top only
	paramQueueName
	paramOwner
	paramPrefix
	paramNextToken
	paramMaxResults
	paramLabel
	paramWait
	paramMaxMessages
	paramAttempt
	paramSource
	paramDestination
	paramRate
	paramTask
	params

	entryParams = paramQueueURL
)

// paramOf finds a parameter by its name; params for none.
func paramOf(name []byte) param {
	switch string(name) {
	case "Id":
		return paramID
	case "MessageBody":
		return paramBody
	case "DelaySeconds":
		return paramDelay
	case "MessageDeduplicationId":
		return paramDedup
	case "MessageGroupId":
		return paramGroup
	case "ReceiptHandle":
		return paramReceipt
	case "VisibilityTimeout":
		return paramVisibility
	case "QueueUrl":
		return paramQueueURL
	case "QueueName":
		return paramQueueName
	case "QueueOwnerAWSAccountId":
		return paramOwner
	case "QueueNamePrefix":
		return paramPrefix
	case "NextToken":
		return paramNextToken
	case "MaxResults":
		return paramMaxResults
	case "Label":
		return paramLabel
	case "WaitTimeSeconds":
		return paramWait
	case "MaxNumberOfMessages":
		return paramMaxMessages
	case "ReceiveRequestAttemptId":
		return paramAttempt
	case "SourceArn":
		return paramSource
	case "DestinationArn":
		return paramDestination
	case "MaxNumberOfMessagesPerSecond":
		return paramRate
	case "TaskHandle":
		return paramTask
	}
	return params
}

// isNumber reports whether a parameter is one.
func (p param) isNumber() bool {
	switch p {
	case paramDelay, paramVisibility, paramMaxResults, paramWait, paramMaxMessages, paramRate:
		return true
	default:
		return false
	}
}

// list is a list of texts.
type list uint8

const (
	listAttributes list = iota
	listSystemAttributes
	listMessageAttributes
	listTagKeys
	listAccounts
	listActions
	lists
)

// form is a request taken apart: views of its bytes, still encoded as its protocol has it. What was not given is nil; what
// is empty is not.
type form struct {
	values     [params - entryParams][]byte
	top        entry           // the one message, or receipt, of a request that is no batch
	entries    [batchMax]entry // the first count
	count      int
	sent       int             // entries that were given
	beyond     int             // number of the last one that was met, in the query protocol
	lists      [lists][][]byte // the names in each
	attributes []pair          // of a queue
	tags       []pair
	tagsGiven  bool
}

// entry is one message or receipt.
type entry struct {
	number     int // in the query protocol, as the client counts
	values     [entryParams][]byte
	attributes attributeList
	system     attributeList
}

// attributeList is the attributes of a message.
type attributeList struct {
	members []attribute // the first attributesMax
	sent    int         // that were given
	beyond  int         // number of the last one that was too many, in the query protocol
}

// attribute is one attribute of a message.
type attribute struct {
	number               int
	name, dataType       []byte
	text, binary         []byte
	textList, binaryList bool
}

// pair is a member of a map.
type pair struct {
	number     int
	key, value []byte
}

func (e *entry) reset() {
	e.values = [entryParams][]byte{}
	e.attributes.reset()
	e.system.reset()
}

func (l *attributeList) reset() {
	clear(l.members)
	l.members, l.sent, l.beyond = l.members[:0], 0, 0
}

func (f *form) reset() {
	f.values = [params - entryParams][]byte{}
	f.top.reset()
	for i := range f.entries[:f.count] {
		f.entries[i].reset()
	}
	f.count, f.sent, f.beyond = 0, 0, 0
	for i := range f.lists {
		clear(f.lists[i])
		f.lists[i] = f.lists[i][:0]
	}
	clear(f.attributes)
	clear(f.tags)
	f.attributes, f.tags, f.tagsGiven = f.attributes[:0], f.tags[:0], false
}

// value returns a parameter of the top, nil when it is absent.
func (f *form) value(p param) []byte {
	if p < entryParams {
		return f.top.values[p]
	}
	return f.values[p-entryParams]
}

// place is where a parameter of the top is kept.
func (f *form) place(p param) *[]byte {
	if p < entryParams {
		return &f.top.values[p]
	}
	return &f.values[p-entryParams]
}

// next makes the entry of a number, nil when there are too many.
func (f *form) next(number int) *entry {
	f.sent++
	if f.count == batchMax {
		return nil
	}
	e := &f.entries[f.count]
	e.number = number
	f.count++
	return e
}

// add appends a member to a list.
func (f *form) add(l list, value []byte) error {
	if len(f.lists[l]) == listMax {
		return errListTooLong
	}
	f.lists[l] = append(f.lists[l], value)
	return nil
}

// named finds the attribute with a name as it is written, or makes it; nil when there are too many.
func (l *attributeList) named(name []byte) *attribute {
	for i := range l.members {
		if string(l.members[i].name) == string(name) {
			l.members[i] = attribute{name: name}
			return &l.members[i]
		}
	}
	return l.next(attribute{name: name})
}

// numbered finds the attribute of a number, or makes it; nil when there are too many.
func (l *attributeList) numbered(number int) *attribute {
	for i := range l.members {
		if l.members[i].number == number {
			return &l.members[i]
		}
	}
	if len(l.members) == attributesMax && l.sent > attributesMax && number == l.beyond {
		return nil
	}
	l.beyond = number
	return l.next(attribute{number: number})
}

func (l *attributeList) next(a attribute) *attribute {
	l.sent++
	if len(l.members) == attributesMax {
		return nil
	}
	l.members = append(l.members, a)
	return &l.members[len(l.members)-1]
}
