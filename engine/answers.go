package engine

import (
	"fmt"
	"strconv"
	"strings"
)

// answerPatternsMax is how many patterns a list of answers may have.
const answerPatternsMax = 32

// AnswerRules says which HTTP statuses of an endpoint mean what, where it is not as the kind has it. A pattern
// is a status such as "410" or a class such as "4xx"; a status counts more than a class.
type AnswerRules struct {
	Accept []string `json:"accept,omitempty"` // acknowledge
	Retry  []string `json:"retry,omitempty"`  // are worth another try
	Final  []string `json:"final,omitempty"`  // refuse for good
}

// IsZero reports whether there are no rules.
func (r *AnswerRules) IsZero() bool { return len(r.Accept)+len(r.Retry)+len(r.Final) == 0 }

type answerList struct {
	name     string
	patterns []string
}

func (r *AnswerRules) lists() [3]answerList {
	return [...]answerList{{"accept", r.Accept}, {"retry", r.Retry}, {"final", r.Final}}
}

// Walk calls fn with every status that a list names, first those that a class names, then those named themselves.
func (r *AnswerRules) Walk(fn func(list string, status int)) {
	for _, classes := range []bool{true, false} {
		for _, list := range r.lists() {
			for _, pattern := range list.patterns {
				first, last, ok := parseAnswerPattern(pattern)
				if !ok || (first != last) != classes {
					continue
				}
				for status := first; status <= last; status++ {
					fn(list.name, status)
				}
			}
		}
	}
}

// Check says what is wrong with the rules, "" for nothing.
func (r *AnswerRules) Check() string {
	seen := map[string]bool{}
	for _, list := range r.lists() {
		if len(list.patterns) > answerPatternsMax {
			return fmt.Sprintf("%s has more than %d patterns", list.name, answerPatternsMax)
		}
		for _, p := range list.patterns {
			if _, _, ok := parseAnswerPattern(p); !ok {
				return fmt.Sprintf("%q is neither a status from 200 to 599 nor a class such as 4xx", p)
			}
			lower := strings.ToLower(p)
			if seen[lower] {
				return fmt.Sprintf("%q is there twice", p)
			}
			seen[lower] = true
		}
	}
	return ""
}

func parseAnswerPattern(p string) (first, last int, ok bool) {
	if len(p) != 3 || p[0] < '2' || p[0] > '5' {
		return 0, 0, false
	}
	if strings.EqualFold(p[1:], "xx") {
		first = int(p[0]-'0') * 100
		return first, first + 99, true
	}
	n, err := strconv.ParseUint(p, 10, 16)
	return int(n), int(n), err == nil
}
