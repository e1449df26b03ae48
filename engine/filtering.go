package engine

import (
	"sync"

	"fanfare/engine/filter"
	"fanfare/engine/jsontext"
)

// CompiledFilter is a filter policy ready for use, and what it was made from. It goes with a copy of the configuration, so
// that a change of something else compiles nothing.
type CompiledFilter struct {
	policy, scope string
	use           *filter.Policy // immutable; nil: everything passes
}

// Equal reports whether two were made from the same.
func (f CompiledFilter) Equal(o CompiledFilter) bool {
	return f.policy == o.policy && f.scope == o.scope
}

// CompileFilter makes the filter policy ready for Matches, unless it is. The engine does so before it publishes a
// configuration; others need it for one that they decoded themselves. It returns what is wrong, nil for nothing.
func (c *SubscriptionConfig) CompileFilter() *FieldError {
	if c.FilterPolicy == c.Filter.policy && c.FilterPolicyScope == c.Filter.scope {
		return nil
	}
	made := CompiledFilter{policy: c.FilterPolicy, scope: c.FilterPolicyScope}
	scope, ok := filter.ParseScope(c.FilterPolicyScope)
	if !ok && c.FilterPolicyScope != "" {
		return &FieldError{"filter_policy_scope", "must be " + filter.MessageAttributes.String() + " or " + filter.MessageBody.String()}
	}
	if c.FilterPolicy != "" {
		var err error
		if made.use, err = filter.Compile([]byte(c.FilterPolicy), scope); err != nil {
			return &FieldError{"filter_policy", err.Error()}
		}
	}
	c.Filter = made
	return nil
}

// compileStored is CompileFilter for a configuration from the store. A policy that this version does not understand lets
// everything pass: what is owed may arrive unwanted, but is not lost. It is kept as it is until somebody sets another.
func (e *Engine) compileStored(t *Topic, c *SubscriptionConfig) {
	err := c.CompileFilter()
	if err == nil {
		return
	}
	c.Filter = CompiledFilter{policy: c.FilterPolicy, scope: c.FilterPolicyScope}
	e.opts.Log.Error().Err(err).Str("topic", t.Name()).Str("subscription", c.Name).
		Msg("a stored filter policy is not understood; the subscription gets every message until it has another")
}

// passes reports whether the filter policy lets a message through. It does not allocate.
func (c *SubscriptionConfig) passes(m *Message) bool {
	p := c.Filter.use
	if p == nil {
		return true
	}
	if p.Scope() == filter.MessageBody {
		return c.bodyPasses(p, m)
	}
	var e filter.Evaluation
	for it := m.Attributes(); it.Next(); {
		if !it.Binary {
			p.Attribute(&e, it.Name, it.Type, it.Value)
		}
	}
	return p.Verdict(&e)
}

// bodyPasses looks at the text that the subscription's protocol gets.
func (c *SubscriptionConfig) bodyPasses(p *filter.Policy, m *Message) bool {
	structure := m.Get(FieldStructure)
	if structure == nil {
		return p.MatchBody(m.Body())
	}
	literal, ok := jsontext.ByProtocol(structure, c.Protocol)
	if !ok {
		return p.MatchBody(m.Body())
	}
	text := unescaped.Get().(*[]byte)
	*text = jsontext.AppendUnescaped((*text)[:0], literal)
	passes := p.MatchBody(*text)
	if cap(*text) <= messageBytesKept {
		unescaped.Put(text)
	}
	return passes
}

// unescaped keeps memory for texts by protocol, which stand in a message with their escapes.
var unescaped = sync.Pool{New: func() any { return new([]byte) }}
