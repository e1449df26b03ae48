package filter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// orKey is the key whose value is an array of alternatives.
const orKey = "$or"

func fail(format string, args ...any) error {
	return &Error{"FilterPolicy: " + fmt.Sprintf(format, args...)}
}

func tooComplex() error { return fail("Filter policy is too complex") }

// Compile turns the text of a policy into a Policy. The error is an *Error.
func Compile(text []byte, scope Scope) (*Policy, error) {
	if len(text) > PolicyBytesMax {
		return nil, fail("Filter policy can not be longer than %d bytes", PolicyBytesMax)
	}
	tree, err := parseTree(text)
	if err != nil {
		return nil, err
	}
	if tree.kind != nodeObject {
		return nil, fail("Filter is not an object")
	}
	if len(tree.members) > keysMax {
		return nil, fail("Filter policy can not have more than %d keys", keysMax)
	}
	c := compiler{scope: scope, policy: &Policy{scope: scope}}
	combinations := 1
	if len(tree.members) > 0 {
		if combinations, err = c.object(tree, "", 1, 1, &c.policy.root); err != nil {
			return nil, err
		}
	}
	if combinations > combinationsMax {
		return nil, tooComplex()
	}
	if err := c.fields(); err != nil {
		return nil, err
	}
	return c.policy, nil
}

// compiler collects the keys of a policy before it looks at their values, since the faults of the structure are
// reported first.
type compiler struct {
	scope  Scope
	policy *Policy
	keys   []key
}

type key struct {
	path   string
	values []*node
}

// object adds an object's keys to a clause, and returns the combinations of values.
func (c *compiler) object(n *node, prefix string, depth, level int, into *clause) (combinations int, err error) {
	if len(n.members) == 0 {
		return 0, fail("Empty objects are not allowed")
	}
	if level > combinationsMax {
		return 0, tooComplex() // each level adds to the combinations
	}
	combinations = 1
	for _, m := range n.members {
		factor, err := c.member(m, prefix, depth, level, into)
		if err != nil {
			return 0, err
		}
		combinations = min(combinations*factor, combinationsMax+1)
	}
	return combinations, nil
}

func (c *compiler) member(m member, prefix string, depth, level int, into *clause) (combinations int, err error) {
	if m.name == orKey {
		return c.choice(m.value, prefix, depth, level, into)
	}
	switch m.value.kind {
	case nodeObject:
		if c.scope == MessageAttributes {
			return 0, &Error{"Filter policy scope MessageAttributes does not support nested filter policy"}
		}
		return c.object(m.value, prefix+m.name+".", depth+1, level+1, into)
	case nodeArray:
	default:
		return 0, fail("\"%s\" must be an object or an array", shorten(m.name))
	}
	n := len(m.value.elements)
	switch {
	case n == 0:
		return 0, fail("Empty arrays are not allowed")
	case n > combinationsMax || len(c.keys) == fieldsMax:
		return 0, tooComplex()
	}
	into.fields = append(into.fields, len(c.keys))
	c.keys = append(c.keys, key{prefix + m.name, m.value.elements})
	return n * depth, nil
}

// choice adds alternatives to a clause. Their combinations add up.
func (c *compiler) choice(n *node, prefix string, depth, level int, into *clause) (combinations int, err error) {
	if n.kind != nodeArray {
		return 0, fail("It must be an Array followed with %s.", orKey)
	}
	alternatives := make([]clause, len(n.elements))
	for i, e := range n.elements {
		if e.kind != nodeObject {
			return 0, fail("Only JSON object is allowed in array of %s relationship.", orKey)
		}
		more, err := c.object(e, prefix, depth, level+1, &alternatives[i])
		if err != nil {
			return 0, err
		}
		combinations = min(combinations+more, combinationsMax+1)
	}
	if len(alternatives) < 2 {
		return 0, fail("There must have at least 2 Objects in %s relationship.", orKey)
	}
	into.choices = append(into.choices, alternatives)
	return combinations, nil
}

// fields compiles what was collected.
func (c *compiler) fields() error {
	p := c.policy
	fields := make([]field, len(c.keys))
	order := make([]int, len(c.keys))
	for i, k := range c.keys {
		order[i] = i
		fields[i].path = k.path
		for _, value := range k.values {
			if err := fields[i].accept(value); err != nil {
				return err
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(fields[a].path, fields[b].path) })
	places := make([]int, len(order))
	for at, i := range order {
		places[i] = at
		p.fields = append(p.fields, fields[i])
		if fields[i].missing {
			p.absent.add(at)
		}
	}
	p.root.place(places)
	return nil
}

// place replaces the numbers of keys by those of fields.
func (c *clause) place(places []int) {
	for i, k := range c.fields {
		c.fields[i] = places[k]
		c.all.add(places[k])
	}
	for _, choice := range c.choices {
		for i := range choice {
			choice[i].place(places)
		}
	}
}

// shorten bounds what an error repeats of the policy.
func shorten(text string) string {
	const limit = 256
	if len(text) > limit {
		return strings.ToValidUTF8(text[:limit], "") + "..."
	}
	return text
}
