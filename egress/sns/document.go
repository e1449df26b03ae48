package sns

import (
	"encoding/base64"
	"strconv"
	"strings"

	"fanfare/egress/sign"
	"fanfare/engine"
	"fanfare/engine/jsontext"
)

// encoder renders the pushes of one subscription. Everything in it is immutable. The texts are ready to be copied:
// escaped, with the names and the indentation around them.
//
// The members of a document, in their order:
//
//	notification: Type MessageId [SequenceNumber] TopicArn [Subject] Message Timestamp [signature] UnsubscribeURL [MessageAttributes]
//	the others:   Type MessageId Token TopicArn Message SubscribeURL Timestamp [signature]
//
// A notification of a FIFO topic has the number and no signature.
type encoder struct {
	raw      bool
	protocol string // whose text of a message by protocol is delivered
	topicARN string

	fifo   bool // the topic is a FIFO one
	topic  *engine.Topic
	signer *sign.Signer // nil: unsigned
	always bool         // notifications are signed although their topic does not ask for it
	base   []byte       // of the document's links, escaped

	topicMember       []byte // TopicArn
	unsubscribeMember []byte // UnsubscribeURL
	subscribeURL      []byte // up to the token, unescaped

	notificationHeader    []byte // behind the message's id
	confirmationHeader    []byte // likewise
	unsubscriptionHeader  []byte // likewise
	rawNotificationHeader []byte // likewise
}

// names are what a subscription is called by.
type names struct{ topicARN, subscriptionARN, base string }

func newEncoder(n names, protocol, contentType string, raw bool) *encoder {
	e := &encoder{raw: raw, protocol: protocol, topicARN: n.topicARN, base: jsontext.AppendEscapedUpper(nil, []byte(n.base))}
	e.topicMember = appendMember(nil, "TopicArn", []byte(n.topicARN))
	e.unsubscribeMember = appendMember(nil, "UnsubscribeURL", []byte(n.base+"/?Action=Unsubscribe&SubscriptionArn="+n.subscriptionARN))
	e.subscribeURL = []byte(n.base + "/?Action=ConfirmSubscription&TopicArn=" + n.topicARN + "&Token=")

	notificationType := defaultContentType
	if contentType != "" && !strings.ContainsAny(contentType, "\r\n\x00") {
		notificationType = contentType
	}
	plain, asked := "Content-Type: "+defaultContentType+"\r\n"+commonHeader, "Content-Type: "+notificationType+"\r\n"+commonHeader
	topic := "\r\nx-amz-sns-topic-arn: " + n.topicARN + "\r\n"
	subscription := "x-amz-sns-subscription-arn: " + n.subscriptionARN + "\r\n"
	e.notificationHeader = []byte(topic + subscription + asked)
	e.rawNotificationHeader = []byte(topic + subscription + "x-amz-sns-rawdelivery: true\r\n" + asked)
	e.confirmationHeader = []byte(topic + plain)
	e.unsubscriptionHeader = []byte(topic + subscription + plain)
	return e
}

const defaultContentType = "text/plain; charset=UTF-8"

const commonHeader = "Connection: Keep-Alive\r\n" +
	"User-Agent: Amazon Simple Notification Service Agent\r\n" +
	"Accept-Encoding: gzip,deflate\r\n"

// version says how a message's document is signed; 0 is not at all. What a topic has as its attribute SignatureVersion
// holds at once. The messages of the subscription protocol are few, and so always signed.
func (e *encoder) version(m *engine.Message) sign.Version {
	if e.signer == nil || e.fifo && m.Type() == engine.Notification {
		return 0
	}
	switch asked := e.topic.Label(labelSignatureVersion); {
	case asked == "2":
		return sign.Version2
	case asked == "1", e.always, m.Type() != engine.Notification:
		return sign.Version1
	}
	return 0
}

// AppendHeader appends the header lines of a push.
func (e *encoder) AppendHeader(dst []byte, m *engine.Message, _ []byte, _ int) []byte {
	dst = append(dst, "x-amz-sns-message-type: "...)
	dst = append(dst, sign.TypeName(m.Type())...)
	dst = append(dst, "\r\nx-amz-sns-message-id: "...)
	dst = m.ID().AppendUUID(dst)
	switch {
	case m.Type() == engine.SubscriptionConfirmation:
		return append(dst, e.confirmationHeader...)
	case m.Type() == engine.UnsubscribeConfirmation:
		return append(dst, e.unsubscriptionHeader...)
	case e.raw:
		return append(dst, e.rawNotificationHeader...)
	default:
		return append(dst, e.notificationHeader...)
	}
}

