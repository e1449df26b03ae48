package smn

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"fanfare/engine/jsontext"

	"fanfare/engine"
	"fanfare/ingress/scan"
)

// Source: SMN API reference, "Publishing a message", table "MessageAttribute". They are what subscriptions
// filter by, and are not shown to an http or https subscriber.
const (
	attributeNameBytesMax  = 32
	attributeValueRunesMax = 32
	attributeValuesMax     = 10
	attributeProtocolName  = "smn_protocol"

	// escapedValueBytesMax is the most that a value of the longest allowed length can take when all of it is
	// escaped as surrogate pairs.
	escapedValueBytesMax = attributeValueRunesMax * len(`\ud83d\ude00`)
)

// fillAttributes appends the attributes of a JSON array to the message. It reports false for a fault.
func fillAttributes(m *engine.Message, array []byte) bool {
	var s scan.JSON
	s.Reset(array)
	s.Next()
	for {
		switch s.Next() {
		case scan.JSONArrayEnd:
			return true
		case scan.JSONObject:
			if !fillAttribute(m, &s) {
				return false
			}
		default:
			return false
		}
	}
}

// fillAttribute appends one attribute, whose object has just begun.
func fillAttribute(m *engine.Message, s *scan.JSON) bool {
	var name, dataType, value member
	var buf [nameBytes]byte
	for s.Next() == scan.JSONKey {
		switch string(s.Key(buf[:])) {
		case "name":
			name.read(s)
		case "type":
			dataType.read(s)
		case "value":
			value.read(s)
		default:
			s.Next()
			s.Skip()
		}
	}
	if name.kind != scan.JSONString || dataType.kind != scan.JSONString {
		return false
	}
	if len(name.text) > len(buf) {
		return false
	}
	key := jsontext.AppendUnescaped(buf[:0], name.text)
	if !validAttributeName(key) {
		return false
	}
	switch string(dataType.text) {
	case "STRING":
		var text [escapedValueBytesMax]byte
		plain, ok := value.attributeValue(text[:0])
		if !ok {
			return false
		}
		m.AddAttribute(key, dataType.text, plain, false)
	case "STRING_ARRAY":
		if !validValues(value, false) {
			return false
		}
		m.AddAttribute(key, dataType.text, value.text, false)
	case "PROTOCOL":
		if string(key) != attributeProtocolName || !validValues(value, true) {
			return false
		}
		m.AddAttribute(key, dataType.text, value.text, false)
	default:
		return false
	}
	return true
}

// attributeValue unescapes a string into dst and checks it.
func (v *member) attributeValue(dst []byte) ([]byte, bool) {
	if v.kind != scan.JSONString || len(v.text) > escapedValueBytesMax {
		return nil, false
	}
	dst = jsontext.AppendUnescaped(dst, v.text)
	return dst, validAttributeValue(dst)
}

// validValues checks an array of unique strings: protocols, or values of an attribute.
func validValues(array member, protocols bool) bool {
	if array.kind != scan.JSONArray {
		return false
	}
	var s scan.JSON
	var seen [attributeValuesMax][]byte
	var text [escapedValueBytesMax]byte
	s.Reset(array.text)
	s.Next()
	for n := 0; ; n++ {
		switch s.Next() {
		case scan.JSONArrayEnd:
			return n > 0
		case scan.JSONString:
		default:
			return false
		}
		raw := s.Text()
		if n == attributeValuesMax || len(raw) > escapedValueBytesMax {
			return false
		}
		value := jsontext.AppendUnescaped(text[:0], raw)
		if protocols && !validProtocol(value) || !protocols && !validAttributeValue(value) {
			return false
		}
		for _, other := range seen[:n] {
			if bytes.Equal(other, raw) {
				return false
			}
		}
		seen[n] = raw
	}
}

// validAttributeName is the rule [a-z0-9_]{1,32}.
func validAttributeName(name []byte) bool {
	for _, c := range name {
		if c-'0' > 9 && (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= attributeNameBytesMax
}

// validAttributeValue is the rule 1 to 32 letters (Chinese among them), digits or '_'.
func validAttributeValue(value []byte) bool {
	n := 0
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
		value = value[size:]
		n++
	}
	return n > 0 && n <= attributeValueRunesMax
}

// validProtocol knows every protocol of the service, also those that no subscription here can have.
func validProtocol(protocol []byte) bool {
	switch string(protocol) {
	case "email", "sms", "http", "https", "functionstage", "functiongraph", "callnotify", "wechat", "dingding",
		"feishu", "welink", "dingTalkBot", "dms":
		return true
	default:
		return false
	}
}
