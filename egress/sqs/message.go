package sqs

import (
	"encoding/base64"

	"fanfare/engine"
	"fanfare/engine/jsontext"
)

// encoder renders the calls of SendMessage for one queue elsewhere. All but its dialect is immutable.
type encoder struct {
	content
	dialect
	url      []byte // of the queue
	jsonHead []byte // {"QueueUrl":"...","MessageBody":"
	formHead []byte // Action=SendMessage&...&MessageBody=
}

func newEncoder(c content, queue string) *encoder {
	e := &encoder{content: c, url: []byte(queue)}
	e.jsonHead = jsontext.AppendString([]byte(`{"QueueUrl":`), e.url)
	e.jsonHead = append(e.jsonHead, `,"MessageBody":"`...)
	e.formHead = appendForm([]byte("Action=SendMessage&Version=2012-11-05&QueueUrl="), e.url)
	e.formHead = append(e.formHead, "&MessageBody="...)
	return e
}

const jsonHeader = "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nUser-Agent: fanfare\r\n"

// AppendHeader appends the header lines of the call.
func (e *encoder) AppendHeader(dst []byte, _ *engine.Message, body []byte, _ int) []byte {
	if e.Second(body) {
		return append(dst, formHeader...)
	}
	return append(dst, jsonHeader...)
}

// Body renders the call behind what the subscriber would have got.
func (e *encoder) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	text, grown := e.subscriber.Body(scratch, m)
	start := len(grown)
	if e.speaksForm() {
		grown = e.appendFormCall(grown, m, text)
	} else {
		grown = e.appendJSONCall(grown, m, text)
	}
	return grown[start:], grown
}

func (e *encoder) appendJSONCall(dst []byte, m *engine.Message, text []byte) []byte {
	dst = append(dst, e.jsonHead...)
	encoded := !sayable(text)
	if encoded {
		dst = base64.StdEncoding.AppendEncode(dst, text)
	} else {
		dst = jsontext.AppendEscaped(dst, text)
	}
	dst = append(dst, '"')
	dst = e.appendAttributes(dst, m, encoded)
	start := len(dst)
	dst = e.appendGroup(dst, m)
	dst = appendStaged(dst, start, `,"MessageGroupId":`)
	if e.fifo {
		start = len(dst)
		dst = e.appendDeduplication(dst, m)
		dst = appendStaged(dst, start, `,"MessageDeduplicationId":`)
	}
	if trace := m.Get(engine.FieldTrace); len(trace) > 0 && sayable(trace) {
		dst = append(dst, `,"MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":`...)
		dst = jsontext.AppendString(dst, trace)
		dst = append(dst, "}}"...)
	}
	return append(dst, '}')
}

// appendStaged makes a member of what was appended from a place on, and nothing of nothing.
func appendStaged(dst []byte, start int, name string) []byte {
	end := len(dst)
	if end == start {
		return dst
	}
	dst = append(dst, name...)
	dst = jsontext.AppendString(dst, dst[start:end])
	return append(dst[:start], dst[end:]...)
}

// travel reports whether the message's attributes go with it. Where they have to, the queue's server judges them.
func (c *content) travel(m *engine.Message, encoded bool) bool {
	room := attributesMax
	if encoded {
		room--
	}
	return c.bare && (c.strict && m.HasAttributes() || carried(m, room))
}

// appendAttributes appends the message's attributes, if they are to travel, and how the text is encoded.
func (e *encoder) appendAttributes(dst []byte, m *engine.Message, encoded bool) []byte {
	all := e.travel(m, encoded)
	if !all && !encoded {
		return dst
	}
	dst = append(dst, `,"MessageAttributes":{`...)
	comma := ""
	if encoded {
		dst = append(dst, `"`+encodingAttribute+`":{"DataType":"String","StringValue":"base64"}`...)
		comma = ","
	}
	if all {
		for it := m.Attributes(); it.Next(); comma = "," {
			dst = append(dst, comma...)
			dst = appendAttribute(dst, &it)
		}
	}
	return append(dst, '}')
}

func appendAttribute(dst []byte, it *engine.AttributeIterator) []byte {
	dst = jsontext.AppendString(dst, it.Name)
	dst = append(dst, `:{"DataType":`...)
	dst = jsontext.AppendString(dst, it.Type)
	if it.Binary {
		dst = append(dst, `,"BinaryValue":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, it.Value)
		return append(dst, `"}`...)
	}
	dst = append(dst, `,"StringValue":`...)
	dst = jsontext.AppendString(dst, it.Value)
	return append(dst, '}')
}
