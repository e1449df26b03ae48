package sns

import (
	"encoding/base64"
	"strings"
	"time"

	"fanfare/engine"
	"fanfare/engine/jsontext"
)

// encoder renders the pushes of one subscription. Everything in it is immutable. The texts are ready to be copied:
// escaped, with the names and the indentation around them.
//
// The members of a document, in their order:
//
//	notification: Type MessageId TopicArn [Subject] Message Timestamp [signature] UnsubscribeURL [MessageAttributes]
//	the others:   Type MessageId Token TopicArn Message SubscribeURL Timestamp [signature]
type encoder struct {
	raw      bool
	protocol string // whose text of a message by protocol is delivered
	signer   Signer // nil: unsigned
	topicARN string

	topicMember       []byte // TopicArn
	unsubscribeMember []byte // UnsubscribeURL
	subscribeURL      []byte // up to the token, unescaped

	notificationHeader    []byte // behind the message's id
	confirmationHeader    []byte // likewise
	unsubscriptionHeader  []byte // likewise
	rawNotificationHeader []byte // likewise
}

func newEncoder(topicARN, subscriptionARN, base, protocol, contentType string, raw bool, signer Signer) *encoder {
	e := &encoder{raw: raw, protocol: protocol, signer: signer, topicARN: topicARN}
	e.topicMember = appendMember(nil, "TopicArn", []byte(topicARN))
	e.unsubscribeMember = appendMember(nil, "UnsubscribeURL", []byte(base+"/?Action=Unsubscribe&SubscriptionArn="+subscriptionARN))
	e.subscribeURL = []byte(base + "/?Action=ConfirmSubscription&TopicArn=" + topicARN + "&Token=")

	notificationType := defaultContentType
	if contentType != "" && !strings.ContainsAny(contentType, "\r\n\x00") {
		notificationType = contentType
	}
	plain, asked := "Content-Type: "+defaultContentType+"\r\n"+commonHeader, "Content-Type: "+notificationType+"\r\n"+commonHeader
	topic := "\r\nx-amz-sns-topic-arn: " + topicARN + "\r\n"
	subscription := "x-amz-sns-subscription-arn: " + subscriptionARN + "\r\n"
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

const (
	typeNotification   = "Notification"
	typeConfirmation   = "SubscriptionConfirmation"
	typeUnsubscription = "UnsubscribeConfirmation"
)

func typeName(t engine.MessageType) string {
	switch t {
	case engine.SubscriptionConfirmation:
		return typeConfirmation
	case engine.UnsubscribeConfirmation:
		return typeUnsubscription
	default:
		return typeNotification
	}
}

// AppendHeader appends the header lines of a push.
func (e *encoder) AppendHeader(dst []byte, m *engine.Message, _ []byte, _ int) []byte {
	dst = append(dst, "x-amz-sns-message-type: "...)
	dst = append(dst, typeName(m.Type())...)
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
	dst = append(dst, e.topicMember...)
	if m.Has(engine.FieldSubject) {
		dst = appendMember(dst, "Subject", m.Get(engine.FieldSubject))
	}
	dst = appendMember(dst, "Message", text)
	dst = appendTimestamp(dst, m)
	if e.signer != nil {
		dst = e.signer.AppendFields(dst, m, e.topicARN, text, nil)
	}
	dst = append(dst, e.unsubscribeMember...)
	dst = appendAttributes(dst, m)
	return append(dst, "\n}"...)
}

func (e *encoder) appendConfirmation(dst []byte, m *engine.Message) []byte {
	dst = append(dst, "{\n  \"Type\" : \""...)
	dst = append(dst, typeName(m.Type())...)
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
	if e.signer != nil {
		url := append(e.subscribeURL[:len(e.subscribeURL):len(e.subscribeURL)], m.Get(engine.FieldToken)...)
		dst = e.signer.AppendFields(dst, m, e.topicARN, m.Body(), url)
	}
	return append(dst, "\n}"...)
}

func appendTimestamp(dst []byte, m *engine.Message) []byte {
	dst = append(dst, ",\n  \"Timestamp\" : \""...)
	dst = time.UnixMilli(m.PublishedAt()).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	return append(dst, '"')
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
