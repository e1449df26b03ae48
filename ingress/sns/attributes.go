package sns

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/scan"
)

// attributeNameBytesMax is the longest name of an attribute.
const attributeNameBytesMax = 256

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
	name, err := c.decodeKey(a.name)
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
		return 0, errEncoding
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
	base, suffix, dotted := bytes.Cut(dataType, []byte("."))
	if utf8.Valid(dataType) && (!dotted || len(suffix) > 0) {
		switch string(base) {
		case "String":
			return "String", nil
		case "Number":
			return "Number", nil
		case "Binary":
			return "Binary", nil
		}
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
		if !isNumber(text) {
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
	switch {
	case len(name) == 0:
		return invalidValue("Message attribute name can not be empty.")
	case len(name) > attributeNameBytesMax:
		return invalidValue("Length of message attribute name must be less than 256 bytes.")
	case name[0] == '.':
		return invalidValue("Invalid message attribute name starting with character '.' was found.")
	case name[len(name)-1] == '.':
		return invalidValue("Invalid message attribute name ending with character '.' was found.")
	case bytes.Contains(name, []byte("..")):
		return invalidValue("Message attribute name can not have successive '.' character.")
	}
	for i, b := range name {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.' {
			continue
		}
		r, _ := utf8.DecodeRune(name[i:])
		return invalidValue("Invalid non-alphanumeric character '#x%02X' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.", r)
	}
	if isReserved(name) {
		return invalidValue("The message attribute name '%s' begins with a reserved prefix: AWS. or Amazon.", name)
	}
	return nil
}

// isReserved reports whether the name has a prefix that AWS keeps for itself, but for those which steer SMS and push.
func isReserved(name []byte) bool {
	prefixed := func(lower string) bool {
		return len(name) >= len(lower) && equalFold(name[:len(lower)], lower)
	}
	return prefixed("amazon.") ||
		prefixed("aws.") && !bytes.HasPrefix(name, []byte("AWS.SNS.SMS.")) && !bytes.HasPrefix(name, []byte("AWS.SNS.MOBILE."))
}

// isNumber reports whether the text is a decimal number, with an exponent if need be.
func isNumber(text []byte) bool {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	digits := func() (n int) {
		for len(text) > 0 && text[0] >= '0' && text[0] <= '9' {
			text = text[1:]
			n++
		}
		return n
	}
	n := digits()
	if len(text) > 0 && text[0] == '.' {
		text = text[1:]
		n += digits()
	}
	if n == 0 {
		return false
	}
	if len(text) > 0 && text[0]|0x20 == 'e' {
		text = text[1:]
		if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
			text = text[1:]
		}
		if digits() == 0 {
			return false
		}
	}
	return len(text) == 0
}
