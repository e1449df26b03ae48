package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// node is a value of a policy's text. Members are in the order of the text; of two of a name the last counts.
type node struct {
	kind     nodeKind
	text     string // a string, or the digits of a number
	members  []member
	elements []*node
}

type member struct {
	name  string
	value *node
}

type nodeKind uint8

const (
	nodeString nodeKind = iota
	nodeNumber
	nodeTrue
	nodeFalse
	nodeNull
	nodeObject
	nodeArray
)

// token is how the value's first token is shown in an error.
func (n *node) token() string {
	switch n.kind {
	case nodeObject:
		return "{"
	case nodeArray:
		return "["
	case nodeTrue:
		return "true"
	case nodeFalse:
		return "false"
	case nodeNull:
		return "null"
	default:
		return n.text
	}
}

// parseTree reads a policy's text.
func parseTree(text []byte) (*node, error) {
	var all json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fail("failed to parse JSON. %s", syntaxText(text, err))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	n, err := readNode(d)
	if err != nil {
		return nil, fail("failed to parse JSON. %s", err.Error())
	}
	return n, nil
}

// syntaxText says what is wrong, and on its second line where.
func syntaxText(text []byte, err error) string {
	at := len(text)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = min(int(syntax.Offset), at)
	}
	before := text[:at]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := max(at-1-bytes.LastIndexByte(before, '\n'), 1)
	return fmt.Sprintf("%s\n at [Source: REDACTED; line: %d, column: %d]", err.Error(), line, column)
}

func readNode(d *json.Decoder) (*node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return readObject(d)
		}
		return readArray(d)
	case string:
		return &node{kind: nodeString, text: t}, nil
	case json.Number:
		return &node{kind: nodeNumber, text: t.String()}, nil
	case bool:
		if t {
			return &node{kind: nodeTrue}, nil
		}
		return &node{kind: nodeFalse}, nil
	}
	return &node{kind: nodeNull}, nil
}

func readObject(d *json.Decoder) (*node, error) {
	n := &node{kind: nodeObject}
	places := map[string]int{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := readNode(d)
		if err != nil {
			return nil, err
		}
		m := member{name.(string), value}
		if at, ok := places[m.name]; ok {
			n.members[at] = m
			continue
		}
		places[m.name] = len(n.members)
		n.members = append(n.members, m)
	}
	_, err := d.Token()
	return n, err
}

func readArray(d *json.Decoder) (*node, error) {
	n := &node{kind: nodeArray}
	for d.More() {
		e, err := readNode(d)
		if err != nil {
			return nil, err
		}
		n.elements = append(n.elements, e)
	}
	_, err := d.Token()
	return n, err
}
