package sns

import (
	"strconv"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

// Source: Amazon SNS API reference, CreateTopic, SetTopicAttributes and Publish, and developer guide, "Message ordering and
// deduplication", read 2026-11; texts as recorded from AWS. What is wrong with a value that is no truth, or of an attribute
// on a standard topic, is not recorded: these say it as the service does of other attributes.

// The attributes that FIFO topics alone have.
const (
	attributeFIFO    = "FifoTopic"
	attributeContent = "ContentBasedDeduplication"
	attributeScope   = "FifoThroughputScope"

	scopeTopic = "Topic" // ids are compared within the topic: the default
	scopeGroup = "MessageGroup"

	// labelScope says that the scope was ever set: then it is shown. What it is, the topic's FIFO says.
	labelScope = labelAttribute + attributeScope
)

// fifoAttributes are these attributes as a caller gave them; "" is one that was not given.
type fifoAttributes struct{ fifo, content, scope string }

func isFIFOAttribute(name string) bool {
	return name == attributeFIFO || name == attributeContent || name == attributeScope
}

// place is where an attribute goes.
func (a *fifoAttributes) place(name string) *string {
	switch name {
	case attributeFIFO:
		return &a.fifo
	case attributeContent:
		return &a.content
	}
	return &a.scope
}

// set takes an attribute, and returns what is wrong with its value. An empty value is that of an attribute which is not set.
func (a *fifoAttributes) set(name, value string) (fault string) {
	if value == "" {
		return ""
	}
	if name == attributeScope {
		if value != scopeTopic && value != scopeGroup {
			return name + ": Invalid value [" + aws.Shorten(value) + "]. Must be " + scopeTopic + " or " + scopeGroup + "."
		}
	} else if value = strings.ToLower(value); value != "true" && value != "false" {
		return name + ": Invalid value [" + aws.Shorten(value) + "]. Must be true or false."
	}
	*a.place(name) = value
	return ""
}

// takeFIFO splits the attributes of a topic that is to be made.
func takeFIFO(attributes []pair) (own fifoAttributes, rest []pair, err error) {
	for _, a := range attributes {
		if !isFIFOAttribute(a.key) {
			rest = append(rest, a)
		} else if fault := own.set(a.key, a.value); fault != "" {
			return own, nil, invalid("Attributes Reason: %s", fault)
		}
	}
	if own.fifo != "true" {
		switch {
		case own.content == "true":
			return own, nil, invalid("Attributes Reason: %s: can only be set for FIFO topics", attributeContent)
		case own.scope != "":
			return own, nil, invalid("Attributes Reason: %s: can only be set for FIFO topics", attributeScope)
		}
	}
	return own, rest, nil
}

// settings is what the topic becomes, nil for a standard one.
func (a *fifoAttributes) settings() *engine.FIFO {
	if a.fifo != "true" {
		return nil
	}
	return &engine.FIFO{ByContent: a.content == "true", PerGroup: a.scope == scopeGroup}
}

// stored reports whether a topic has what was asked. An attribute that was not given is fine, but for that which makes the
// topic a FIFO one.
func (a *fifoAttributes) stored(have *engine.FIFO) bool {
	if have == nil {
		return a.fifo != "true"
	}
	return a.fifo == "true" && (a.content == "" || a.content == fifoContent(have)) && (a.scope == "" || a.scope == fifoScope(have))
}

func fifoContent(fifo *engine.FIFO) string { return strconv.FormatBool(fifo.ByContent) }

func fifoScope(fifo *engine.FIFO) string {
	if fifo.PerGroup {
		return scopeGroup
	}
	return scopeTopic
}

// showFIFO adds the attributes of a FIFO topic to those it shows. The scope is shown when it was set, and when it is not the
// default.
func showFIFO(attributes map[string]string, fifo *engine.FIFO) {
	attributes[attributeFIFO] = "true"
	attributes[attributeContent] = fifoContent(fifo)
	if fifo.PerGroup || attributes[attributeScope] != "" {
		attributes[attributeScope] = fifoScope(fifo)
	}
}

// setFIFO changes one of the attributes of a topic, whose editing the caller holds. A topic is FIFO, or not, from its
// beginning.
func (f *Face) setFIFO(t *engine.Topic, name, value string) error {
	fifo := t.Config().FIFO
	if fifo == nil || name == attributeFIFO {
		return invalid("AttributeName")
	}
	own := fifoAttributes{fifo: "true", content: fifoContent(fifo), scope: fifoScope(fifo)}
	*own.place(name) = ""
	if fault := own.set(name, value); fault != "" {
		return invalid("%s", fault)
	}
	if err := f.engine.SetFIFO(t, *own.settings()); err != nil || name != attributeScope {
		return err
	}
	return f.engine.UpdateTopic(t, func(labels map[string]string) {
		if labels[labelScope] = value; value == "" {
			delete(labels, labelScope)
		}
	})
}

// fillOrder sets the group and the deduplication id. A FIFO topic wants a group, and an id unless it takes the text for one;
// a standard topic takes a group alone. Without a topic there is nothing to want: the answer will be that there is none.
func fillOrder(m *engine.Message, e *messageForm, t *engine.Topic) error {
	group, id := e.values[messageGroup], e.values[messageDedup]
	if t != nil {
		switch fifo := t.Config().FIFO; {
		case fifo == nil && len(id) > 0:
			return errDedup
		case fifo != nil && len(group) == 0:
			return errNoGroup
		case fifo != nil && len(id) == 0 && !fifo.ByContent:
			return errNoDedup
		}
	}
	if err := fillID(m, engine.FieldGroup, group, errGroup); err != nil {
		return err
	}
	return fillID(m, engine.FieldDeduplicationID, id, errDedupID)
}

func fillID(m *engine.Message, field engine.Field, raw []byte, fault *fault) error {
	if len(raw) == 0 {
		return nil
	}
	arena := m.Begin(field)
	start := len(arena)
	arena, err := scan.AppendFormValue(arena, raw)
	switch {
	case err != nil:
		return err
	case !aws.IsOrderID(arena[start:]):
		return fault
	}
	m.End(arena)
	return nil
}

// published writes what a message was published as.
func (w *xmlWriter) published(t *engine.Topic, m *engine.Message) {
	w.begin("MessageId")
	w.buf = m.ID().AppendUUID(w.buf)
	w.end("MessageId")
	if t.Config().FIFO != nil {
		w.begin("SequenceNumber")
		w.buf = aws.AppendSequence(w.buf, m.Sequence())
		w.end("SequenceNumber")
	}
}
