package sns

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// paramsMax is how many parameters a control operation may have.
const paramsMax = 1000

// params are the parameters of a control operation, decoded.
type params map[string]string

func (c *call) params() (params, error) {
	p := params{}
	given := c.parameters()
	for given.Next() {
		value, err := c.decode(given.Value)
		if err != nil {
			return nil, err
		}
		name := string(given.Key)
		switch {
		case !utf8.ValidString(name) || !utf8.Valid(value):
			return nil, invalid("a parameter is not UTF-8")
		case len(p) == paramsMax:
			return nil, invalid("more than %d parameters", paramsMax)
		}
		if _, ok := p[name]; ok {
			return nil, duplicateParameter(given.Key)
		}
		p[name] = string(value)
	}
	return p, given.Err()
}

// required returns a parameter that must be there and not be empty.
func (p params) required(name string) (string, error) {
	if value := p[name]; value != "" {
		return value, nil
	}
	return "", noValue(name)
}

// truth reads a boolean parameter that is false when it is absent.
func (p params) truth(name string) (bool, error) {
	switch value := strings.ToLower(p[name]); value {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	}
	return false, invalid("%s", name)
}

// pair is an entry of a map, or a tag.
type pair struct{ key, value string }

// pairs collects the entries LIST.N.key and LIST.N.value, in the order of their numbers.
func (p params) pairs(list string) ([]pair, error) {
	found := map[int]pair{}
	for name, text := range p {
		rest, ok := strings.CutPrefix(name, list+".")
		if !ok {
			continue
		}
		number, field, ok := strings.Cut(rest, ".")
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		entry := found[n]
		switch field {
		case "key":
			entry.key = text
		case "value":
			entry.value = text
		}
		found[n] = entry
	}
	var pairs []pair
	seen := map[string]bool{}
	for _, n := range slices.Sorted(maps.Keys(found)) {
		entry := found[n]
		if entry.key == "" {
			return nil, noValue(fmt.Sprintf("%s.%d.key", list, n))
		}
		if seen[entry.key] {
			return nil, invalid("Duplicated keys are not allowed.")
		}
		seen[entry.key] = true
		pairs = append(pairs, entry)
	}
	return pairs, nil
}
