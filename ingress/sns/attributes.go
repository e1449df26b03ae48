package sns

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

// fillAttributes adds the attributes to the message, in the order of their numbers, and returns their size: the bytes of
// names, types and values. The entry is the position in a batch, from 1; 0 outside one.
func (c *call) fillAttributes(m *engine.Message, e *messageForm, entry int) (size int, err error) {
	for i := range e.attributes {
		a := &e.attributes[i]
		if !a.given() {
			continue
		}
		n, err := c.fillAttribute(m, a, entry)
		if err != nil {
			return 0, err
		}
		if size += n; size > messageBytesMax {
			return size, nil // it is too long whatever comes
		}
	}
	return size, nil
}

func (c *call) fillAttribute(m *engine.Message, a *attributeForm, entry int) (size int, err error) {
	name, err := aws.DecodeForm(&c.key, a.name)
	if err != nil {
		return 0, err
	}
	if err := checkAttributeName(name); err != nil {
		return 0, err
	}
	if hasAttribute(m, name) {
		return 0, invalid("MessageAttributes Reason: the name '%s' is given more than once", name)
	}
	m.Set(engine.FieldAttributeName, name)
	size = len(name)

	if a.dataType == nil {
		return 0, noDataType(name, entry)
	}
	arena := m.Begin(engine.FieldAttributeType)
	start := len(arena)
	if arena, err = scan.AppendFormValue(arena, a.dataType); err != nil {
		return 0, err
	}
	dataType := arena[start:]
	base, err := attributeBase(name, dataType)
	if err != nil {
		return 0, err
	}
	m.End(arena)
	size += len(dataType)

	value, err := c.fillAttributeValue(m, a, name, dataType, base)
	return size + value, err
}

// attributeBase returns what stands before the first dot of a data type.
func attributeBase(name, dataType []byte) (string, error) {
	if base := aws.AttributeBase(dataType); base != "" {
		return base, nil
	}
	return "", invalidValue("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
}

// fillAttributeValue sets the value and returns its size.
func (c *call) fillAttributeValue(m *engine.Message, a *attributeForm, name, dataType []byte, base string) (int, error) {
	own, other, field := a.text, a.binary, "String"
	kind := engine.FieldAttributeString
	if base == "Binary" {
		own, other, field, kind = a.binary, a.text, "Binary", engine.FieldAttributeBinary
	}
	switch {
	case len(other) > 0:
		return 0, invalidValue("The message attribute '%s' with type '%s' must use field '%s'.", name, dataType, field)
	case len(own) == 0:
		return 0, invalidValue("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, dataType)
	}
	text, err := c.decode(own)
	if err != nil {
		return 0, err
	}
	arena := m.Begin(kind)
	start := len(arena)
	switch base {
	case "Binary":
		if arena, err = scan.AppendBase64(arena, text); err != nil {
			return 0, invalidValue("The message attribute '%s' with type '%s' has a value that is not base64.", name, dataType)
		}
	case "Number":
		if !aws.IsNumber(text) {
			return 0, invalidValue("Could not cast message attribute '%s' value to number.", name)
		}
		arena = append(arena, text...)
	default:
		if !utf8.Valid(text) {
			return 0, invalidValue("The message attribute '%s' with type '%s' has a value that is not UTF-8.", name, dataType)
		}
		arena = append(arena, text...)
	}
	m.End(arena)
	return len(arena) - start, nil
}

// invalidValue is a ParameterValueInvalid.
func invalidValue(format string, args ...any) error {
	return &fault{400, codeInvalidValue, fmt.Sprintf(format, args...)}
}

// noDataType refuses an attribute without a type. The entry is the position in a batch, from 1; 0 outside one.
func noDataType(name []byte, entry int) error {
	path := fmt.Sprintf("messageAttributes.%s.member.dataType", name)
	if entry > 0 {
		path = fmt.Sprintf("publishBatchRequestEntries.%d.member.%s", entry, path)
	}
	return nullMember(path)
}

func nullMember(path string) error {
	return &fault{400, codeValidation, fmt.Sprintf("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", path)}
}

// hasAttribute reports whether the message has an attribute of the name. Messages have few.
func hasAttribute(m *engine.Message, name []byte) bool {
	for it := m.Attributes(); it.Next(); {
		if bytes.Equal(it.Name, name) {
			return true
		}
	}
	return false
}

// checkAttributeName says what is wrong with the name of an attribute.
func checkAttributeName(name []byte) error {
	if text := aws.AttributeNameFault(name); text != "" {
		return invalidValue("%s", text)
	}
	if isReserved(name) {
		return invalidValue("The message attribute name '%s' begins with a reserved prefix: AWS. or Amazon.", name)
	}
	return nil
}

// isReserved reports whether the name has a prefix that AWS keeps for itself, but for those which steer SMS and push.
func isReserved(name []byte) bool {
	return aws.HasPrefixFold(name, "amazon.") || aws.HasPrefixFold(name, "aws.") &&
		!bytes.HasPrefix(name, []byte("AWS.SNS.SMS.")) && !bytes.HasPrefix(name, []byte("AWS.SNS.MOBILE."))
}
