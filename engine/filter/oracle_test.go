package filter

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// The oracle is the second matcher. It shares nothing with the first: it keeps trees, flattens the message into lists of
// values by path, multiplies the policy out into alternatives without "$or", and leaves numbers and addresses to the
// standard library.

// other is a Number attribute that is no number; the other values are what encoding/json decodes to.
type other struct{}

// found is what a message has, by path. A path with an empty list is there without a value.
type found map[string][]any

// rule is a key and the values it accepts.
type rule struct {
	path   string
	values []any
}

func oracleMatch(policy string, scope Scope, body []byte, attributes []attribute) bool {
	var tree map[string]any
	d := json.NewDecoder(strings.NewReader(policy))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		panic(err)
	}
	if len(tree) == 0 {
		return true
	}
	message := found{}
	if scope == MessageBody {
		if !flattenBody(body, message) {
			return false
		}
	} else {
		flattenAttributes(attributes, message)
	}
	for _, alternative := range multiply(tree, "") {
		if holdsAll(alternative, message) {
			return true
		}
	}
	return false
}

// multiply returns the alternatives of a policy's object.
func multiply(tree map[string]any, prefix string) [][]rule {
	alternatives := [][]rule{nil}
	cross := func(more [][]rule) {
		var product [][]rule
		for _, a := range alternatives {
			for _, b := range more {
				product = append(product, append(append([]rule(nil), a...), b...))
			}
		}
		alternatives = product
	}
	for name, value := range tree {
		switch v := value.(type) {
		case map[string]any:
			cross(multiply(v, prefix+name+"."))
		case []any:
			if name != "$or" {
				cross([][]rule{{{prefix + name, v}}})
				continue
			}
			var sum [][]rule
			for _, object := range v {
				sum = append(sum, multiply(object.(map[string]any), prefix)...)
			}
			cross(sum)
		}
	}
	return alternatives
}

func holdsAll(rules []rule, message found) bool {
	for _, r := range rules {
		if !holdsRule(r, message) {
			return false
		}
	}
	return true
}

func holdsRule(r rule, message found) bool {
	values, present := message[r.path]
	for _, condition := range r.values {
		if object, ok := condition.(map[string]any); ok && object["exists"] == false && !present {
			return true
		}
		for _, value := range values {
			if oracleAccepts(condition, value) {
				return true
			}
		}
	}
	return false
}

func oracleAccepts(condition, value any) bool {
	object, ok := condition.(map[string]any)
	if !ok {
		return same(condition, value)
	}
	text, isText := value.(string)
	for name, operand := range object {
		want, _ := operand.(string)
		switch name {
		case "exists":
			return operand == true
		case "prefix":
			return isText && strings.HasPrefix(text, want)
		case "suffix":
			return isText && strings.HasSuffix(text, want)
		case "equals-ignore-case":
			return isText && strings.EqualFold(text, want)
		case "cidr":
			block := netip.MustParsePrefix(want)
			a, err := netip.ParseAddr(text)
			return isText && err == nil && a.Zone() == "" && a.Is4() == block.Addr().Is4() && block.Masked().Contains(a)
		case "anything-but":
			return !excluded(operand, value)
		case "numeric":
			return inRange(operand.([]any), value)
		}
	}
	panic("an operator is missing")
}

func excluded(operand, value any) bool {
	switch o := operand.(type) {
	case []any:
		for _, one := range o {
			if same(one, value) {
				return true
			}
		}
		return false
	case map[string]any:
		text, ok := value.(string)
		return ok && strings.HasPrefix(text, o["prefix"].(string))
	}
	return same(operand, value)
}

func inRange(terms []any, value any) bool {
	n, ok := value.(json.Number)
	if !ok {
		return false
	}
	for i := 0; i < len(terms); i += 2 {
		c := rational(n).Cmp(rational(terms[i+1].(json.Number)))
		switch terms[i] {
		case "=":
			ok = c == 0
		case "<":
			ok = c < 0
		case "<=":
			ok = c <= 0
		case ">":
			ok = c > 0
		case ">=":
			ok = c >= 0
		}
		if !ok {
			return false
		}
	}
	return true
}

func same(a, b any) bool {
	n, ok := a.(json.Number)
	if !ok {
		return a == b
	}
	m, ok := b.(json.Number)
	return ok && rational(n).Cmp(rational(m)) == 0
}

func rational(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		panic("not a number: " + n)
	}
	return r
}

func flattenAttributes(attributes []attribute, into found) {
	for _, a := range attributes {
		base, _, _ := strings.Cut(a.dataType, ".")
		switch {
		case base == "Binary":
		case a.dataType == "String.Array":
			all := found{}
			tree, ok := readTree([]byte(a.value))
			list, isList := tree.([]any)
			if ok && isList {
				flatten(list, "", all)
			}
			into[a.name] = append(into[a.name], all[""]...)
		case base == "Number":
			if _, ok := new(big.Rat).SetString(a.value); ok && !strings.Contains(a.value, "/") {
				into[a.name] = append(into[a.name], json.Number(a.value))
			} else {
				into[a.name] = append(into[a.name], other{})
			}
		default:
			into[a.name] = append(into[a.name], a.value)
		}
	}
}

func flattenBody(body []byte, into found) bool {
	tree, ok := readTree(body)
	object, isObject := tree.([]pair)
	if !ok || !isObject {
		return false
	}
	flatten(object, "", into)
	return true
}

// flatten adds the values of a tree. An array's are where it is.
func flatten(tree any, path string, into found) {
	switch v := tree.(type) {
	case []pair:
		for _, p := range v {
			name := p.name
			if path != "" {
				name = path + "." + p.name
			}
			flatten(p.value, name, into)
		}
	case []any:
		for _, e := range v {
			flatten(e, path, into)
		}
	default:
		into[path] = append(into[path], v)
	}
}

// pair is a member of an object. A map would lose those of one name.
type pair struct {
	name  string
	value any
}

// readTree reads one JSON value.
func readTree(text []byte) (any, bool) {
	if !json.Valid(text) || !utf8.Valid(text) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	tree, depth := readValue(d)
	_, err := d.Token()
	return tree, err == io.EOF && depth <= DepthMax
}

func readValue(d *json.Decoder) (tree any, depth int) {
	token, err := d.Token()
	if err != nil {
		panic(err)
	}
	deepest := func(value any, below int) any {
		depth = max(depth, below)
		return value
	}
	switch token {
	case json.Delim('{'):
		object := []pair{}
		for d.More() {
			name, _ := d.Token()
			object = append(object, pair{name.(string), deepest(readValue(d))})
		}
		d.Token()
		return object, depth + 1
	case json.Delim('['):
		list := []any{}
		for d.More() {
			list = append(list, deepest(readValue(d)))
		}
		d.Token()
		return list, depth + 1
	}
	return token, 0
}
