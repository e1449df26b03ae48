package engine

import (
	"slices"
	"sync"

	"fanfare/engine/filter"
)

// interest finds the subscriptions of a topic that a message may concern by the values they filter for: a tag, or values
// of a key in a filter policy. It is kept up to date under the catalog's lock, and asked by the topic's dispatcher.
type interest struct {
	mu       sync.Mutex
	tags     map[string][]*Subscription            // guarded by mu: by FilterTag
	policies filter.Index[*Subscription]           // guarded by mu
	found    map[*Subscription]*SubscriptionConfig // guarded by mu: those in the two above, as they were added
	rest     []*Subscription                       // guarded by mu: those that every message may concern
}

// findable reports whether the subscription can be found by a value.
func (c *SubscriptionConfig) findable() bool {
	return c != nil && (c.FilterTag != "" || c.Filter.use != nil && c.Filter.use.Findable())
}

// findLocked follows a change of a subscription's settings; old is nil for a new one, config for one that goes.
func (e *Engine) findLocked(s *Subscription, old, config *SubscriptionConfig) {
	t := s.Topic
	if old.findable() {
		t.findable--
	}
	if config.findable() {
		t.findable++
	}
	x := t.interest.Load()
	switch {
	case x != nil:
		x.change(s, config)
	case t.findable >= e.opts.FindFrom:
		x = &interest{tags: map[string][]*Subscription{}, found: map[*Subscription]*SubscriptionConfig{}}
		for _, o := range t.Subscriptions() {
			x.add(o, o.Config())
		}
		t.interest.Store(x)
	}
}

// change replaces a subscription's settings.
func (x *interest) change(s *Subscription, config *SubscriptionConfig) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(s)
	if config != nil {
		x.add(s, config)
	}
}

// add adds a subscription. The caller holds mu, or is the only one that knows of x.
func (x *interest) add(s *Subscription, config *SubscriptionConfig) {
	switch {
	case config.FilterTag != "":
		x.tags[config.FilterTag] = append(x.tags[config.FilterTag], s)
	case config.Filter.use == nil || !x.policies.Add(config.Filter.use, s):
		x.rest = append(x.rest, s)
		return
	}
	x.found[s] = config
}

func (x *interest) remove(s *Subscription) {
	config := x.found[s]
	delete(x.found, s)
	switch {
	case config == nil:
		x.rest = without(x.rest, s)
	case config.FilterTag != "":
		if left := without(x.tags[config.FilterTag], s); len(left) > 0 {
			x.tags[config.FilterTag] = left
		} else {
			delete(x.tags, config.FilterTag)
		}
	default:
		x.policies.Remove(config.Filter.use, s)
	}
}

func without(all []*Subscription, s *Subscription) []*Subscription {
	if at := slices.Index(all, s); at >= 0 {
		return slices.Delete(all, at, at+1)
	}
	return all
}

// Finds reports whether the topic knows which of its subscriptions a message may concern.
func (t *Topic) Finds() bool { return t.interest.Load() != nil }

// Interested returns the subscriptions that a message may concern, some perhaps twice; each has still to be asked. They
// are appended to dst, unless they are all there are: then it is the topic's snapshot, which must not be changed. Only for
// the egress worker that owns the topic.
func (t *Topic) Interested(dst []*Subscription, m *Message) (subs []*Subscription, all bool) {
	if x := t.interest.Load(); x != nil {
		if subs, told := x.appendInterested(dst, m); told {
			return subs, false
		}
	}
	return t.Subscriptions(), true
}

func (x *interest) appendInterested(dst []*Subscription, m *Message) (subs []*Subscription, told bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	dst = append(dst, x.rest...)
	if tag := m.Tag(); tag != nil {
		dst = append(dst, x.tags[string(tag)]...)
	}
	if x.policies.HasAttributes() {
		for it := m.Attributes(); it.Next(); {
			if it.Binary {
				continue
			}
			if dst, told = x.policies.AppendAttribute(dst, it.Name, it.Type, it.Value); !told {
				return dst, false
			}
		}
	}
	if !x.policies.HasBodies() {
		return dst, true
	}
	if m.Has(FieldStructure) {
		return dst, false // each protocol has a text of its own
	}
	return x.policies.AppendBody(dst, m.Body())
}