// Body renders the document, or the text alone in raw delivery. A text by protocol is unescaped into the scratch
// memory first; the document then comes behind it.
func (e *encoder) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	if m.Type() != engine.Notification {
		grown = e.appendConfirmation(scratch, m)
		return grown[len(scratch):], grown
	}
	start := len(scratch)
	text := m.Body()
	if structure := m.Get(engine.FieldStructure); structure != nil {
		if literal, ok := jsontext.ByProtocol(structure, e.protocol); ok {
			scratch = jsontext.AppendUnescaped(scratch, literal)
			text = scratch[start:]
			start = len(scratch)
		}
	}
	if e.raw {
		return text, scratch
	}
	grown = e.appendNotification(scratch, m, text)
	return grown[start:], grown
}

func (e *encoder) appendNotification(dst []byte, m *engine.Message, text []byte) []byte {
	dst = append(dst, "{\n  \"Type\" : \"Notification\",\n  \"MessageId\" : \""...)
	dst = m.ID().AppendUUID(dst)
	dst = append(dst, '"')
	if e.fifo {
		dst = appendSequence(dst, m)
	}
	dst = append(dst, e.topicMember...)
	if subject := m.Get(engine.FieldSubject); len(subject) > 0 { // no reader agrees with another on an empty one
		dst = appendMember(dst, "Subject", subject)
	}
	dst = appendMember(dst, "Message", text)
	dst = appendTimestamp(dst, m)
	if v := e.version(m); v != 0 {
		content := sign.Content{Message: m, TopicARN: e.topicARN, Text: text}
		dst = e.signer.AppendMembers(dst, v, &content, e.base)
	}
	dst = append(dst, e.unsubscribeMember...)
	dst = appendAttributes(dst, m)
	return append(dst, "\n}"...)
}

func (e *encoder) appendConfirmation(dst []byte, m *engine.Message) []byte {
	dst = append(dst, "{\n  \"Type\" : \""...)
	dst = append(dst, sign.TypeName(m.Type())...)
	dst = append(dst, "\",\n  \"MessageId\" : \""...)
	dst = m.ID().AppendUUID(dst)
	dst = append(dst, '"')
	dst = appendMember(dst, "Token", m.Get(engine.FieldToken))
	dst = append(dst, e.topicMember...)
	dst = appendMember(dst, "Message", m.Body())
	dst = append(dst, ",\n  \"SubscribeURL\" : \""...)
	dst = jsontext.AppendEscapedUpper(dst, e.subscribeURL)
	dst = jsontext.AppendEscapedUpper(dst, m.Get(engine.FieldToken))
	dst = append(dst, '"')
	dst = appendTimestamp(dst, m)
	if v := e.version(m); v != 0 {
		url := append(e.subscribeURL[:len(e.subscribeURL):len(e.subscribeURL)], m.Get(engine.FieldToken)...)
		content := sign.Content{Message: m, TopicARN: e.topicARN, Text: m.Body(), SubscribeURL: url}
		dst = e.signer.AppendMembers(dst, v, &content, e.base)
	}
	return append(dst, "\n}"...)
}

// sequenceBase makes a position in a topic a SequenceNumber of 20 digits, the same that the publisher was answered.
const sequenceBase = 10_000_000_000_000_000_000

// appendSequence appends the member SequenceNumber.
func appendSequence(dst []byte, m *engine.Message) []byte {
	dst = append(dst, ",\n  \"SequenceNumber\" : \""...)
	return append(strconv.AppendUint(dst, sequenceBase+uint64(m.Sequence()), 10), '"')
}

func appendTimestamp(dst []byte, m *engine.Message) []byte {
	dst = append(dst, ",\n  \"Timestamp\" : \""...)
	return append(sign.AppendTimestamp(dst, m), '"')
}

// appendAttributes appends the member MessageAttributes, if the message has any.
func appendAttributes(dst []byte, m *engine.Message) []byte {
	it := m.Attributes()
	if !it.Next() {
		return dst
	}
	dst = append(dst, ",\n  \"MessageAttributes\" : {"...)
	for comma := ""; ; comma = "," {
		dst = append(dst, comma...)
		dst = append(dst, "\n    \""...)
		dst = jsontext.AppendEscapedUpper(dst, it.Name)
		dst = append(dst, "\" : {\"Type\":\""...)
		dst = jsontext.AppendEscapedUpper(dst, it.Type)
		dst = append(dst, "\",\"Value\":\""...)
		if it.Binary {
			dst = base64.StdEncoding.AppendEncode(dst, it.Value)
		} else {
			dst = jsontext.AppendEscapedUpper(dst, it.Value)
		}
		dst = append(dst, "\"}"...)
		if !it.Next() {
			break
		}
	}
	return append(dst, "\n  }"...)
}

// appendMember appends `,\n  "Name" : "value"`.
func appendMember(dst []byte, name string, value []byte) []byte {
	dst = append(dst, ",\n  \""...)
	dst = append(dst, name...)
	dst = append(dst, "\" : \""...)
	dst = jsontext.AppendEscapedUpper(dst, value)
	return append(dst, '"')
}

// Bare reports raw delivery.
func (e *encoder) Bare() bool { return e.raw }
