package aws

import (
	"bytes"
	"encoding/json"
	"slices"
)

// policyBytesMax is how long a policy may be.
const policyBytesMax = 30 << 10

// Policy is an access policy whose statements are kept as they were given.
type Policy struct {
	Version   string            `json:"Version,omitempty"`
	ID        string            `json:"Id,omitempty"`
	Statement []json.RawMessage `json:"Statement"`
}

// Statement is what is looked at of one.
type Statement struct {
	Sid       string
	Effect    string
	Action    Words
	NotAction Words
}

// Words is a text or a list of texts; one is written without its list.
type Words []string

// UnmarshalJSON reads either form.
func (w *Words) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*w = Words{""}
		return json.Unmarshal(text, &(*w)[0])
	}
	return json.Unmarshal(text, (*[]string)(w))
}

// MarshalJSON writes the shorter form.
func (w Words) MarshalJSON() ([]byte, error) {
	if len(w) == 1 {
		return json.Marshal(w[0])
	}
	return json.Marshal([]string(w))
}

// ReadPolicy takes a policy apart; ok is false when it is none.
func ReadPolicy(text string) (policy Policy, statements []Statement, ok bool) {
	var outer struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if len(text) > policyBytesMax || json.Unmarshal([]byte(text), &outer) != nil {
		return policy, nil, false
	}
	policy.Version, policy.ID = outer.Version, outer.ID
	if raw := bytes.TrimSpace(outer.Statement); len(raw) > 0 && raw[0] == '{' {
		policy.Statement = []json.RawMessage{raw}
	} else if json.Unmarshal(raw, &policy.Statement) != nil {
		return policy, nil, false
	}
	for _, raw := range policy.Statement {
		var s Statement
		if json.Unmarshal(raw, &s) != nil || s.Effect != "Allow" && s.Effect != "Deny" || s.Action == nil && s.NotAction == nil {
			return policy, nil, false
		}
		statements = append(statements, s)
	}
	return policy, statements, true
}

// Index finds a statement by its name, -1 for none.
func (p *Policy) Index(label string) int {
	return slices.IndexFunc(p.Statement, func(raw json.RawMessage) bool {
		var s Statement
		return json.Unmarshal(raw, &s) == nil && s.Sid == label
	})
}

// Remove takes a statement out.
func (p *Policy) Remove(i int) { p.Statement = slices.Delete(p.Statement, i, i+1) }

// Allow adds a statement that lets accounts do something.
func (p *Policy) Allow(label string, accounts, actions []string, resource string) error {
	grant := struct { // its members are written in this order
		Sid       string
		Effect    string
		Principal struct{ AWS Words }
		Action    Words
		Resource  string
	}{Sid: label, Effect: "Allow", Action: actions, Resource: resource}
	for _, account := range accounts {
		grant.Principal.AWS = append(grant.Principal.AWS, "arn:aws:iam::"+account+":root")
	}
	text, err := marshal(grant)
	if err == nil {
		p.Statement = append(p.Statement, text)
	}
	return err
}

// Text is the policy in JSON.
func (p *Policy) Text() (string, error) {
	text, err := marshal(p)
	return string(text), err
}

// marshal writes JSON without the escapes that only HTML needs.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
