package gateway

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"time"

	"fanfare/engine"
	"fanfare/engine/jsontext"
)

// encoder renders the pushes of one subscription. Everything in it is immutable; the members are ready to be copied.
type encoder struct {
	protocol    string
	direct      bool   // messages bring their destination as their keys
	destination []byte // unless they do
	document    func(key []byte) []byte

	protocolMember []byte // Protocol
	arns           []byte // the members TopicArn and SubscriptionArn
	subscribeURL   []byte // up to the token
	unsubscribe    []byte // the member UnsubscribeURL, nil for none
}

const fixedHeader = "Content-Type: application/json\r\nUser-Agent: fanfare\r\nFanfare-Message-Id: "

// AppendHeader appends the header lines of a push.
func (e *encoder) AppendHeader(dst []byte, m *engine.Message, _ []byte, attempt int) []byte {
	dst = append(dst, fixedHeader...)
	dst = m.ID().AppendUUID(dst)
	dst = append(dst, "\r\nFanfare-Attempt: "...)
	dst = strconv.AppendInt(dst, int64(attempt), 10)
	return append(dst, "\r\n"...)
}

// Body renders the object.
func (e *encoder) Body(scratch []byte, m *engine.Message) (body, grown []byte) {
	destination := e.destination
	if e.direct {
		destination = m.Get(engine.FieldKeys)
	}
	textKey := e.protocol
	var device device
	if e.protocol == protocolApplication {
		device.parse(destination)
		textKey = device.textKey()
	}

	// A text by protocol is unescaped into the scratch memory first; the object comes behind it.
	text := m.Body()
	start := len(scratch)
	if structure := m.Get(engine.FieldStructure); structure != nil {
		if literal, ok := jsontext.ByProtocol(structure, textKey); ok {
			scratch = jsontext.AppendUnescaped(scratch, literal)
			text = scratch[start:]
		}
	}
	start = len(scratch)
	dst := append(scratch, `{"Type":"`...)
	dst = append(dst, m.Type().String()...)
	dst = append(dst, '"')
	dst = append(dst, e.protocolMember...)
	if len(destination) > 0 {
		dst = appendMember(dst, "Destination", destination)
	}
	dst = e.appendDevice(dst, &device)
	dst = append(dst, `,"MessageId":"`...)
	dst = m.ID().AppendUUID(dst)
	dst = append(dst, '"')
	dst = append(dst, e.arns...)
	if m.Type() != engine.Notification {
		dst = e.appendToken(dst, m.Get(engine.FieldToken))
	}
	if m.Has(engine.FieldSubject) {
		dst = appendMember(dst, "Subject", m.Get(engine.FieldSubject))
	}
	dst = appendMember(dst, "Message", text)
	dst = append(dst, `,"Timestamp":"`...)
	dst = time.UnixMilli(m.PublishedAt()).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, '"')
	if m.Type() == engine.Notification {
		dst = append(dst, e.unsubscribe...)
		dst = appendAttributes(dst, m)
	}
	dst = append(dst, '}')
	return dst[start:], dst
}

func (e *encoder) appendToken(dst, token []byte) []byte {
	dst = appendMember(dst, "Token", token)
	dst = append(dst, `,"SubscribeURL":"`...)
	dst = jsontext.AppendEscaped(dst, e.subscribeURL)
	dst = jsontext.AppendEscaped(dst, token)
	return append(dst, '"')
}

// device is a platform endpoint as its ARN names it: views of it.
type device struct{ resource, platform, application []byte }

// parse reads arn:PARTITION:sns:REGION:ACCOUNT:endpoint/PLATFORM/APPLICATION/ID. What is no such ARN leaves it empty.
func (d *device) parse(arn []byte) {
	rest := arn
	for range 5 {
		i := bytes.IndexByte(rest, ':')
		if i < 0 {
			return
		}
		rest = rest[i+1:]
	}
	kind, path, _ := bytes.Cut(rest, slash)
	platform, path, _ := bytes.Cut(path, slash)
	application, _, ok := bytes.Cut(path, slash)
	if ok && string(kind) == "endpoint" {
		*d = device{rest, platform, application}
	}
}

var slash = []byte("/")

// textKey is the key of the platform's text in a message by protocol.
func (d *device) textKey() string {
	switch string(d.platform) {
	case "FCM", "GCM":
		return "GCM"
	case "Baidu", "BAIDU":
		return "BAIDU"
	case "ADM":
		return "ADM"
	case "APNS":
		return "APNS"
	case "APNS_SANDBOX":
		return "APNS_SANDBOX"
	case "APNS_VOIP":
		return "APNS_VOIP"
	case "APNS_VOIP_SANDBOX":
		return "APNS_VOIP_SANDBOX"
	case "MACOS":
		return "MACOS"
	case "MACOS_SANDBOX":
		return "MACOS_SANDBOX"
	case "MPNS":
		return "MPNS"
	case "WNS":
		return "WNS"
	}
	return "default"
}

// appendDevice appends the members Platform, Application and Endpoint.
func (e *encoder) appendDevice(dst []byte, d *device) []byte {
	if d.resource == nil {
		return dst
	}
	dst = appendMember(dst, "Platform", d.platform)
	dst = appendMember(dst, "Application", d.application)
	end := len(dst)
	key := append(append(dst, "sns."...), d.resource...)
	document := e.document(key[end:])
	if dst = key[:end]; document == nil {
		return dst
	}
	dst = append(dst, `,"Endpoint":`...)
	return append(dst, document...)
}

// appendAttributes appends the member MessageAttributes, if the message has any.
func appendAttributes(dst []byte, m *engine.Message) []byte {
	it := m.Attributes()
	if !it.Next() {
		return dst
	}
	dst = append(dst, `,"MessageAttributes":{`...)
	for comma := ""; ; comma = "," {
		dst = append(dst, comma...)
		dst = append(dst, '"')
		dst = jsontext.AppendEscaped(dst, it.Name)
		dst = append(dst, `":{"Type":"`...)
		dst = jsontext.AppendEscaped(dst, it.Type)
		dst = append(dst, `","Value":"`...)
		if it.Binary {
			dst = base64.StdEncoding.AppendEncode(dst, it.Value)
		} else {
			dst = jsontext.AppendEscaped(dst, it.Value)
		}
		dst = append(dst, `"}`...)
		if !it.Next() {
			return append(dst, '}')
		}
	}
}

// appendMember appends `,"Name":"value"`.
func appendMember(dst []byte, name string, value []byte) []byte {
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":"`...)
	dst = jsontext.AppendEscaped(dst, value)
	return append(dst, '"')
}
