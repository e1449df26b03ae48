package smq

import (
	"strconv"

	"fanfare/engine"
	"fanfare/engine/jsontext"
)

// simplified is the encoder of the envelope "simplified".
type simplified struct{ base }

func newSimplified(b base) *simplified {
	b.contentType = "text/plain;charset=utf-8"
	return &simplified{b}
}

// Body is the published text.
func (*simplified) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	return m.Body(), scratch
}

// Bare is true.
func (*simplified) Bare() bool { return true }

// xmlEnvelope is the encoder of the envelope "xml".
type xmlEnvelope struct {
	base
	head []byte // up to the id
}

func newXML(b base, account, topic, subscription string) *xmlEnvelope {
	b.contentType = "text/xml;charset=utf-8"
	head := []byte(`<?xml version="1.0" encoding="utf-8"?><Notification xmlns="http://mns.aliyuncs.com/doc/v1/">`)
	for _, e := range [][2]string{{"TopicOwner", account}, {"TopicName", topic}, {"Subscriber", account}, {"SubscriptionName", subscription}} {
		head = append(head, "<"+e[0]+">"...)
		head = appendXMLEscaped(head, []byte(e[1]))
		head = append(head, "</"+e[0]+">"...)
	}
	return &xmlEnvelope{b, append(head, "<MessageId>"...)}
}

// Body renders a Notification document.
func (e *xmlEnvelope) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	start := len(scratch)
	dst := append(scratch, e.head...)
	dst = m.ID().AppendHexUpper(dst)
	dst = append(dst, "</MessageId><Message>"...)
	dst = appendXMLEscaped(dst, m.Body())
	dst = append(dst, "</Message><MessageMD5>"...)
	dst = engine.MessageID(m.BodyMD5()).AppendHexUpper(dst)
	dst = append(dst, "</MessageMD5>"...)
	if tag := m.Tag(); len(tag) > 0 {
		dst = append(dst, "<MessageTag>"...)
		dst = appendXMLEscaped(dst, tag)
		dst = append(dst, "</MessageTag>"...)
	}
	dst = append(dst, "<PublishTime>"...)
	dst = strconv.AppendInt(dst, m.PublishedAt(), 10)
	dst = append(dst, "</PublishTime></Notification>"...)
	return dst[start:], dst
}

// jsonEnvelope is the encoder of the envelope "json".
type jsonEnvelope struct {
	base
	head []byte // up to the id
}

func newJSON(b base, account, topic, subscription string) *jsonEnvelope {
	b.contentType = "application/json;charset=utf-8"
	head := []byte("{")
	for _, e := range [][2]string{{"TopicOwner", account}, {"TopicName", topic}, {"Subscriber", account}, {"SubscriptionName", subscription}} {
		head = append(head, `"`+e[0]+`":"`...)
		head = jsontext.AppendEscaped(head, []byte(e[1]))
		head = append(head, `",`...)
	}
	return &jsonEnvelope{b, append(head, `"MessageId":"`...)}
}

// Body renders an object with the members of the Notification document, all of them strings.
func (e *jsonEnvelope) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	start := len(scratch)
	dst := append(scratch, e.head...)
	dst = m.ID().AppendHexUpper(dst)
	dst = append(dst, `","Message":"`...)
	dst = jsontext.AppendEscaped(dst, m.Body())
	dst = append(dst, `","MessageMD5":"`...)
	dst = engine.MessageID(m.BodyMD5()).AppendHexUpper(dst)
	if tag := m.Tag(); len(tag) > 0 {
		dst = append(dst, `","MessageTag":"`...)
		dst = jsontext.AppendEscaped(dst, tag)
	}
	dst = append(dst, `","PublishTime":"`...)
	dst = strconv.AppendInt(dst, m.PublishedAt(), 10)
	dst = append(dst, `"}`...)
	return dst[start:], dst
}
