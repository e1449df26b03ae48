package sns

import (
	"encoding/json"
	"unicode/utf8"
)

// Source: Amazon SNS API reference, PutDataProtectionPolicy and GetDataProtectionPolicy, read 2026-11. A policy is
// checked, stored and returned; messages are not looked into.

const (
	labelProtection    = "sns.data_protection"
	protectionRunesMax = 30_720
)

func (c *call) putDataProtectionPolicy(p params) error {
	t, err := c.resourceTopic(p)
	if err != nil {
		return err
	}
	policy, ok := p["DataProtectionPolicy"]
	if !ok {
		return noValue("DataProtectionPolicy")
	}
	if err := checkProtection(policy); err != nil {
		return err
	}
	err = c.face.engine.UpdateTopic(t, func(labels map[string]string) {
		if labels[labelProtection] = policy; policy == "" {
			delete(labels, labelProtection)
		}
	})
	if err != nil {
		return err
	}
	c.replyNone("PutDataProtectionPolicy")
	return nil
}

func (c *call) getDataProtectionPolicy(p params) error {
	t, err := c.resourceTopic(p)
	if err != nil {
		return err
	}
	c.replyLeaf("GetDataProtectionPolicy", "DataProtectionPolicy", t.Label(labelProtection))
	return nil
}

// checkProtection refuses what is no data protection policy. An empty one is none.
func checkProtection(text string) error {
	if text == "" {
		return nil
	}
	if utf8.RuneCountInString(text) > protectionRunesMax {
		return invalid("DataProtectionPolicy Reason: longer than %d characters", protectionRunesMax)
	}
	var policy struct {
		Statement []struct{ DataDirection string }
	}
	if json.Unmarshal([]byte(text), &policy) != nil {
		return invalid("DataProtectionPolicy Reason: failed to parse JSON.")
	}
	for _, s := range policy.Statement {
		if s.DataDirection != "Inbound" && s.DataDirection != "Outbound" {
			return invalid("DataProtectionPolicy Reason: Statement DataDirection must be either Inbound or Outbound")
		}
	}
	return nil
}
