package egress

import (
	"cmp"
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
	serial   bool   // the endpoint takes pushes in order, a first part or all of them: a batch may carry several of a group
	timeout  time.Duration
	interval time.Duration // between the beginnings of two pushes, 0 for no limit
	answers  Answers
	reader   AnswerReader // nil: the status says all
}

// outcome says what an answer means.
func (s *settings) outcome(status int, body []byte) Outcome {
	if s.config.Answers.IsZero() && s.reader != nil {
		return s.reader.JudgeAnswer(status, body)
	}
	return s.answers.Judge(status)
}

func (e *Egress) newSettings(s *engine.Subscription) *settings {
	c := s.Config()
	kind := e.kinds[c.Kind]
	endpoint := c.Endpoint
	if l, ok := kind.(Locator); ok {
		endpoint = cmp.Or(l.Locate(c), endpoint)
	}
	return e.settingsTo(c, kind, kind.Compile(s), endpoint)
}

// settingsTo is what a lane to an endpoint is made with.
func (e *Egress) settingsTo(c *engine.SubscriptionConfig, kind Kind, encoder Encoder, endpoint string) *settings {
	u, err := url.Parse(endpoint)
	if err != nil {
		panic("BUG: egress: an endpoint that was checked does not parse: " + err.Error())
	}
	target := u.RequestURI()
	if k, ok := kind.(Targeter); ok {
		target = k.Target(u)
	}
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
		answers:  NewAnswers(kind.Judge, &c.Answers),
	}
	set.reader, _ = kind.(AnswerReader)
	if c.MaxPerSecond > 0 {
		perSecond := time.Duration(c.MaxPerSecond)
		set.interval = (time.Second + perSecond - 1) / perSecond // a hair less would let one more into the second
	}
	if set.timeout == 0 {
		set.timeout = kind.Timeout()
	}
	return set
}
