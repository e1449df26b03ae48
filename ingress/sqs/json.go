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
	s := &c.scanner
	for {
		switch s.Next() {
		case scan.JSONObjectEnd:
			return nil
		case scan.JSONKey:
			if err := c.jsonMember(e, s.Key(c.key[:0])); err != nil {
				return err
			}
		default:
			return errSyntax
		}
	}
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

func (c *call) jsonEntries() error {
	f := &c.form
	for i := range f.entries[:f.count] {
		f.entries[i].reset()
	}
	f.count, f.sent = 0, 0
	ok, err := c.jsonBegin(scan.JSONArray)
	if !ok {
		return err
	}
	for {
		switch c.scanner.Next() {
		case scan.JSONArrayEnd:
			return nil
		case scan.JSONObject:
			e := f.next(f.sent)
			if e == nil {
				err = c.jsonSkip()
			} else {
				err = c.jsonMembers(e)
			}
			if err != nil {
				return err
			}
		case scan.JSONInvalid:
			return errSyntax
		default:
			return errStructure
		}
	}
}

func (c *call) jsonList(l list) error {
	f := &c.form
	clear(f.lists[l])
	f.lists[l] = f.lists[l][:0]
	ok, err := c.jsonBegin(scan.JSONArray)
	if !ok {
		return err
	}
	for {
		switch kind := c.scanner.Next(); kind {
		case scan.JSONArrayEnd:
			return nil
		case scan.JSONString:
			if err := f.add(l, c.scanner.Text()); err != nil {
				return err
			}
		case scan.JSONInvalid:
			return errSyntax
		default:
			return wrongKind(kind, false)
		}
	}
}

func (c *call) jsonPairs(pairs *[]pair) error {
	clear(*pairs)
	*pairs = (*pairs)[:0]
	ok, err := c.jsonBegin(scan.JSONObject)
	if !ok {
		return err
	}
	for {
		switch c.scanner.Next() {
		case scan.JSONObjectEnd:
			return nil
		case scan.JSONKey:
			key := c.scanner.Text()
			p := pairKeyed(pairs, key)
			if p == nil {
				return errListTooLong
			}
			if err := c.jsonValue(&p.value, false); err != nil {
				return err
			}
		default:
			return errSyntax
		}
	}
}

// pairKeyed finds the member with a key as it is written, or makes it; nil when there are too many.
func pairKeyed(pairs *[]pair, key []byte) *pair {
	for i := range *pairs {
		if string((*pairs)[i].key) == string(key) {
			return &(*pairs)[i]
		}
	}
	if len(*pairs) == listMax {
		return nil
	}
	*pairs = append(*pairs, pair{key: key})
	return &(*pairs)[len(*pairs)-1]
}

// jsonAttributes reads the attributes of a message.
func (c *call) jsonAttributes(l *attributeList) error {
	l.reset()
	ok, err := c.jsonBegin(scan.JSONObject)
	if !ok {
		return err
	}
	for {
		switch c.scanner.Next() {
		case scan.JSONObjectEnd:
			return nil
		case scan.JSONKey:
			a := l.named(c.scanner.Text())
			if ok, err := c.jsonBegin(scan.JSONObject); err != nil || !ok {
				if err != nil {
					return err
				}
				continue
			}
			if err := c.jsonAttribute(a); err != nil {
				return err
			}
		default:
			return errSyntax
		}
	}
}

// jsonAttribute reads the members of one; a is nil when it is one too many.
func (c *call) jsonAttribute(a *attribute) error {
	var ignored attribute
	if a == nil {
		a = &ignored
	}
	s := &c.scanner
	for {
		switch s.Next() {
		case scan.JSONObjectEnd:
			return nil
		case scan.JSONKey:
			var err error
			switch string(s.Key(c.key[:0])) {
			case "DataType":
				err = c.jsonValue(&a.dataType, false)
			case "StringValue":
				err = c.jsonValue(&a.text, false)
			case "BinaryValue":
				err = c.jsonValue(&a.binary, false)
			case "StringListValues":
				err = c.jsonAny(&a.textList)
			case "BinaryListValues":
				err = c.jsonAny(&a.binaryList)
			default:
				s.Next()
				err = c.jsonSkip()
			}
			if err != nil {
				return err
			}
		default:
			return errSyntax
		}
	}
}

// jsonAny notes whether a list has a member.
func (c *call) jsonAny(has *bool) error {
	ok, err := c.jsonBegin(scan.JSONArray)
	if *has = false; !ok {
		return err
	}
	for {
		switch c.scanner.Next() {
		case scan.JSONArrayEnd:
			return nil
		case scan.JSONInvalid:
			return errSyntax
		default:
			*has = true
			if err := c.jsonSkip(); err != nil {
				return err
			}
		}
	}
}
