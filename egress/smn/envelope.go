package smn

import (
	"time"

	"fanfare/engine"
	"fanfare/engine/jsontext"
)

// encoder renders the pushes of one subscription. Everything in it is immutable. The pieces of JSON are ready to
// be copied: escaped, with the names around them.
//
// The members of an object, in their order:
//
//	notification:    [signature] [subject] topic_urn message_id [signature_version] type message unsubscribe_url [signing_cert_url] timestamp
//	confirmation:    subscribe_url [signature] topic_urn message_id [signature_version] type message [signing_cert_url] timestamp
//	unsubscription:  [signature] topic_urn message_id [signature_version] type message subscribe_url [signing_cert_url] timestamp
type encoder struct {
	protocol string // whose text of a message by protocol is delivered
	signer   Signer // nil: unsigned
	topicURN string

	topicMember       []byte // "topic_urn":"...","message_id":"
	unsubscribeMember []byte // "unsubscribe_url":"...",
	certMember        []byte // "signing_cert_url":"...", or nothing
	subscribeHead     []byte // subscribe_url up to the token
	subscribeTail     []byte // and behind it
	confirmationText  []byte
	unsubscribedText  []byte

	notificationHeader []byte // behind the message's id
	confirmationHeader []byte // likewise
	unsubscribedHeader []byte // likewise
}

func newEncoder(opts Options, topicURN, subscriptionURN, base, protocol string, headers []byte) *encoder {
	region := "region=" + opts.Region + "&region_id=" + opts.Region
	e := &encoder{
		protocol:      protocol,
		signer:        opts.Signer,
		topicURN:      topicURN,
		subscribeHead: []byte(base + "/smn/subscription/confirm?token="),
		subscribeTail: []byte("&topic_urn=" + topicURN + "&" + region),
		confirmationText: []byte("You are invited to subscribe to topic: " + topicURN +
			". To confirm this subscription, please visit the subscribe_url included in this message. " +
			"The subscribe_url is valid only within 48 hours."),
		unsubscribedText: []byte("You are unsubscribed from topic: " + topicURN +
			". To subscribe to this topic again, please visit the subscribe_url included in this message. " +
			"The subscribe_url is valid only within 48 hours."),
	}
	e.topicMember = append(appendMember(nil, "topic_urn", []byte(topicURN)), `"message_id":"`...)
	e.unsubscribeMember = appendMember(nil, "unsubscribe_url",
		[]byte(base+"/smn/subscription/unsubscribe?"+region+"&subscription_urn="+subscriptionURN))
	if e.signer != nil {
		e.certMember = appendMember(nil, "signing_cert_url", []byte(e.signer.CertURL()))
	}
	topic := "\r\nX-SMN-TOPIC-URN: " + topicURN + "\r\n"
	subscription := "X-SMN-SUBSCRIPTION-URN: " + subscriptionURN + "\r\n"
	e.notificationHeader = append([]byte(topic+subscription+commonHeader), headers...)
	e.confirmationHeader = []byte(topic + commonHeader)
	e.unsubscribedHeader = []byte(topic + subscription + commonHeader)
	return e
}

const commonHeader = "Content-Type: application/json;charset=UTF-8\r\n"

// AppendHeader appends the header lines of a push.
func (e *encoder) AppendHeader(dst []byte, m *engine.Message, _ []byte, _ int) []byte {
	dst = append(dst, "X-SMN-MESSAGE-TYPE: "...)
	dst = append(dst, m.Type().String()...)
	dst = append(dst, "\r\nX-SMN-MESSAGE-ID: "...)
	dst = m.ID().AppendHexLower(dst)
	switch m.Type() {
	case engine.SubscriptionConfirmation:
		return append(dst, e.confirmationHeader...)
	case engine.UnsubscribeConfirmation:
		return append(dst, e.unsubscribedHeader...)
	default:
		return append(dst, e.notificationHeader...)
	}
}

