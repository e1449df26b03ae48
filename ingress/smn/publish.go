package smn

import (
	"net/http"

	"fanfare/engine/jsontext"

	"fanfare/engine"
	"fanfare/ingress/apigw"
	"fanfare/ingress/scan"
)

// Source: SMN API reference, "Publishing a message": PublishMessage, POST
// /v2/{project_id}/notifications/topics/{topic_urn}/publish.

// publish answers PublishMessage.
func (f *Face) publish(r *request) *apigw.Error {
	t, fault := f.topic(r, r.path.At(4))
	if fault != nil {
		return fault
	}
	var p publication
	if fault := p.scan(r.ctx.PostBody()); fault != nil {
		return fault
	}
	m := engine.NewMessage()
	defer m.Release()
	m.SetOrigin(engine.OriginSMN)
	if fault := p.fill(m); fault != nil {
		return fault
	}
	if err := f.engine.Publish(t, m); err != nil {
		return codeOf(err)
	}
	apigw.SetHead(r.ctx, r.id, http.StatusOK)
	b := append(r.scratch.B[:0], `{"request_id":"`...)
	b = r.id.AppendHex(b)
	b = append(b, `","message_id":"`...)
	b = m.ID().AppendHexLower(b)
	b = append(b, `"}`...)
	r.scratch.B = b
	r.ctx.Response.SetBody(b)
	return nil
}

// member is the value of a member of a JSON object: a view of the request. A missing one and null are the
// same, scan.JSONInvalid.
type member struct {
	kind scan.JSONKind
	text []byte // of a string or number: as scan.JSON.Text returns it; of an object or array: all of it
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

// may reports whether the value is missing or of the kind.
func (v *member) may(kind scan.JSONKind) bool { return v.missing() || v.kind == kind }

// given reports whether the value is a string with something in it.
func (v *member) given() bool { return v.kind == scan.JSONString && len(v.text) > 0 }

// publication holds the members of a publish. The last one of a name wins.
type publication struct {
	subject, message, structure, template, tags, timeToLive, attributes member
}

// member finds the place for a name, nil for one that is not known: those are ignored.
func (p *publication) member(name []byte) *member {
	switch string(name) {
	case "subject":
		return &p.subject
	case "message":
		return &p.message
	case "message_structure":
		return &p.structure
	case "message_template_name":
		return &p.template
	case "tags":
		return &p.tags
	case "time_to_live":
		return &p.timeToLive
	case "message_attributes":
		return &p.attributes
	default:
		return nil
	}
}

// nameBytes is more than the longest known name of a member.
const nameBytes = 64

// scan finds the members and checks their types.
func (p *publication) scan(body []byte) *apigw.Error {
	var s scan.JSON
	var buf [nameBytes]byte
	s.Reset(body)
	if s.Next() != scan.JSONObject {
		return errNotJSON
	}
	for s.Next() == scan.JSONKey {
		if v := p.member(s.Key(buf[:])); v != nil {
			v.read(&s)
		} else {
			s.Next()
			s.Skip()
		}
	}
	if s.Next() != scan.JSONEnd {
		return errNotJSON
	}
	return p.types()
}

// types checks the types of the members.
func (p *publication) types() *apigw.Error {
	switch {
	case !p.subject.may(scan.JSONString):
		return errSubject
	case !p.message.may(scan.JSONString):
		return errMessage
	case !p.structure.may(scan.JSONString):
		return errStructure
	case !p.template.may(scan.JSONString):
		return errTemplateName
	case !p.tags.may(scan.JSONObject):
		return errTags
	case !p.attributes.may(scan.JSONArray):
		return errAttributes
	}
	return nil
}

// fill unescapes the members into the message.
func (p *publication) fill(m *engine.Message) *apigw.Error {
	if p.subject.given() && !setText(m, engine.FieldSubject, p.subject.text, subjectBytesMax) {
		return errSubject
	}
	for _, c := range m.Get(engine.FieldSubject) {
		if c < ' ' || c == 0x7f { // it becomes a header line for some subscribers
			return errSubject
		}
	}
	if fault := p.fillBody(m); fault != nil {
		return fault
	}
	seconds, ok := p.timeToLive.seconds()
	if !ok {
		return errTimeToLive
	}
	m.SetExpiresAt(m.PublishedAt() + seconds*1000)
	if !p.attributes.missing() && !fillAttributes(m, p.attributes.text) {
		return errAttributes
	}
	return nil
}

// fillBody picks the source of the body: message_structure before message_template_name before message.
func (p *publication) fillBody(m *engine.Message) *apigw.Error {
	switch {
	case p.structure.given():
		if !setText(m, engine.FieldStructure, p.structure.text, messageBytesMax) || !fillDefault(m) {
			return errStructure
		}
	case p.template.given():
		return errTemplate
	case !p.message.given(), !setText(m, engine.FieldBody, p.message.text, messageBytesMax):
		return errMessage
	}
	return nil
}

// fillDefault checks the message structure and makes its default text the body, for the subscribers that
// have no text of their own.
func fillDefault(m *engine.Message) bool {
	var s scan.JSON
	var buf [nameBytes]byte
	s.Reset(m.Get(engine.FieldStructure))
	if s.Next() != scan.JSONObject {
		return false
	}
	var text []byte
	for s.Next() == scan.JSONKey {
		isDefault := string(s.Key(buf[:])) == "default"
		if s.Next() != scan.JSONString {
			return false
		}
		if isDefault {
			text = s.Text()
		}
	}
	if s.Next() != scan.JSONEnd || text == nil {
		return false
	}
	return setText(m, engine.FieldBody, text, messageBytesMax)
}

// setText unescapes a string into a field and reports whether it is within its limit.
func setText(m *engine.Message, f engine.Field, raw []byte, bytesMax int) bool {
	dst := m.Begin(f)
	start := len(dst)
	dst = jsontext.AppendUnescaped(dst, raw)
	m.End(dst)
	return len(dst)-start <= bytesMax
}

// seconds reads time_to_live, which is documented as a string and sent as a number too.
func (v *member) seconds() (int64, bool) {
	if v.missing() {
		return timeToLiveDefault, true
	}
	var buf [nameBytes]byte
	if v.kind != scan.JSONString && v.kind != scan.JSONNumber || len(v.text) > len(buf) {
		return 0, false
	}
	digits := jsontext.AppendUnescaped(buf[:0], v.text)
	var n int64
	for _, c := range digits {
		if c-'0' > 9 || n > timeToLiveMax {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n >= 1 && n <= timeToLiveMax
}
