package sqs

import (
	"encoding/base64"
	"strconv"

	"fanfare/engine"
)

// Source of the older protocol: Amazon SQS API reference, "Making Query API requests"; the order of the parameters as
// botocore 1.29 sends them.

const formHeader = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nUser-Agent: fanfare\r\n"

func (e *encoder) appendFormCall(dst []byte, m *engine.Message, text []byte) []byte {
	dst = append(dst, e.formHead...)
	encoded := !sayable(text)
	if encoded {
		dst = appendForm64(dst, text)
	} else {
		dst = appendForm(dst, text)
	}
	start := len(dst)
	dst = e.appendGroup(dst, m)
	dst = appendStagedForm(dst, start, "&MessageGroupId=")
	if e.fifo {
		start = len(dst)
		dst = e.appendDeduplication(dst, m)
		dst = appendStagedForm(dst, start, "&MessageDeduplicationId=")
	}
	dst = e.appendFormAttributes(dst, m, encoded)
	if trace := m.Get(engine.FieldTrace); len(trace) > 0 && sayable(trace) {
		dst = append(dst, "&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String"+
			"&MessageSystemAttribute.1.Value.StringValue="...)
		dst = appendForm(dst, trace)
	}
	return dst
}

// appendStagedForm is appendStaged in this protocol.
func appendStagedForm(dst []byte, start int, name string) []byte {
	end := len(dst)
	if end == start {
		return dst
	}
	dst = append(dst, name...)
	dst = appendForm(dst, dst[start:end])
	return append(dst[:start], dst[end:]...)
}

func (e *encoder) appendFormAttributes(dst []byte, m *engine.Message, encoded bool) []byte {
	n := 0
	if encoded {
		n++
		dst = appendFormKey(dst, n, "Name=")
		dst = append(dst, encodingAttribute...)
		dst = appendFormKey(dst, n, "Value.DataType=String")
		dst = appendFormKey(dst, n, "Value.StringValue=base64")
	}
	if !e.travel(m, encoded) {
		return dst
	}
	for it := m.Attributes(); it.Next(); {
		n++
		dst = appendForm(appendFormKey(dst, n, "Name="), it.Name)
		dst = appendForm(appendFormKey(dst, n, "Value.DataType="), it.Type)
		if it.Binary {
			dst = appendForm64(appendFormKey(dst, n, "Value.BinaryValue="), it.Value)
		} else {
			dst = appendForm(appendFormKey(dst, n, "Value.StringValue="), it.Value)
		}
	}
	return dst
}

// appendFormKey begins a parameter of an attribute.
func appendFormKey(dst []byte, n int, rest string) []byte {
	dst = append(dst, "&MessageAttribute."...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, '.')
	return append(dst, rest...)
}

// appendForm appends a value of a form, with all but the unreserved characters escaped.
func appendForm(dst, text []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range text {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// appendForm64 appends a value in base64.
func appendForm64(dst, value []byte) []byte {
	start := len(dst)
	dst = base64.StdEncoding.AppendEncode(dst, value)
	end := len(dst)
	dst = appendForm(dst, dst[start:end])
	return append(dst[:start], dst[end:]...)
}
