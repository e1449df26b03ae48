package sqs

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/jsontext"
)

// text is the encoder of a push that is the message's text alone.
type text struct{}

func (text) Body(scratch []byte, m *engine.Message) (body, grown []byte)        { return m.Body(), scratch }
func (text) AppendHeader(dst []byte, _ *engine.Message, _ []byte, _ int) []byte { return dst }
func (text) Bare() bool                                                         { return true }

// encoder renders the calls of SendMessage for one queue. Everything in it is immutable.
type encoder struct {
	subscriber egress.Encoder
	head       []byte // {"QueueUrl":"...","MessageBody":"
	bare       bool   // the subscriber gets the text alone
	fifo       bool
}

func newEncoder(subscriber egress.Encoder, queue string) *encoder {
	e := &encoder{subscriber: subscriber, fifo: strings.HasSuffix(queue, fifoSuffix)}
	if b, ok := subscriber.(egress.Barer); ok {
		e.bare = b.Bare()
	}
	e.head = jsontext.AppendString([]byte(`{"QueueUrl":`), []byte(queue))
	e.head = append(e.head, `,"MessageBody":"`...)
	return e
}

// encodingAttribute says how a text is encoded that SQS would not take.
const encodingAttribute = "fanfare.encoding"

const header = "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nUser-Agent: fanfare\r\n"

// AppendHeader appends the header lines of the call.
func (e *encoder) AppendHeader(dst []byte, _ *engine.Message, _ []byte, _ int) []byte {
	return append(dst, header...)
}

// Body renders the call behind what the subscriber would have got.
func (e *encoder) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	inner, grown := e.subscriber.Body(scratch, m)
	start := len(grown)
	grown = append(grown, e.head...)
	encoded := !sayable(inner)
	if encoded {
		grown = base64.StdEncoding.AppendEncode(grown, inner)
	} else {
		grown = jsontext.AppendEscaped(grown, inner)
	}
	grown = append(grown, '"')
	grown = e.appendAttributes(grown, m, encoded)
	if e.fifo {
		grown = appendOrder(grown, m)
	}
	grown = append(grown, '}')
	return grown[start:], grown
}

// appendAttributes appends the message's attributes, if they are to travel, and how the text is encoded.
func (e *encoder) appendAttributes(dst []byte, m *engine.Message, encoded bool) []byte {
	room := attributesMax
	if encoded {
		room--
	}
	all := e.bare && carried(m, room)
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
			dst = jsontext.AppendString(dst, it.Name)
			dst = append(dst, `:{"DataType":`...)
			dst = jsontext.AppendString(dst, it.Type)
			if it.Binary {
				dst = append(dst, `,"BinaryValue":"`...)
				dst = base64.StdEncoding.AppendEncode(dst, it.Value)
				dst = append(dst, `"}`...)
			} else {
				dst = append(dst, `,"StringValue":`...)
				dst = jsontext.AppendString(dst, it.Value)
				dst = append(dst, '}')
			}
		}
	}
	return append(dst, '}')
}

// carried reports whether there are attributes and every one is of a form that SQS takes.
func carried(m *engine.Message, room int) bool {
	n := 0
	for it := m.Attributes(); it.Next(); n++ {
		base, _, _ := bytes.Cut(it.Type, dot)
		fits := string(base) == "Binary" && it.Binary ||
			(string(base) == "String" || string(base) == "Number") && !it.Binary && sayable(it.Value)
		if n == room || !fits || len(it.Value) == 0 || !isAttributeName(it.Name) || !sayable(it.Type) {
			return false
		}
	}
	return n > 0
}

var (
	dot     = []byte(".")
	twoDots = []byte("..")
)

func isAttributeName(name []byte) bool {
	if len(name) == 0 || len(name) > 256 || name[0] == '.' || name[len(name)-1] == '.' || bytes.Contains(name, twoDots) {
		return false
	}
	for _, c := range name {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return string(name) != encodingAttribute && !hasPrefixFold(name, "aws.") && !hasPrefixFold(name, "amazon.")
}

func hasPrefixFold(text []byte, lower string) bool {
	if len(text) < len(lower) {
		return false
	}
	for i := range len(lower) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// appendOrder appends what a FIFO queue orders and deduplicates by.
func appendOrder(dst []byte, m *engine.Message) []byte {
	dst = append(dst, `,"MessageGroupId":`...)
	if group := m.Get(engine.FieldGroup); len(group) > 0 {
		dst = jsontext.AppendString(dst, group)
	} else {
		dst = append(dst, '"')
		dst = append(dst, m.Topic().Name()...) // letters, digits and -_.%|
		dst = append(dst, '"')
	}
	dst = append(dst, `,"MessageDeduplicationId":`...)
	if id := m.Get(engine.FieldDeduplicationID); len(id) > 0 {
		return jsontext.AppendString(dst, id)
	}
	dst = append(dst, '"')
	dst = m.ID().AppendUUID(dst)
	return append(dst, '"')
}

// sayable reports whether SQS takes the text: UTF-8 of characters that XML 1.0 has.
func sayable(text []byte) bool {
	for len(text) > 0 {
		if c := text[0]; c < utf8.RuneSelf {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
				return false
			}
			text = text[1:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			return false
		}
		text = text[n:]
	}
	return true
}
