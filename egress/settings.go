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
	endpoint *endpoint // nil with a placer
	head     []byte    // request line and Host header
	conns    int       // connections at the most
	depth    int       // deliveries in a pusher's hands at the most
	bytes    int       // size of their messages behind which no further one is added
	serial   bool      // of those in a pusher's hands what is delivered is delivered in their order, and what fails does so from one on
	timeout  time.Duration
	interval time.Duration // between the beginnings of two pushes, 0 for no limit
	answers  Answers
	reader   AnswerReader // nil: the status says all

	placer Placer // nil: pushes are requests
	queue  []byte // name of the queue that it places into

	bilingual  Bilingual // nil: the endpoint's protocol is known
	secondHead []byte    // head of requests in its second one
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
	set := &settings{config: c, kind: kind, encoder: encoder, answers: NewAnswers(kind.Judge, &c.Answers)}
	set.interval = interval(c.MaxPerSecond)
	if placer, ok := encoder.(Placer); ok {
		set.placer, set.queue = placer, []byte(placer.Queue())
		set.conns, set.depth, set.bytes, set.serial = 1, placeDepth, placeBytesMax, true
		return set
	}
	set.connect(e, endpoint)
	return set
}

// interval is the time between the beginnings of two pushes with a limit of so many per second, 0 without one.
func interval(perSecond int) time.Duration {
	if perSecond == 0 {
		return 0
	}
	n := time.Duration(perSecond)
	return (time.Second + n - 1) / n // a hair less would let one more into the second
}

// connect completes the settings of a lane whose pushes are requests.
func (s *settings) connect(e *Egress, endpoint string) {
	u, err := url.Parse(endpoint)
	if err != nil {
		panic("BUG: egress: an endpoint that was checked does not parse: " + err.Error())
	}
	s.endpoint = e.endpoints.acquire(e, u)
	s.head = head(s.kind, u)
	s.conns, s.depth, s.bytes = (s.config.MaxInFlight+s.config.Pipeline-1)/s.config.Pipeline, s.config.Pipeline, batchBytesMax
	s.reader, _ = s.kind.(AnswerReader)
	if s.bilingual, _ = s.encoder.(Bilingual); s.bilingual != nil {
		s.secondHead = head(nil, u)
	}
	s.timeout = cmp.Or(s.config.Retry.Timeout, s.kind.Timeout())
}

// head is the request line and the Host header of requests to an endpoint. The kind may have a say in its path.
func head(kind any, u *url.URL) []byte {
	target := u.RequestURI()
	if k, ok := kind.(Targeter); ok {
		target = k.Target(u)
	}
	if d, ok := kind.(DefaultPather); ok && u.Path == "" {
		target = d.DefaultPath() + target[len("/"):]
	}
	return []byte("POST " + target + " HTTP/1.1\r\nHost: " + u.Host + "\r\n")
}
