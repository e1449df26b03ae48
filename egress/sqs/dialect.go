package sqs

import (
	"bytes"
	"sync/atomic"
	"time"
)

// dialect is the protocol that a queue's server speaks, as far as its answers have shown: JSON, or the older one of forms.
// One that does not know JSON is asked again, with one message, when an hour is over: it may be newer then.
type dialect struct {
	formUntil atomic.Int64 // ms since 1970: until then forms are spoken; 0: JSON is
}

const formTime = time.Hour

// speaksForm reports whether the next call is a form.
func (d *dialect) speaksForm() bool {
	until := d.formUntil.Load()
	if until == 0 {
		return false
	}
	now := time.Now()
	return now.UnixMilli() < until || !d.formUntil.CompareAndSwap(until, now.Add(formTime).UnixMilli())
}

// Second reports whether a body is a form.
func (*dialect) Second(body []byte) bool { return len(body) > 0 && body[0] != '{' }

// Learn sees an answer, and reports whether JSON was not understood.
func (d *dialect) Learn(second bool, status int, body []byte) bool {
	switch {
	case second:
		return false
	case status >= 200 && status <= 299:
		if d.formUntil.Load() != 0 && isObject(body) {
			d.formUntil.Store(0)
		}
		return false
	case !unknownProtocol(status, body):
		return false
	}
	d.formUntil.Store(time.Now().Add(formTime).UnixMilli())
	return true
}

// unknownProtocol reports whether an answer is one of a server that did not understand the question.
func unknownProtocol(status int, body []byte) bool {
	switch status {
	case 400, 404, 405, 415, 501:
	default:
		return false
	}
	if !isObject(body) {
		return true
	}
	switch string(errorCode(body)) {
	case "UnknownOperationException", "UnknownOperation", "InvalidAction", "MissingAction", "UnsupportedOperation", "NotImplemented":
		return true
	}
	return false
}

// isObject reports whether a text begins like a JSON object.
func isObject(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '{'
}
