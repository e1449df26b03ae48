package egress

import (
	"net/url"
	"time"

	"fanfare/engine"
)

// settings is what a lane derives from its subscription's configuration.
type settings struct {
	config   *engine.SubscriptionConfig
	kind     Kind
	encoder  Encoder
	endpoint *endpoint
	head     []byte // request line and Host header
	conns    int    // connections at the most
	timeout  time.Duration
	interval time.Duration         // between the beginnings of two pushes, 0 for no limit
	answers  *[answersSize]Outcome // by status; nil: as the kind has it
}

// answersSize is one more than the highest status that has a meaning.
const answersSize = 600

// outcome says what an answer's status means.
func (s *settings) outcome(status int) Outcome {
	if s.answers != nil && status >= 0 && status < answersSize {
		return s.answers[status]
	}
	return s.kind.Judge(status)
}

// compileAnswers makes the table of a subscription that has rules of its own.
func compileAnswers(kind Kind, rules *engine.AnswerRules) *[answersSize]Outcome {
	if rules.IsZero() {
		return nil
	}
	table := new([answersSize]Outcome)
	for status := range table {
		table[status] = kind.Judge(status)
	}
	outcomes := map[string]Outcome{"accept": Delivered, "retry": Retry, "final": Dead}
	rules.Walk(func(list string, status int) { table[status] = outcomes[list] })
	return table
}

func (e *Egress) newSettings(s *engine.Subscription) *settings {
	c := s.Config()
	kind := e.kinds[c.Kind]
	return e.settingsTo(c, kind, kind.Compile(s), c.Endpoint)
}

// settingsTo is what a lane to an endpoint is made with.
func (e *Egress) settingsTo(c *engine.SubscriptionConfig, kind Kind, encoder Encoder, endpoint string) *settings {
	u, err := url.Parse(endpoint)
	if err != nil {
		panic("BUG: egress: an endpoint that was checked does not parse: " + err.Error())
	}
	target := u.RequestURI()
	if d, ok := kind.(DefaultPather); ok && u.Path == "" {
		target = d.DefaultPath() + target[len("/"):]
	}
	set := &settings{
		config:   c,
		kind:     kind,
		encoder:  encoder,
		endpoint: e.endpoints.acquire(e, u),
		head:     []byte("POST " + target + " HTTP/1.1\r\nHost: " + u.Host + "\r\n"),
		conns:    (c.MaxInFlight + c.Pipeline - 1) / c.Pipeline,
		timeout:  c.Retry.Timeout,
		answers:  compileAnswers(kind, &c.Answers),
	}
	if c.MaxPerSecond > 0 {
		perSecond := time.Duration(c.MaxPerSecond)
		set.interval = (time.Second + perSecond - 1) / perSecond // a hair less would let one more into the second
	}
	if set.timeout == 0 {
		set.timeout = kind.Timeout()
	}
	return set
}
