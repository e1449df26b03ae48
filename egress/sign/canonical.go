package sign

import (
	"time"
	"unicode/utf8"

	"fanfare/engine"
)

// Content is what a signature covers.
type Content struct {
	Message      *engine.Message // id, type, time, subject and token
	TopicARN     string
	Text         []byte // what the document has as its Message, unescaped
	SubscribeURL []byte // of the messages of the subscription protocol; nil in a notification
}

// The names of the types of messages.
const (
	TypeNotification   = "Notification"
	TypeConfirmation   = "SubscriptionConfirmation"
	TypeUnsubscription = "UnsubscribeConfirmation"
)

// TypeName is a document's Type.
func TypeName(t engine.MessageType) string {
	switch t {
	case engine.SubscriptionConfirmation:
		return TypeConfirmation
	case engine.UnsubscribeConfirmation:
		return TypeUnsubscription
	default:
		return TypeNotification
	}
}

// AppendTimestamp appends a document's Timestamp: when the message was published, in UTC with milliseconds.
func AppendTimestamp(dst []byte, m *engine.Message) []byte {
	return time.UnixMilli(m.PublishedAt()).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// AppendCanonical appends the text that is signed: a line with the name and a line with the value of each member that
// counts, in the order of their names. Values are what a reader of the document gets: bytes that are not UTF-8 are
// U+FFFD there, one by one. A subject that is empty is none.
func (c *Content) AppendCanonical(dst []byte) []byte {
	m := c.Message
	notification := m.Type() == engine.Notification
	dst = appendText(append(dst, "Message\n"...), c.Text)
	dst = m.ID().AppendUUID(append(dst, "\nMessageId\n"...))
	if notification {
		if subject := m.Get(engine.FieldSubject); len(subject) > 0 {
			dst = appendText(append(dst, "\nSubject\n"...), subject)
		}
	} else {
		dst = appendText(append(dst, "\nSubscribeURL\n"...), c.SubscribeURL)
	}
	dst = AppendTimestamp(append(dst, "\nTimestamp\n"...), m)
	if !notification {
		dst = appendText(append(dst, "\nToken\n"...), m.Get(engine.FieldToken))
	}
	dst = append(append(dst, "\nTopicArn\n"...), c.TopicARN...)
	dst = append(append(dst, "\nType\n"...), TypeName(m.Type())...)
	return append(dst, '\n')
}

// appendText appends a text as a reader of the document gets it.
func appendText(dst, text []byte) []byte {
	if utf8.Valid(text) {
		return append(dst, text...)
	}
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		dst = utf8.AppendRune(dst, r)
		text = text[n:]
	}
	return dst
}
