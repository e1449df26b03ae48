package sns

import (
	"bytes"
	"unicode/utf8"

	"fanfare/engine/jsontext"

	"fanfare/engine"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

// Limits of a message.
const (
	// messageBytesMax is the largest message that any topic takes. It counts the text and, of each attribute, name,
	// type and value.
	messageBytesMax = maximumSizeMax
	subjectRunesMax = 100
	phoneRunesMax   = 1600
	traceBytesMax   = 1024
)

// publish answers Publish. It must not allocate unless it refuses.
func (c *call) publish() error {
	if err := c.scanPublish(false); err != nil {
		return err
	}
	if err := c.checkVersion("Publish"); err != nil {
		return err
	}
	m := engine.NewMessage()
	defer m.Release()
	m.SetOrigin(engine.OriginSNS)
	c.fillTrace(m)
	t, err := c.fillPublish(m)
	if err != nil {
		return err
	}
	if err := c.face.engine.Publish(t, m); err != nil {
		return err
	}
	w := c.begin("Publish")
	w.published(t, m)
	c.finish("Publish")
	return nil
}

func (c *call) checkVersion(action string) error {
	version := c.form.top[topVersion]
	if version == nil || string(version) == apiVersion {
		return nil
	}
	text, err := c.decode(version)
	if err != nil || string(text) == apiVersion {
		return err
	}
	return unknownAction(action, string(text))
}

// fillPublish checks a Publish in the order in which SNS does, sets the fields of its message and finds its topic.
func (c *call) fillPublish(m *engine.Message) (*engine.Topic, error) {
	e := &c.form.entries[0]
	if err := fillSubject(m, e); err != nil {
		return nil, err
	}
	text, err := fillText(m, e)
	if err != nil {
		return nil, err
	}
	if err := c.checkPhoneNumber(); err != nil {
		return nil, err
	}
	attributes, err := c.fillAttributes(m, e, 0)
	if err != nil {
		return nil, err
	}
	t, textKey, noTarget := c.target(m)
	if tooLong(t, text+attributes) || c.form.top[topPhoneNumber] != nil && utf8.RuneCount(m.Body()) > phoneRunesMax {
		return nil, errTooLong
	}
	if err := c.fillRest(m, e, t, textKey); err != nil {
		return nil, err
	}
	return t, noTarget
}

// tooLong reports whether a message of the size, or a batch of them, is too long for the topic, nil for any.
func tooLong(t *engine.Topic, size int) bool {
	switch {
	case size <= maximumSizeMin:
		return false // every topic takes it
	case t == nil:
		return size > maximumSizeDefault
	}
	return size > messageBytesMaxOf(t)
}

// fillSubject sets the subject: 1 to 100 characters, no control characters.
func fillSubject(m *engine.Message, e *messageForm) error {
	raw := e.values[messageSubject]
	if raw == nil {
		return nil
	}
	arena := m.Begin(engine.FieldSubject)
	start := len(arena)
	arena, err := scan.AppendFormValue(arena, raw)
	if err != nil {
		return err
	}
	subject := arena[start:]
	if len(subject) == 0 || !utf8.Valid(subject) || utf8.RuneCount(subject) > subjectRunesMax {
		return errSubject
	}
	for _, b := range subject {
		if b < ' ' || b == 0x7f {
			return errSubject
		}
	}
	m.End(arena)
	return nil
}

// fillText sets the text, as the body or as the object of bodies by protocol, and returns its size.
func fillText(m *engine.Message, e *messageForm) (size int, err error) {
	field := engine.FieldBody
	if len(e.values[messageStructure]) > 0 {
		field = engine.FieldStructure
	}
	arena := m.Begin(field)
	start := len(arena)
	arena, err = scan.AppendFormValue(arena, e.values[messageText])
	text := arena[start:]
	switch {
	case err != nil:
		return 0, err
	case len(text) == 0:
		return 0, errEmpty
	case !utf8.Valid(text):
		return 0, errNotUTF8
	}
	m.End(arena)
	return len(text), nil
}

// fillTrace sets the trace header of the publisher, if it came with one that a header can carry on. It steers nothing, so one
// that is odd is left out rather than refused.
func (c *call) fillTrace(m *engine.Message) {
	trace := c.head.Header.PeekCanonical(headerTrace)
	if len(trace) == 0 || len(trace) > traceBytesMax {
		return
	}
	for _, b := range trace {
		if b < ' ' || b >= 0x7f {
			return
		}
	}
	m.Set(engine.FieldTrace, trace)
}

var headerTrace = []byte("X-Amzn-Trace-Id")

// fillRest sets the group and the deduplication id, and takes the default text out of a text by protocol: that of the key,
// if there is one, where a device is the only one to get it.
func (c *call) fillRest(m *engine.Message, e *messageForm, t *engine.Topic, textKey string) error {
	if err := fillOrder(m, e, t); err != nil {
		return err
	}
	structure := e.values[messageStructure]
	if len(structure) == 0 {
		return nil
	}
	if word, err := c.decode(structure); err != nil {
		return err
	} else if string(word) != "json" {
		return errStructure
	}
	return c.fillDefault(m, textKey)
}

// fillDefault makes the text "default" of the object of texts the body. Of members of one name the last counts, and
// only strings count.
func (c *call) fillDefault(m *engine.Message, textKey string) error {
	var s scan.JSON
	s.Reset(m.Get(engine.FieldStructure))
	if s.Next() != scan.JSONObject {
		return errNotJSON
	}
	var text, own []byte
	for {
		switch s.Next() {
		case scan.JSONKey:
			c.key = append(c.key[:0], s.Key(c.key)...)
			isDefault, isOwn := string(c.key) == "default", textKey != "" && string(c.key) == textKey
			if s.Next() == scan.JSONString {
				if isDefault {
					text = s.Text()
				}
				if isOwn {
					own = s.Text()
				}
			}
			s.Skip()
		case scan.JSONObjectEnd:
			if s.Next() != scan.JSONEnd {
				return errNotJSON
			}
			if text == nil {
				text = own
			}
			if text == nil {
				return errNoDefault
			}
			m.End(jsontext.AppendUnescaped(m.Begin(engine.FieldBody), text))
			return nil
		default:
			return errNotJSON
		}
	}
}

// checkPhoneNumber refuses numbers that are not E.164; what becomes of those that are, target says.
func (c *call) checkPhoneNumber() error {
	raw := c.form.top[topPhoneNumber]
	if raw == nil {
		return nil
	}
	number, err := c.decode(raw)
	if err != nil {
		return err
	}
	if !isPhoneNumber(number) {
		return invalid("PhoneNumber Reason: %s is not valid to publish to", aws.Shorten(number))
	}
	return nil
}

// target finds the topic of a Publish. For a device, textKey is the key of its text in a message by protocol.
func (c *call) target(m *engine.Message) (t *engine.Topic, textKey string, err error) {
	parameter, raw := "TopicArn", c.form.top[topTopicARN]
	target, phone := c.form.top[topTargetARN], c.form.top[topPhoneNumber]
	switch {
	case raw != nil && (target != nil || phone != nil) || target != nil && phone != nil:
		return nil, "", errTwoTargets
	case phone != nil:
		t, err = c.phoneTarget(m, phone)
		return t, "", err
	case target != nil:
		parameter, raw = "TargetArn", target
	case raw == nil:
		return nil, "", errNoTarget
	}
	text, err := c.decode(raw)
	if err != nil {
		return nil, "", err
	}
	a, err := c.parseARN(parameter, text)
	switch {
	case err != nil:
		return nil, "", err
	case a.id != nil:
		return nil, "", invalid("%s", parameter)
	case target != nil && bytes.HasPrefix(a.name, endpointBytes):
		return c.endpointTarget(m, text, a.name)
	}
	if t := c.face.engine.Topic(a.name); t != nil && !isDirect(a.name) {
		return t, "", nil
	}
	return nil, "", engine.ErrTopicNotFound
}

var endpointBytes = []byte(endpointPrefix)
