package sqs

import (
	"bytes"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

// Source: Amazon SQS developer guide, "Amazon SQS message metadata"; texts as recorded from AWS by public test suites.

const (
	attributeTypeBytesMax = 256
	traceHeader           = "AWSTraceHeader"
)

// fillAttributes adds the attributes to the message and returns their size: the bytes of names, types and values.
func (c *call) fillAttributes(m *engine.Message, l *attributeList) (size int, err error) {
	if l.sent > attributesMax {
		return 0, invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", l.sent, attributesMax)
	}
	for i := range l.members {
		n, err := c.fillAttribute(m, &l.members[i])
		if err != nil {
			return 0, err
		}
		size += n
	}
	return size, nil
}

func (c *call) fillAttribute(m *engine.Message, a *attribute) (size int, err error) {
	name, err := c.text(a.name)
	if err != nil {
		return 0, err
	}
	if err := checkAttributeName(name); err != nil {
		return 0, err
	}
	for it := m.Attributes(); it.Next(); {
		if bytes.Equal(it.Name, name) {
			return 0, invalid("The message attribute '%s' is given more than once.", name)
		}
	}
	size = len(name)
	arena := append(m.Begin(engine.FieldAttributeName), name...)
	start := len(arena) - size
	name = arena[start:] // the next decoding reuses what it was decoded into
	m.End(arena)

	arena = m.Begin(engine.FieldAttributeType)
	start = len(arena)
	if arena, err = c.appendText(arena, a.dataType); err != nil {
		return 0, err
	}
	dataType := arena[start:]
	base, err := attributeBase(name, dataType)
	if err != nil {
		return 0, err
	}
	m.End(arena)
	n, err := c.fillValue(m, a, name, dataType, base)
	return size + len(dataType) + n, err
}

// attributeBase returns what stands before the first dot of a data type.
func attributeBase(name, dataType []byte) (string, error) {
	switch {
	case len(dataType) == 0:
		return "", invalid("The message attribute '%s' must contain non-empty message attribute type.", aws.Shorten(name))
	case len(dataType) > attributeTypeBytesMax:
		return "", invalid("Length of message attribute type must be less than %d bytes.", attributeTypeBytesMax)
	}
	if base := aws.AttributeBase(dataType); base != "" {
		return base, nil
	}
	return "", invalid("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", aws.Shorten(name))
}

// fillValue sets the value of an attribute and returns its size.
func (c *call) fillValue(m *engine.Message, a *attribute, name, dataType []byte, base string) (size int, err error) {
	own, other, field, kind := a.text, a.binary, "String", engine.FieldAttributeString
	if base == "Binary" {
		own, other, field, kind = a.binary, a.text, "Binary", engine.FieldAttributeBinary
	}
	switch {
	case a.textList || a.binaryList:
		return 0, unsupported("Message attribute list values in SendMessage operation are not supported.")
	case len(other) > 0:
		return 0, invalid("The message attribute '%s' with type '%s' must use field '%s'.", name, dataType, field)
	case len(own) == 0:
		return 0, invalid("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, dataType)
	}
	arena := m.Begin(kind)
	start := len(arena)
	if base == "Binary" {
		text, err := c.text(own)
		if err != nil {
			return 0, err
		}
		if arena, err = scan.AppendBase64(arena, text); err != nil {
			return 0, invalid("The message attribute '%s' with type '%s' has a value that is not base64.", name, dataType)
		}
	} else if arena, err = c.appendText(arena, own); err != nil {
		return 0, err
	}
	value := arena[start:]
	switch {
	case base == "Number" && !aws.IsNumber(value):
		return 0, invalid("Can't cast the value of message (user) attribute '%s' to a number.", name)
	case base == "String" && !isContents(value):
		return 0, invalid("The message attribute '%s' has a value with invalid characters: valid are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.", name)
	}
	m.End(arena)
	return len(value), nil
}

// fillSystem sets the trace header of the publisher: what the request says, or else its own header.
func (c *call) fillSystem(m *engine.Message, l *attributeList) error {
	if l.sent == 0 {
		if trace := c.head.Header.PeekCanonical(headerTrace); len(trace) > 0 && utf8.Valid(trace) {
			m.Set(engine.FieldTrace, trace)
		}
		return nil
	}
	for i := range l.members {
		a := &l.members[i]
		name, err := c.text(a.name)
		if err != nil {
			return err
		}
		if string(name) != traceHeader || i > 0 || l.sent > 1 {
			return invalid("Message system attribute name '%s' is invalid. It must be AWSTraceHeader, and be given once.", aws.Shorten(name))
		}
		dataType, err := c.text(a.dataType)
		if err != nil {
			return err
		}
		if string(dataType) != "String" || len(a.text) == 0 {
			return invalid("The message system attribute '%s' must have the type 'String' and a value.", traceHeader)
		}
		arena, err := c.appendText(m.Begin(engine.FieldTrace), a.text)
		if err != nil {
			return err
		}
		m.End(arena)
	}
	return nil
}

var headerTrace = []byte("X-Amzn-Trace-Id")

// checkAttributeName says what is wrong with the name of an attribute.
func checkAttributeName(name []byte) error {
	if text := aws.AttributeNameFault(name); text != "" {
		return invalid("%s", text)
	}
	if aws.HasPrefixFold(name, "aws.") || aws.HasPrefixFold(name, "amazon.") {
		return invalid("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.")
	}
	return nil
}
