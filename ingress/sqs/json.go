package sqs

import (
	"fanfare/ingress/scan"
)

// Source: Amazon SQS API reference, "Making query API requests with the AWS JSON protocol"; the service model of the SDKs.

// scanJSON takes a request of the JSON protocol apart. Of members of one name the last counts; null is as good as absent.
func (c *call) scanJSON() error {
	if len(c.body) == 0 {
		return nil
	}
	s := &c.scanner
	s.Reset(c.body)
	if s.Next() != scan.JSONObject {
		return errSyntax
	}
	if err := c.jsonMembers(nil); err != nil {
		return err
	}
	if s.Next() != scan.JSONEnd {
		return errSyntax
	}
	return nil
}

// jsonMembers reads the members of an object that has begun: those of an entry, or of the top when e is nil.
func (c *call) jsonMembers(e *entry) error {
	return c.jsonRest(func() error { return c.jsonMember(e, c.scanner.Key(c.key[:0])) })
}

// jsonMember reads the value of one member.
func (c *call) jsonMember(e *entry, name []byte) error {
	f := &c.form
	top := e == nil
	if top {
		e = &f.top
	}
	switch p := paramOf(name); {
	case p < entryParams:
		return c.jsonValue(&e.values[p], p.isNumber())
	case p < params && top:
		return c.jsonValue(f.place(p), p.isNumber())
	}
	switch string(name) {
	case "MessageAttributes":
		return c.jsonAttributes(&e.attributes)
	case "MessageSystemAttributes":
		return c.jsonAttributes(&e.system)
	}
	if top {
		switch string(name) {
		case "Entries":
			return c.jsonEntries()
		case "Attributes":
			return c.jsonPairs(&f.attributes)
		case "tags", "Tags":
			f.tagsGiven = true
			return c.jsonPairs(&f.tags)
		}
		if l := jsonList(name); l < lists {
			return c.jsonList(l)
		}
	}
	c.scanner.Next()
	return c.jsonSkip()
}

// jsonList finds a list by its name in this protocol; lists for none.
func jsonList(name []byte) list {
	switch string(name) {
	case "AttributeNames":
		return listAttributes
	case "MessageSystemAttributeNames":
		return listSystemAttributes
	case "MessageAttributeNames":
		return listMessageAttributes
	case "TagKeys":
		return listTagKeys
	case "AWSAccountIds":
		return listAccounts
	case "Actions":
		return listActions
	}
	return lists
}

// jsonSkip passes over the value that has begun.
func (c *call) jsonSkip() error {
	if c.scanner.Skip() == nil {
		return errSyntax
	}
	return nil
}

// jsonValue reads a text, or a number.
func (c *call) jsonValue(place *[]byte, number bool) error {
	kind := c.scanner.Next()
	switch {
	case kind == scan.JSONNull:
		*place = nil
	case kind == scan.JSONNumber && number, kind == scan.JSONString && !number:
		*place = c.scanner.Text()
	case kind == scan.JSONInvalid:
		return errSyntax
	default:
		return wrongKind(kind, number)
	}
	return nil
}

// jsonBegin reads the beginning of an object or list; ok is false for null.
func (c *call) jsonBegin(want scan.JSONKind) (ok bool, err error) {
	switch kind := c.scanner.Next(); kind {
	case want:
		return true, nil
	case scan.JSONNull:
		return false, nil
	case scan.JSONInvalid:
		return false, errSyntax
	default:
		return false, errStructure
	}
}
