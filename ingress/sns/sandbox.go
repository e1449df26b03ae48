package sns

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"fanfare/engine"
)

// Source: Amazon SNS API reference, the actions of the SMS sandbox, read 2026-11. There is no sandbox here: every number
// may be sent to. The list of numbers is kept, and a number is verified with the code that the gateway sends to it.

const (
	sandboxPrefix      = documentPrefix + "sms/sandbox/"
	sandboxNumbersMax  = 10
	statusPending      = "Pending"
	statusVerified     = "Verified"
	oneTimePasswordMax = 1_000_000
)

// sandboxNumber is what is kept of a number.
type sandboxNumber struct {
	Status   string
	Password string `json:",omitempty"` // that verifies it
}

func (c *call) getSMSSandboxAccountStatus(params) error {
	c.replyLeaf("GetSMSSandboxAccountStatus", "IsInSandbox", "false")
	return nil
}

var languages = map[string]bool{
	"en-US": true, "en-GB": true, "es-419": true, "es-ES": true, "de-DE": true, "fr-CA": true, "fr-FR": true, "it-IT": true,
	"ja-JP": true, "pt-BR": true, "kr-KR": true, "zh-CN": true, "zh-TW": true,
}

// createSMSSandboxPhoneNumber adds a number and has a code sent to it.
func (c *call) createSMSSandboxPhoneNumber(p params) error {
	number, err := p.phoneNumber("PhoneNumber")
	if err != nil {
		return err
	}
	if language := p["LanguageCode"]; language != "" && !languages[language] {
		return invalid("LanguageCode")
	}
	if c.face.engine.Document([]byte(optedOutPrefix+number)) != nil {
		return &fault{400, "OptedOut", "The phone number has opted out of receiving messages"}
	}
	t, err := c.face.directTopic(protocolSMS)
	if err != nil {
		return err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(oneTimePasswordMax))
	if err != nil {
		return err
	}
	fresh := sandboxNumber{statusPending, fmt.Sprintf("%06d", n)}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		known := d.Get(sandboxPrefix+number) != nil
		if !known && len(d.List(sandboxPrefix, "", sandboxNumbersMax)) == sandboxNumbersMax {
			return &fault{400, "UserError", fmt.Sprintf("There are %d phone numbers in the sandbox already", sandboxNumbersMax)}
		}
		d.Put(sandboxPrefix+number, []byte(writePolicy(fresh)))
		return nil
	})
	if err != nil {
		return err
	}
	m := engine.NewMessage()
	defer m.Release()
	m.SetOrigin(engine.OriginSNS)
	m.Set(engine.FieldKeys, []byte(number))
	m.Set(engine.FieldBody, []byte("Your verification code is "+fresh.Password+"."))
	return c.replyEmpty("CreateSMSSandboxPhoneNumber", c.face.engine.Publish(t, m))
}

// verifySMSSandboxPhoneNumber takes the code that was sent to a number.
func (c *call) verifySMSSandboxPhoneNumber(p params) error {
	number, err := p.phoneNumber("PhoneNumber")
	if err != nil {
		return err
	}
	password, err := p.required("OneTimePassword")
	if err != nil {
		return err
	}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		known := decodeSandboxNumber(d.Get(sandboxPrefix + number))
		switch {
		case known.Status == "":
			return errNoResource
		case known.Status == statusVerified:
			return nil
		case subtle.ConstantTimeCompare([]byte(known.Password), []byte(password)) != 1:
			return &fault{400, "VerificationException", "The one-time password is not the one that was sent"}
		}
		d.Put(sandboxPrefix+number, []byte(writePolicy(sandboxNumber{Status: statusVerified})))
		return nil
	})
	return c.replyEmpty("VerifySMSSandboxPhoneNumber", err)
}

func decodeSandboxNumber(document []byte) (n sandboxNumber) {
	_ = json.Unmarshal(document, &n) // was written here; nil leaves it empty
	return n
}

func (c *call) deleteSMSSandboxPhoneNumber(p params) error {
	number, err := p.phoneNumber("PhoneNumber")
	if err != nil {
		return err
	}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		if d.Get(sandboxPrefix+number) == nil {
			return errNoResource
		}
		d.Delete(sandboxPrefix + number)
		return nil
	})
	return c.replyEmpty("DeleteSMSSandboxPhoneNumber", err)
}

func (c *call) listSMSSandboxPhoneNumbers(p params) error {
	size, err := p.maxResults(pageSize)
	if err != nil {
		return err
	}
	page, next, err := c.documentPage(p["NextToken"], sandboxPrefix, size)
	if err != nil {
		return err
	}
	w := c.begin("ListSMSSandboxPhoneNumbers")
	w.list("PhoneNumbers", len(page), func(i int) {
		w.leaf("PhoneNumber", strings.TrimPrefix(page[i].Key, sandboxPrefix))
		w.leaf("Status", decodeSandboxNumber(page[i].Value).Status)
	})
	w.next("NextToken", next)
	c.finish("ListSMSSandboxPhoneNumbers")
	return nil
}
