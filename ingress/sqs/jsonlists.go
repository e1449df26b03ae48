package sqs

import "fanfare/ingress/scan"

// The lists and maps of the JSON protocol.

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
