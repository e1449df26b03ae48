package rocketmq

import (
	"bytes"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aliyun"
)

// Source: "Send messages" of the RocketMQ HTTP reference, read 2026-11; the form of Properties, and what keys and
// values must not hold, as the SDKs write and check it.

// The properties with a meaning. Like all others they are kept as attributes too, for consumers see them.
var (
	propertyKeys     = []byte("KEYS")
	propertyStart    = []byte("__STARTDELIVERTIME") // ms since 1970
	propertyCheck    = []byte("__TransCheckT")      // seconds until the first check of a transaction
	propertySharding = []byte("__SHARDINGKEY")
)

// Limits of properties.
const (
	propertiesBytesMax = 16 << 10
	startMillisMax     = 40 * 24 * 3600 * 1000 // how far ahead a message is scheduled
	checkSecondsMin    = 10
	checkSecondsMax    = 300
)

// properties reads the Properties of a message, "k:v|k:v", and keeps what decides its type.
type properties struct {
	seen  bool
	start bool // scheduled, be it for the past
	check bool // half of a transaction
}

func (p *properties) parse(m *engine.Message, d *aliyun.Document) *fault {
	if p.seen {
		return faultProperties
	}
	p.seen = true
	scratch := ingress.GetScratch()
	defer scratch.Put()
	text, err := d.AppendText(scratch.B)
	scratch.B = text
	if err != nil {
		return faultOfXML(err, faultProperties)
	}
	if len(text) > propertiesBytesMax {
		return faultPropertiesSize
	}
	for len(text) > 0 {
		item := text
		if i := bytes.IndexByte(text, '|'); i >= 0 {
			item, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		if fault := p.add(m, item); fault != nil {
			return fault
		}
	}
	return nil
}

// add keeps one item. There is no way to escape anything, so what the SDKs refuse to send is refused here too. An
// item without a value is dropped, as every client drops it.
func (p *properties) add(m *engine.Message, item []byte) *fault {
	if len(item) == 0 {
		return nil // behind the last bar
	}
	i := bytes.IndexByte(item, ':')
	if i <= 0 || !plain(item[:i]) || !plain(item[i+1:]) {
		return faultProperties
	}
	key, value := item[:i], item[i+1:]
	if len(value) == 0 {
		return nil
	}
	switch {
	case bytes.Equal(key, propertyKeys):
		if m.Has(engine.FieldKeys) {
			return faultProperties
		}
		m.Set(engine.FieldKeys, value)
	case bytes.Equal(key, propertySharding):
		if m.Has(engine.FieldGroup) {
			return faultProperties
		}
		m.Set(engine.FieldGroup, value)
	case bytes.Equal(key, propertyStart):
		at, ok := parseNumber(value)
		if !ok || p.start || at > m.PublishedAt()+startMillisMax {
			return faultStartTime
		}
		p.start = true
		if at > m.PublishedAt() {
			m.SetDeliverAt(at)
		}
	case bytes.Equal(key, propertyCheck):
		seconds, ok := parseNumber(value)
		if !ok || p.check || seconds < checkSecondsMin || seconds > checkSecondsMax {
			return faultCheckTime
		}
		p.check = true
	}
	m.AddAttribute(key, attributeType, value, false)
	return nil
}

var attributeType = []byte("String")

// plain reports whether a key or value has none of the characters that the SDKs refuse.
func plain(s []byte) bool {
	for _, c := range s {
		switch c {
		case '"', '\'', '<', '>', '&', ':':
			return false
		}
	}
	return true
}

// parseNumber reads an unsigned decimal number of up to 18 digits.
func parseNumber(s []byte) (n int64, ok bool) {
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
