package smq

import (
	"encoding/base64"
	"strconv"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aliyun"

	"github.com/valyala/fasthttp"
)

// Source: "PublishMessage" of the SMQ HTTP reference, read 2026-11; UserProperties and SystemProperties as the
// Go and Java SDKs write them; the children of MessageAttributes as seen from the SDKs, for no page lists them.

// Limits of a message.
const (
	bodyBytesMax = 65536
	tagBytesMax  = 255 // the reference says 16 characters, an official sample has more

	// notificationsMax bounds the settings for mail, SMS and the like, of which there are six kinds.
	notificationsMax = 64
)

// Types of the attributes that a message keeps beside its user properties, so that they can be told from those.
const (
	typeSystem       = "String.System"       // a system property
	typeNotification = "String.Notification" // a child of MessageAttributes: settings for mail, SMS and the like
)

// publish is PublishMessage.
func (f *Face) publish(x *aliyun.Exchange, segment []byte) *fault {
	body := x.Body()
	if !aliyun.DigestMatches(x.Header(aliyun.HeaderContentMD5), body) {
		return faultInvalidDigest
	}
	m := engine.NewMessage()
	defer m.Release()
	if fault := f.parse(x, m, body); fault != nil {
		return fault
	}
	topic, fault := f.topic(segment)
	if fault != nil {
		return fault
	}
	if fault := fits(topic, len(m.Body())); fault != nil {
		return fault
	}
	sum := m.SumBody()
	if err := f.engine.Publish(topic, m); err != nil {
		return faultOf(err)
	}
	scratch := ingress.GetScratch()
	defer scratch.Put()
	scratch.B = appendPublished(scratch.B, m.ID(), sum)
	x.Reply(fasthttp.StatusCreated, scratch.B)
	return nil
}

// fits checks a body against the topic's own limit.
func fits(topic *engine.Topic, size int) *fault {
	if limit := maximumMessageSize(topic); size > limit {
		return aliyun.Range("MessageBody", "1 and "+strconv.Itoa(limit)+" bytes")
	}
	return nil
}

// parse reads a Message document into a message.
func (f *Face) parse(x *aliyun.Exchange, m *engine.Message, body []byte) *fault {
	m.SetOrigin(engine.OriginSMQ)
	var d aliyun.Document
	namespace, err := d.Open(f.dialect, body, "Message")
	if err != nil {
		return faultOfXML(err, faultMessage)
	}
	if fault := f.namespace(x, namespace); fault != nil {
		return fault
	}
	notifications := 0
	for {
		name, err := d.Next()
		if err != nil {
			return faultMalformedXML
		}
		if name == nil {
			break
		}
		if string(name) == "MessageAttributes" {
			if fault := parseNotification(m, &d, &notifications); fault != nil {
				return fault
			}
		} else if fault := parseChild(m, &d, name); fault != nil {
			return fault
		}
	}
	if err := d.Close(); err != nil {
		return faultMalformedXML
	}
	if !m.Has(engine.FieldBody) {
		return faultMessageBody
	}
	return nil
}

// parseChild reads one child of Message that is not MessageAttributes.
func parseChild(m *engine.Message, d *aliyun.Document, name []byte) *fault {
	switch string(name) {
	case "MessageBody":
		if fault := parseField(m, d, engine.FieldBody, faultMessageBody); fault != nil {
			return fault
		}
		if n := len(m.Body()); n == 0 || n > bodyBytesMax {
			return faultBodySize
		}
	case "MessageTag":
		if fault := parseField(m, d, engine.FieldTag, faultMessageTag); fault != nil {
			return fault
		}
		if len(m.Tag()) > tagBytesMax {
			return faultTagSize
		}
	case "MessageGroupId":
		return parseField(m, d, engine.FieldGroup, faultGroup)
	case "UserProperties":
		return parseProperties(m, d, false)
	case "SystemProperties":
		return parseProperties(m, d, true)
	default:
		if d.Skip() != nil {
			return faultMalformedXML
		}
	}
	return nil
}

