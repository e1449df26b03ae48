package filter

import "errors"

// Limits of a policy and of what is matched.
const (
	PolicyBytesMax = 256 << 10
	DepthMax       = 256 // of the JSON in a body or attribute

	keysMax         = 5   // at the top
	combinationsMax = 150 // of one value for each key
	fieldsMax       = 256 // keys with an array, in all alternatives together
)

// Scope is where a policy looks for its keys.
type Scope uint8

// The scopes.
const (
	MessageAttributes Scope = iota
	MessageBody
)

// ParseScope reads a scope's name.
func ParseScope(name string) (s Scope, ok bool) {
	switch name {
	case "MessageAttributes":
		return MessageAttributes, true
	case "MessageBody":
		return MessageBody, true
	}
	return MessageAttributes, false
}

func (s Scope) String() string {
	if s == MessageBody {
		return "MessageBody"
	}
	return "MessageAttributes"
}

// ErrPolicy is what every Error is.
var ErrPolicy = errors.New("filter: the policy is not valid")

// Error says in SNS's words what is wrong with a policy.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Unwrap makes an Error an ErrPolicy.
func (e *Error) Unwrap() error { return ErrPolicy }

// Policy is a compiled policy. It does not change.
type Policy struct {
	scope  Scope
	fields []field // sorted by path; a path may occur more than once, in different alternatives
	root   clause
	absent set // fields that are met when nothing is found for them
}

// Scope is where the policy looks.
func (p *Policy) Scope() Scope { return p.scope }

// clause holds when all its fields are met and each of its choices has a clause that holds.
type clause struct {
	all     set
	fields  []int // the same as numbers, while compiling and for the index
	choices [][]clause
}

// set is a set of fields.
type set [fieldsMax / 64]uint64

func (s *set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// covers reports whether every member of the other is one of this.
func (s *set) covers(o *set) bool {
	for i := range s {
		if o[i]&^s[i] != 0 {
			return false
		}
	}
	return true
}

// Evaluation is what is known of one message under one policy. The zero value knows nothing.
type Evaluation struct {
	found set // fields for which there is something
	met   set // fields that are met
}

// Verdict says whether the message matches, when the policy has been shown all there is.
func (p *Policy) Verdict(e *Evaluation) bool {
	for i := range e.met {
		e.met[i] |= p.absent[i] &^ e.found[i]
	}
	return p.root.holds(&e.met)
}

func (c *clause) holds(met *set) bool {
	if !met.covers(&c.all) {
		return false
	}
	for _, choice := range c.choices {
		if !anyHolds(choice, met) {
			return false
		}
	}
	return true
}

func anyHolds(choice []clause, met *set) bool {
	for i := range choice {
		if choice[i].holds(met) {
			return true
		}
	}
	return false
}