// Body renders the object. A text by protocol, or the subscribe_url, comes into the scratch memory before it.
func (e *encoder) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	var start int
	switch m.Type() {
	case engine.SubscriptionConfirmation:
		grown, start = e.appendConfirmation(scratch, m)
	case engine.UnsubscribeConfirmation:
		grown, start = e.appendUnsubscribed(scratch, m)
	default:
		grown, start = e.appendNotification(scratch, m)
	}
	return grown[start:], grown
}

func (e *encoder) appendNotification(dst []byte, m *engine.Message) (grown []byte, start int) {
	text := m.Body()
	if structure := m.Get(engine.FieldStructure); structure != nil {
		if literal, ok := jsontext.ByProtocol(structure, e.protocol); ok {
			start = len(dst)
			dst = jsontext.AppendUnescaped(dst, literal)
			text = dst[start:]
		}
	}
	start = len(dst)
	dst = append(dst, '{')
	dst = e.appendSignature(dst, m, text, nil)
	if subject := m.Get(engine.FieldSubject); len(subject) > 0 {
		dst = appendMember(dst, "subject", subject)
	}
	dst = e.appendIdentity(dst, m)
	dst = appendMember(dst, "message", text)
	dst = append(dst, e.unsubscribeMember...)
	return e.appendEnd(dst, m), start
}

func (e *encoder) appendConfirmation(dst []byte, m *engine.Message) (grown []byte, start int) {
	at := len(dst)
	dst = e.appendSubscribeURL(dst, m)
	start = len(dst)
	link := dst[at:start:start]
	dst = append(dst, '{')
	dst = appendMember(dst, "subscribe_url", link)
	dst = e.appendSignature(dst, m, e.confirmationText, link)
	dst = e.appendIdentity(dst, m)
	dst = appendMember(dst, "message", e.confirmationText)
	return e.appendEnd(dst, m), start
}

func (e *encoder) appendUnsubscribed(dst []byte, m *engine.Message) (grown []byte, start int) {
	at := len(dst)
	dst = e.appendSubscribeURL(dst, m)
	start = len(dst)
	link := dst[at:start:start]
	dst = append(dst, '{')
	dst = e.appendSignature(dst, m, e.unsubscribedText, link)
	dst = e.appendIdentity(dst, m)
	dst = appendMember(dst, "message", e.unsubscribedText)
	dst = appendMember(dst, "subscribe_url", link)
	return e.appendEnd(dst, m), start
}

func (e *encoder) appendSubscribeURL(dst []byte, m *engine.Message) []byte {
	dst = append(dst, e.subscribeHead...)
	dst = append(dst, m.Get(engine.FieldToken)...)
	return append(dst, e.subscribeTail...)
}

func (e *encoder) appendSignature(dst []byte, m *engine.Message, text, subscribeURL []byte) []byte {
	if e.signer == nil {
		return dst
	}
	dst = append(dst, `"signature":"`...)
	dst = e.signer.AppendSignature(dst, m, e.topicURN, text, subscribeURL)
	return append(dst, `",`...)
}

// appendIdentity appends topic, id and type.
func (e *encoder) appendIdentity(dst []byte, m *engine.Message) []byte {
	dst = append(dst, e.topicMember...)
	dst = m.ID().AppendHexLower(dst)
	if e.signer != nil {
		dst = append(dst, `","signature_version":"v1`...)
	}
	dst = append(dst, `","type":"`...)
	dst = append(dst, m.Type().String()...)
	return append(dst, `",`...)
}

// appendEnd appends what every object ends with. The timestamp is that of the publish, on every attempt.
func (e *encoder) appendEnd(dst []byte, m *engine.Message) []byte {
	dst = append(dst, e.certMember...)
	dst = append(dst, `"timestamp":"`...)
	dst = time.UnixMilli(m.PublishedAt()).UTC().AppendFormat(dst, "2006-01-02T15:04:05Z")
	return append(dst, `"}`...)
}

// appendMember appends `"name":"value",`.
func appendMember(dst []byte, name string, value []byte) []byte {
	dst = append(dst, '"')
	dst = append(dst, name...)
	dst = append(dst, `":"`...)
	dst = jsontext.AppendEscaped(dst, value)
	return append(dst, `",`...)
}
