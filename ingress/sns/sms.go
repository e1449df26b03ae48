package sns

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SNS API reference, the actions for text messages, read 2026-11. What they set is stored and returned;
// who receives what is for the gateway to decide. A gateway that learns that a number does not want messages any more
// says so with OptOutPhoneNumber, which is not an action of AWS: there the operators' networks do.

const (
	smsAttributesKey = documentPrefix + "sms/attributes"
	optedOutPrefix   = documentPrefix + "sms/out/"

	phoneDigitsMin = 2
	phoneDigitsMax = 15
)

// isPhoneNumber reports whether a text is a number in the form E.164: up to fifteen digits, the first not 0, with or
// without a '+'.
func isPhoneNumber(number []byte) bool {
	if len(number) > 0 && number[0] == '+' {
		number = number[1:]
	}
	return len(number) >= phoneDigitsMin && len(number) <= phoneDigitsMax && number[0] != '0' && isDigits(number, len(number))
}

// smsAttributes are those of all text messages, with what they may be.
var smsAttributes = map[string]func(value string) bool{
	"MonthlySpendLimit":                 func(v string) bool { n, err := strconv.Atoi(v); return err == nil && n >= 0 },
	"DeliveryStatusIAMRole":             func(v string) bool { return len(v) <= attributeValueBytesMax },
	"DeliveryStatusSuccessSamplingRate": func(v string) bool { n, err := strconv.Atoi(v); return err == nil && n >= 0 && n <= 100 },
	"DefaultSenderID":                   isSenderID,
	"DefaultSMSType":                    func(v string) bool { return v == "Promotional" || v == "Transactional" },
	"UsageReportS3Bucket":               func(v string) bool { return len(v) <= attributeValueBytesMax },
}

// isSenderID reports whether a sender id has 1 to 11 letters and digits, one letter at least.
func isSenderID(id string) bool {
	letter := false
	for i := range len(id) {
		lower := id[i] | 0x20
		switch {
		case lower >= 'a' && lower <= 'z':
			letter = true
		case id[i] < '0' || id[i] > '9':
			return false
		}
	}
	return letter && len(id) <= 11
}

func notPrefixed(format string, args ...any) error {
	return &fault{400, codeInvalid, fmt.Sprintf(format, args...)}
}

func (c *call) setSMSAttributes(p params) error {
	given, err := p.pairs("attributes.entry")
	if err != nil {
		return err
	}
	for _, a := range given {
		switch valid, known := smsAttributes[a.key]; {
		case !known:
			return notPrefixed("%s is not a valid attribute", aws.Shorten(a.key))
		case a.value != "" && !valid(a.value):
			return notPrefixed("%s is invalid", a.key)
		}
	}
	if len(given) == 0 {
		return nullMember("attributes")
	}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		attributes := decodeAttributes(d.Get(smsAttributesKey))
		if attributes == nil {
			attributes = map[string]string{}
		}
		changed := map[string]string{}
		for _, a := range given {
			changed[a.key] = a.value
		}
		d.Put(smsAttributesKey, mergeAttributes(attributes, changed))
		return nil
	})
	return c.replyEmpty("SetSMSAttributes", err)
}

func (c *call) getSMSAttributes(p params) error {
	attributes := map[string]string{"MonthlySpendLimit": "1"}
	if document := c.face.engine.Document([]byte(smsAttributesKey)); document != nil {
		_ = json.Unmarshal(document, &attributes) // was written here
	}
	if names := p.list("attributes"); len(names) > 0 {
		for _, name := range names {
			if smsAttributes[name] == nil {
				return notPrefixed("%s is not a valid attribute", aws.Shorten(name))
			}
		}
		for name := range attributes {
			if !slices.Contains(names, name) {
				delete(attributes, name)
			}
		}
	}
	c.begin("GetSMSAttributes").entries("attributes", attributes)
	c.finish("GetSMSAttributes")
	return nil
}

// phoneNumber reads the number of an action and returns it with its '+'.
func (p params) phoneNumber(name string) (string, error) {
	number, ok := p[name]
	switch {
	case !ok:
		return "", noValue(name)
	case !isPhoneNumber([]byte(number)):
		return "", invalid("PhoneNumber Reason: input incorrectly formatted")
	}
	return "+" + strings.TrimPrefix(number, "+"), nil
}

func (c *call) checkIfPhoneNumberIsOptedOut(p params) error {
	number, err := p.phoneNumber("phoneNumber")
	if err != nil {
		return err
	}
	out := c.face.engine.Document([]byte(optedOutPrefix+number)) != nil
	c.replyLeaf("CheckIfPhoneNumberIsOptedOut", "isOptedOut", truthText(out))
	return nil
}

func (c *call) listPhoneNumbersOptedOut(p params) error {
	page, next, err := c.documentPage(p["nextToken"], optedOutPrefix, pageSize)
	if err != nil {
		return err
	}
	w := c.begin("ListPhoneNumbersOptedOut")
	if len(page) == 0 {
		w.empty("phoneNumbers")
	} else {
		w.open("phoneNumbers", "")
		for _, d := range page {
			w.leaf("member", strings.TrimPrefix(d.Key, optedOutPrefix))
		}
		w.close("phoneNumbers", "")
	}
	w.next("nextToken", next)
	c.finish("ListPhoneNumbersOptedOut")
	return nil
}

func (c *call) optInPhoneNumber(p params) error  { return c.opt("OptInPhoneNumber", p, false) }
func (c *call) optOutPhoneNumber(p params) error { return c.opt("OptOutPhoneNumber", p, true) }

func (c *call) opt(action string, p params, out bool) error {
	number, err := p.phoneNumber("phoneNumber")
	if err != nil {
		return err
	}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		if d.Delete(optedOutPrefix + number); out {
			d.Put(optedOutPrefix+number, []byte("{}"))
		}
		return nil
	})
	return c.replyEmpty(action, err)
}

// listOriginationNumbers answers with none: they are the gateway's.
func (c *call) listOriginationNumbers(p params) error {
	if _, err := p.maxResults(30); err != nil {
		return err
	}
	if _, err := parseToken(p["NextToken"]); err != nil {
		return err
	}
	c.begin("ListOriginationNumbers").empty("PhoneNumbers")
	c.finish("ListOriginationNumbers")
	return nil
}

// maxResults reads how many items a page may have; as many as there may be without a word.
func (p params) maxResults(limit int) (int, error) {
	text, ok := p["MaxResults"]
	if !ok {
		return limit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > limit {
		return 0, invalid("MaxResults Reason: must be between 1 and %d", limit)
	}
	return n, nil
}