// parseField reads the text of a child into a field.
func parseField(m *engine.Message, d *aliyun.Document, field engine.Field, schema *fault) *fault {
	if err := d.ReadField(m, field); err != nil {
		return faultOfXML(err, schema)
	}
	return nil
}

// parseNotification keeps the children of MessageAttributes and counts them.
func parseNotification(m *engine.Message, d *aliyun.Document, count *int) *fault {
	for {
		name, err := d.Next()
		if err != nil {
			return faultMalformedXML
		}
		if name == nil {
			return nil
		}
		if *count++; *count > notificationsMax {
			return faultNotifications
		}
		m.Set(engine.FieldAttributeName, name)
		m.Set(engine.FieldAttributeType, []byte(typeNotification))
		value, err := d.AppendOwnText(m.Begin(engine.FieldAttributeString))
		if err != nil {
			return faultMalformedXML
		}
		m.End(value)
	}
}

// parseProperties keeps the properties, each a PropertyValue or SystemPropertyValue, as attributes.
func parseProperties(m *engine.Message, d *aliyun.Document, system bool) *fault {
	scratch := ingress.GetScratch()
	defer scratch.Put()
	for {
		child, err := d.Next()
		if err != nil {
			return faultMalformedXML
		}
		if child == nil {
			return nil
		}
		p := property{text: scratch.B[:0]}
		fault := p.parse(d)
		scratch.B = p.text
		if fault == nil {
			fault = p.addTo(m, system)
		}
		if fault != nil {
			return fault
		}
	}
}

// property is one property: its parts are unescaped behind each other in text.
type property struct {
	text                   []byte
	name, value, valueType span
}

type span struct{ start, end int }

func (p *property) part(s span) []byte { return p.text[s.start:s.end] }

func (p *property) parse(d *aliyun.Document) *fault {
	for {
		name, err := d.Next()
		if err != nil {
			return faultMalformedXML
		}
		var part *span
		switch string(name) {
		case "":
			return nil
		case "Name":
			part = &p.name
		case "Value":
			part = &p.value
		case "Type":
			part = &p.valueType
		default:
			if d.Skip() != nil {
				return faultMalformedXML
			}
			continue
		}
		part.start = len(p.text)
		if p.text, err = d.AppendText(p.text); err != nil {
			return faultOfXML(err, faultProperties)
		}
		part.end = len(p.text)
	}
}

// addTo adds the property as an attribute. Its type becomes the word that the other faces use for it.
func (p *property) addTo(m *engine.Message, system bool) *fault {
	name, value := p.part(p.name), p.part(p.value)
	if len(name) == 0 {
		return faultProperties
	}
	dataType := "String"
	switch string(p.part(p.valueType)) {
	case "STRING", "":
	case "NUMBER":
		dataType = "Number"
	case "BOOLEAN":
		dataType = "String.Boolean"
	case "BINARY":
		m.Set(engine.FieldAttributeName, name)
		m.Set(engine.FieldAttributeType, []byte("Binary"))
		decoded, err := base64.StdEncoding.AppendDecode(m.Begin(engine.FieldAttributeBinary), value)
		if err != nil {
			return faultProperties
		}
		m.End(decoded)
		return nil
	default:
		return faultProperties
	}
	if system {
		dataType = typeSystem
	}
	m.AddAttribute(name, []byte(dataType), value, false)
	return nil
}

// appendPublished appends the reply to a publish.
func appendPublished(dst []byte, id engine.MessageID, sum [16]byte) []byte {
	dst = append(dst, aliyun.XMLHead+`<Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageId>`...)
	dst = id.AppendHexUpper(dst)
	dst = append(dst, `</MessageId><MessageBodyMD5>`...)
	dst = engine.MessageID(sum).AppendHexUpper(dst)
	return append(dst, `</MessageBodyMD5></Message>`...)
}
