package sqs

import "fanfare/ingress/scan"

// The lists and maps of the JSON protocol.

// jsonArray reads a list, or null. The function reads a member that has begun.
func (c *call) jsonArray(item func(kind scan.JSONKind) error) error {
	ok, err := c.jsonBegin(scan.JSONArray)
	for ok && err == nil {
		switch kind := c.scanner.Next(); kind {
		case scan.JSONArrayEnd:
			return nil
		case scan.JSONInvalid:
			return errSyntax
		default:
			err = item(kind)
		}
	}
	return err
}

// jsonObject reads an object, or null. The function reads what belongs to a key.
func (c *call) jsonObject(member func() error) error {
	if ok, err := c.jsonBegin(scan.JSONObject); !ok {
		return err
	}
	return c.jsonRest(member)
}

// jsonRest reads what remains of an object that has begun.
func (c *call) jsonRest(member func() error) error {
	for {
		switch c.scanner.Next() {
		case scan.JSONObjectEnd:
			return nil
		case scan.JSONKey:
			if err := member(); err != nil {
				return err
			}
		default:
			return errSyntax
		}
	}
}

func (c *call) jsonEntries() error {
	f := &c.form
	for i := range f.entries[:f.count] {
		f.entries[i].reset()
	}
	f.count, f.sent = 0, 0
	return c.jsonArray(func(kind scan.JSONKind) error {
		if kind != scan.JSONObject {
			return errStructure
		}
		e := f.next(f.sent)
		if e == nil {
			return c.jsonSkip()
		}
		return c.jsonMembers(e)
	})
}

func (c *call) jsonList(l list) error {
	f := &c.form
	clear(f.lists[l])
	f.lists[l] = f.lists[l][:0]
	return c.jsonArray(func(kind scan.JSONKind) error {
		if kind != scan.JSONString {
			return wrongKind(kind, false)
		}
		return f.add(l, c.scanner.Text())
	})
}

func (c *call) jsonPairs(pairs *[]pair) error {
	clear(*pairs)
	*pairs = (*pairs)[:0]
	return c.jsonObject(func() error {
		p := pairKeyed(pairs, c.scanner.Text())
		if p == nil {
			return errListTooLong
		}
		return c.jsonValue(&p.value, false)
	})
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
	return c.jsonObject(func() error { return c.jsonAttribute(l.named(c.scanner.Text())) })
}

// jsonAttribute reads one; a is nil when it is one too many.
func (c *call) jsonAttribute(a *attribute) error {
	var ignored attribute
	if a == nil {
		a = &ignored
	}
	s := &c.scanner
	return c.jsonObject(func() error {
		switch string(s.Key(c.key[:0])) {
		case "DataType":
			return c.jsonValue(&a.dataType, false)
		case "StringValue":
			return c.jsonValue(&a.text, false)
		case "BinaryValue":
			return c.jsonValue(&a.binary, false)
		case "StringListValues":
			return c.jsonAny(&a.textList)
		case "BinaryListValues":
			return c.jsonAny(&a.binaryList)
		}
		s.Next()
		return c.jsonSkip()
	})
}

// jsonAny notes whether a list has a member.
func (c *call) jsonAny(has *bool) error {
	*has = false
	return c.jsonArray(func(scan.JSONKind) error {
		*has = true
		return c.jsonSkip()
	})
}
