package egress

import "fanfare/engine"

// answersSize is one more than the highest status that has a meaning.
const answersSize = 600

// Answers says what the statuses of answers mean: rules that stand above a kind's own judgement. Immutable.
type Answers struct {
	own   func(status int) Outcome
	table *[answersSize]Outcome // nil without rules
}

// NewAnswers puts rules above a judgement.
func NewAnswers(own func(status int) Outcome, rules *engine.AnswerRules) Answers {
	a := Answers{own: own}
	if rules.IsZero() {
		return a
	}
	a.table = new([answersSize]Outcome)
	for status := range a.table {
		a.table[status] = own(status)
	}
	outcomes := map[string]Outcome{"accept": Delivered, "retry": Retry, "final": Dead}
	rules.Walk(func(list string, status int) { a.table[status] = outcomes[list] })
	return a
}

// Judge says what a status means.
func (a *Answers) Judge(status int) Outcome {
	if a.table != nil && status >= 0 && status < answersSize {
		return a.table[status]
	}
	return a.own(status)
}
