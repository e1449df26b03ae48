package sns

import (
	"bytes"
	"cmp"
	"encoding/json"

	"fanfare/engine"
	"fanfare/engine/filter"
	"fanfare/ingress/aws"
)

// Source: Amazon SNS developer guide, "Message filtering", read in 2026; texts as recorded from AWS.

// filterSettings are the filter attributes that a caller wants a subscription to have; nil is one that was not given.
type filterSettings struct {
	policy *string // FilterPolicy as it was given; "" for none
	scope  *string // FilterPolicyScope
}

// read takes over one of the attributes. Whether the policy is one of its scope is known when all have been read.
func (s *filterSettings) read(name, value string) (fault string) {
	if name == "FilterPolicyScope" {
		if _, ok := filter.ParseScope(value); !ok {
			return "FilterPolicyScope: Invalid value [" + aws.Shorten(value) + "]. Please use either MessageBody or MessageAttributes"
		}
		s.scope = &value
		return ""
	}
	if compact(value) == "{}" {
		value = ""
	}
	s.policy = &value
	return ""
}

// check says what is wrong with the policy that a subscription will have, "" for nothing.
func (s *filterSettings) check(have *engine.SubscriptionConfig) (fault string) {
	if *s == (filterSettings{}) {
		return ""
	}
	want := *have
	s.apply(&want)
	if want.FilterPolicy == "" {
		return ""
	}
	scope, _ := filter.ParseScope(want.FilterPolicyScope)
	if _, err := filter.Compile([]byte(want.FilterPolicy), scope); err != nil {
		return err.Error()
	}
	return ""
}

func (s *filterSettings) apply(config *engine.SubscriptionConfig) {
	if s.policy != nil {
		config.FilterPolicy = *s.policy
	}
	if s.scope != nil {
		config.FilterPolicyScope = *s.scope
	}
}

// stored reports whether a subscription has what was asked.
func (s *filterSettings) stored(config *engine.SubscriptionConfig) bool {
	return (s.policy == nil || compact(*s.policy) == compact(config.FilterPolicy)) &&
		(s.scope == nil || *s.scope == scopeOf(config))
}

// scopeOf is the scope of a subscription's policy, be it set or not.
func scopeOf(config *engine.SubscriptionConfig) string {
	return cmp.Or(config.FilterPolicyScope, filter.MessageAttributes.String())
}

// addFilter adds the filter attributes, which are shown together, and only while there is a policy.
func addFilter(attributes map[string]string, config *engine.SubscriptionConfig) {
	if config.FilterPolicy != "" {
		attributes["FilterPolicy"] = config.FilterPolicy
		attributes["FilterPolicyScope"] = scopeOf(config)
	}
}

// compact is a JSON text without white space; what is no JSON stays as it is.
func compact(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return text
	}
	return b.String()
}
