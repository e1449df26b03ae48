package rocketmq

import (
	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aliyun"

	"github.com/valyala/fasthttp"
)

// Source: "Send messages" of the RocketMQ HTTP reference, read 2026-11, and the requests of its SDKs.

// Limits of a message.
const (
	bodyBytesMax      = 4 << 20
	bodyBytesMaxSmall = 64 << 10 // of scheduled and transactional messages
	tagBytesMax       = 255
)

// send is the sending of a message of any type; the properties say which.
func (f *Face) send(x *aliyun.Exchange, segment []byte) *fault {
	body := x.Body()
	if !aliyun.DigestMatches(x.Header(aliyun.HeaderContentMD5), body) {
		return faultInvalidDigest
	}
	m := engine.NewMessage()
	defer m.Release()
	var special properties
	if fault := f.parse(m, body, &special); fault != nil {
		return fault
	}
	topic, fault := f.topic(segment)
	if fault != nil {
		return fault
	}
	sum := m.SumBody()
	scratch := ingress.GetScratch()
	defer scratch.Put()
	b := append(scratch.B, aliyun.XMLHead+`<Message xmlns="http://mq.aliyuncs.com/doc/v1/"><MessageId>`...)
	b = m.ID().AppendHexUpper(b)
	b = append(b, `</MessageId><MessageBodyMD5>`...)
	b = engine.MessageID(sum).AppendHexUpper(b)
	b = append(b, `</MessageBodyMD5>`...)
	if special.check {
		handle, err := f.engine.Hold(topic, m)
		if err != nil {
			return faultOf(err)
		}
		b = append(b, `<ReceiptHandle>`...)
		b = appendHandle(b, handle)
		b = append(b, `</ReceiptHandle>`...)
	} else if err := f.engine.Publish(topic, m); err != nil {
		return faultOf(err)
	}
	b = append(b, `</Message>`...)
	scratch.B = b
	x.Reply(fasthttp.StatusCreated, b)
	return nil
}

// parse reads a Message document into a message.
func (f *Face) parse(m *engine.Message, body []byte, special *properties) *fault {
	m.SetOrigin(engine.OriginRocketMQ)
	var d aliyun.Document
	space, err := d.Open(f.dialect, body, "Message")
	if err != nil {
		return faultOfXML(err, faultMessage)
	}
	if fault := namespace(space); fault != nil {
		return fault
	}
	for {
		name, err := d.Next()
		if err != nil {
			return faultOfXML(err, faultMessage)
		}
		if name == nil {
			break
		}
		if fault := parseChild(m, &d, name, special); fault != nil {
			return fault
		}
	}
	if err := d.Close(); err != nil {
		return faultOfXML(err, faultMessage)
	}
	switch {
	case !m.Has(engine.FieldBody):
		return faultMessageBody
	case special.check && special.start:
		return faultProperties // a transaction ends when it is settled, not at a time
	case (special.check || special.start) && len(m.Body()) > bodyBytesMaxSmall:
		return faultBodySizeSmall
	}
	return nil
}

// parseChild reads one child of Message.
func parseChild(m *engine.Message, d *aliyun.Document, name []byte, special *properties) *fault {
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
	case "Properties":
		return special.parse(m, d)
	default:
		if err := d.Skip(); err != nil {
			return faultOfXML(err, faultMessage)
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
