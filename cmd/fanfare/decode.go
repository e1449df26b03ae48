package main

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"fanfare/ingress/auth"

	"go.yaml.in/yaml/v4"
)

// A fault is one thing that is wrong with the configuration.
type fault struct {
	file string
	line int    // 0 when it comes from a flag or the environment
	key  string // such as topics[0].name
	text string
}

func (f *fault) Error() string {
	where := f.file
	if f.line > 0 {
		where += ":" + strconv.Itoa(f.line)
	}
	if where != "" {
		where += ": "
	}
	if f.key == "" {
		return where + f.text
	}
	return where + f.key + ": " + f.text
}

// decoder reads YAML into a struct, strictly, and collects every fault instead of stopping at the first.
// Keys are the fields' yaml tags; what the file leaves out keeps its value.
type decoder struct {
	file   string
	lines  map[string]int // of every key that was read
	faults []*fault
}

func (d *decoder) fault(n *yaml.Node, key, format string, args ...any) {
	d.faults = append(d.faults, &fault{d.file, n.Line, key, fmt.Sprintf(format, args...)})
}

// decode reads a whole file.
func (d *decoder) decode(text []byte, into any) {
	d.lines = map[string]int{}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		d.faults = append(d.faults, &fault{file: d.file, text: err.Error()})
		return
	}
	if len(doc.Content) == 0 {
		return // an empty file is a file of defaults
	}
	d.value(doc.Content[0], "", reflect.ValueOf(into).Elem())
}

func (d *decoder) value(n *yaml.Node, key string, v reflect.Value) {
	d.lines[key] = n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		d.fault(n, key, "has no value")
		return
	}
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if n.Kind != yaml.ScalarNode {
			d.fault(n, key, "must be %s", describe(v))
		} else if err := t.UnmarshalText([]byte(n.Value)); err != nil {
			d.fault(n, key, "%v", err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer: // to what may be left out
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, key, v.Elem())
	case reflect.Struct:
		if s, ok := v.Addr().Interface().(interface{ setDefaults() }); ok {
			s.setDefaults()
		}
		d.mapping(n, key, v)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.fault(n, key, "must be a list")
			return
		}
		for i, item := range n.Content {
			v.Set(reflect.Append(v, reflect.New(v.Type().Elem()).Elem()))
			d.value(item, fmt.Sprintf("%s[%d]", key, i), v.Index(i))
		}
	default:
		d.scalar(n, key, v)
	}
}

func (d *decoder) scalar(n *yaml.Node, key string, v reflect.Value) {
	ok := n.Kind == yaml.ScalarNode
	switch v.Kind() {
	case reflect.String:
		// A name may look like a number or a boolean; it is text all the same.
		if ok {
			v.SetString(n.Value)
		}
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(n.Value, 10, 64)
		if ok = ok && err == nil && n.Tag == "!!int"; ok {
			v.SetInt(i)
		}
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Value)
		if ok = ok && err == nil && n.Tag == "!!bool"; ok {
			v.SetBool(b)
		}
	default:
		panic("BUG: the configuration has a field of type " + v.Type().String())
	}
	if !ok {
		d.fault(n, key, "must be %s", describe(v))
	}
}

func (d *decoder) mapping(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, key, "must be a mapping of keys to values")
		return
	}
	fields := map[string]reflect.Value{}
	collectFields(v, fields)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, item := n.Content[i], n.Content[i+1]
		full := strings.TrimPrefix(key+"."+name.Value, ".")
		field, ok := fields[name.Value]
		switch {
		case !ok:
			d.fault(name, full, "is not a known key; known here: %s", strings.Join(sortedKeys(fields), ", "))
		case seen[name.Value]:
			d.fault(name, full, "is given twice")
		default:
			d.value(item, full, field)
		}
		seen[name.Value] = true
	}
}

func collectFields(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			into[name] = v.Field(i)
		}
	}
}

func sortedKeys(m map[string]reflect.Value) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func describe(v reflect.Value) string {
	switch v.Interface().(type) {
	case duration:
		return `a duration such as "30s"`
	case retryScale:
		return "a number above 0"
	case byteCount:
		return `a size such as "64MiB"`
	case string, auth.Secret:
		return "text"
	case bool:
		return "true or false"
	default:
		return "a whole number"
	}
}

// faulty reports whether something is wrong with a key already.
func (d *decoder) faulty(key string) bool {
	for _, f := range d.faults {
		if f.key == key {
			return true
		}
	}
	return false
}

// err joins the faults in the order of their lines.
func (d *decoder) err() error {
	slices.SortStableFunc(d.faults, func(a, b *fault) int { return a.line - b.line })
	errs := make([]error, 0, len(d.faults))
	for _, f := range d.faults {
		errs = append(errs, f)
	}
	return errors.Join(errs...)
}
