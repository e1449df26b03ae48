package dms

import (
	"net/http"
	"strconv"

	"fanfare/engine/jsontext"

	"fanfare/engine"
	"fanfare/ingress/apigw"
	"fanfare/ingress/scan"
)

// Source: DMS for RocketMQ API reference, "Sending a message": SendMessage and SendMessageForRocketMq.

// The properties that are more than attributes.
const (
	propertyKeys = "KEYS"
	propertyTags = "TAGS"

	// propertyID is made here; one that came with the request, as in a reply that is sent again, is dropped.
	propertyID = "UNIQ_KEY"
)

// propertyType is the data type of the attributes that properties become.
var propertyType = []byte("String")

// send answers SendMessage.
func (f *Face) send(r *request) *apigw.Error {
	var s sending
	if fault := s.scan(r.ctx.PostBody()); fault != nil {
		return fault
	}
	r.scratch.B = jsontext.AppendUnescaped(r.scratch.B[:0], s.topic.text)
	t := f.engine.Topic(r.scratch.B)
	switch {
	case t == nil:
		return errTopic
	case t.Label(labelPermission) == permissionSub:
		return errReadOnly
	}
	m := engine.NewMessage()
	defer m.Release()
	m.SetOrigin(engine.OriginDMS)
	if appendText(m, engine.FieldBody, s.body.text) > messageBytesMax {
		return errBodySize
	}
	echo, fault := s.fillProperties(m, r.scratch.B[:0])
	r.scratch.B = echo
	if fault != nil {
		return fault
	}
	if err := f.engine.Publish(t, m); err != nil {
		return codeOf(err)
	}
	s.reply(r, m, len(echo))
	return nil
}

// reply repeats the request and adds what became of it. The numbers of a queue stand for the whole topic: its
// one queue is 0 and the first message of the topic has the offset 0, as in the service, so the offset is the
// message's sequence less one.
func (s *sending) reply(r *request, m *engine.Message, echoed int) {
	apigw.SetHead(r.ctx, r.id, http.StatusOK)
	b := r.scratch.B
	if echoed > 0 {
		b = append(b, ',')
	}
	b = append(b, `{"name":"UNIQ_KEY","value":"`...)
	b = m.ID().AppendHexUpper(b)
	b = append(b, `"}],"msg_id":"`...)
	b = m.ID().AppendHexUpper(b)
	b = append(b, `","queue_id":0,"queue_offset":`...)
	b = strconv.AppendUint(b, uint64(m.Sequence()-1), 10)
	b = append(b, `,"broker_name":"broker-0"}`...)
	r.scratch.B = b

	response := &r.ctx.Response
	response.AppendBodyString(`{"topic":"`)
	response.AppendBody(s.topic.text)
	response.AppendBodyString(`","body":"`)
	response.AppendBody(s.body.text)
	response.AppendBodyString(`","property_list":[`)
	response.AppendBody(b)
}

// member is the value of a member of a JSON object: a view of the request. A missing one and null are the same,
// scan.JSONInvalid.
type member struct {
	kind scan.JSONKind
	text []byte // of a string: as scan.JSON.Text returns it; of an object or array: all of it
}

// read takes the value that is next in the scanner.
func (v *member) read(s *scan.JSON) {
	switch v.kind = s.Next(); v.kind {
	case scan.JSONNull:
		*v = member{}
	case scan.JSONObject, scan.JSONArray:
		v.text = s.Skip()
	default:
		v.text = s.Text()
	}
}

func (v *member) missing() bool { return v.kind == scan.JSONInvalid }

// given reports whether the value is a string with something in it.
func (v *member) given() bool { return v.kind == scan.JSONString && len(v.text) > 0 }

// sending holds the members of a send. The last one of a name wins.
type sending struct{ topic, body, properties member }

// nameBytes is more than the longest known name of a member or property takes, all of it escaped.
const nameBytes = 64

// scan finds the members and checks that those that have to be there are.
func (s *sending) scan(text []byte) *apigw.Error {
	if len(text) == 0 {
		return errEmpty
	}
	var j scan.JSON
	var buf [nameBytes]byte
	j.Reset(text)
	if j.Next() != scan.JSONObject {
		return errNotJSON
	}
	for j.Next() == scan.JSONKey {
		switch string(j.Key(buf[:])) {
		case "topic":
			s.topic.read(&j)
		case "body":
			s.body.read(&j)
		case "property_list":
			s.properties.read(&j)
		default: // older revisions of the API had all fields of the reply here
			j.Next()
			j.Skip()
		}
	}
	switch {
	case j.Next() != scan.JSONEnd:
		return errNotJSON
	case !s.topic.given():
		return errTopicField
	case !s.body.given():
		return errBody
	case !s.properties.missing() && s.properties.kind != scan.JSONArray:
		return errProperties
	}
	return nil
}

// fillProperties makes attributes of the properties, in their order, and keys and tag of those that are: of
// several the last. It appends the items of the reply's property_list to echo.
func (s *sending) fillProperties(m *engine.Message, echo []byte) ([]byte, *apigw.Error) {
	if s.properties.missing() {
		return echo, nil
	}
	var j scan.JSON
	var keys, tags []byte
	size := 0
	j.Reset(s.properties.text)
	j.Next()
	for kind := j.Next(); kind != scan.JSONArrayEnd; kind = j.Next() {
		name, value, ok := property(&j, kind)
		if !ok {
			return echo, errProperties
		}
		if len(name) == 0 {
			continue // optional by the reference, and then of no use
		}
		var buf [nameBytes]byte
		key := name
		if len(name) <= len(buf) {
			key = jsontext.AppendUnescaped(buf[:0], name)
		}
		switch string(key) {
		case propertyID:
			continue
		case propertyKeys:
			keys = value
		case propertyTags:
			tags = value
		}
		size += appendText(m, engine.FieldAttributeName, name)
		m.Set(engine.FieldAttributeType, propertyType)
		size += appendText(m, engine.FieldAttributeString, value)
		if size > propertiesBytesMax {
			return echo, errPropertySize
		}
		if len(echo) > 0 {
			echo = append(echo, ',')
		}
		echo = append(append(echo, `{"name":"`...), name...)
		echo = append(append(echo, `","value":"`...), value...)
		echo = append(echo, `"}`...)
	}
	if len(keys) > 0 {
		appendText(m, engine.FieldKeys, keys)
	}
	if len(tags) > 0 {
		appendText(m, engine.FieldTag, tags)
	}
	return echo, nil
}

// appendText unescapes a string into a field and returns its length.
func appendText(m *engine.Message, f engine.Field, raw []byte) int {
	dst := m.Begin(f)
	start := len(dst)
	dst = jsontext.AppendUnescaped(dst, raw)
	m.End(dst)
	return len(dst) - start
}

// property reads one item of the property list. Name and value may each be missing.
func property(j *scan.JSON, kind scan.JSONKind) (name, value []byte, ok bool) {
	if kind != scan.JSONObject {
		return nil, nil, false
	}
	var n, v member
	var buf [nameBytes]byte
	for j.Next() == scan.JSONKey {
		switch string(j.Key(buf[:])) {
		case "name":
			n.read(j)
		case "value":
			v.read(j)
		default:
			j.Next()
			j.Skip()
		}
	}
	if !n.missing() && n.kind != scan.JSONString || !v.missing() && v.kind != scan.JSONString {
		return nil, nil, false
	}
	return n.text, v.text, true
}
