package bench

import (
	"bytes"
	"strings"
	"time"
)

// A template is the bytes of a publish, and where in them the topic's number, the stamp and the numbers of messages and
// groups are. Everything is prepared, so that rotating and stamping cost the load generator a few stores per request.
type template struct {
	request []byte
	topics  int
	first   int   // number of the topic that comes first
	numbers []int // where the topic's number begins, at each mention of the topic
	stamps  []int // where the stamp's digits begin, in each message
	groups  int   // of a FIFO topic's messages; 0: it is none
	serials []int // where the digits of each message's own number begin
	members []int // where the group's number begins, in each message
	base    int64 // the first message's own number
	signed  *ring // of requests that cannot be changed; nil when they are not signed
}

const (
	topicDigits = 6
	topicZero   = "-000000"
	stampPrefix = "sent-" // nothing that a web form escapes
	stampDigits = 19      // ns since 1970, until the year 2286
	stampZero   = stampPrefix + "0000000000000000000 "
	stampBytes  = len(stampZero)

	serialPrefix = "serial-"
	serialDigits = 19
	serialZero   = serialPrefix + "0000000000000000000"
	groupPrefix  = "group-"
	groupDigits  = 6
	groupZero    = groupPrefix + "000000"
)

// newTemplate prepares the request of a load, and says which status means that it was accepted.
func newTemplate(o *PublishOptions, t target, now time.Time) (*template, int) {
	v, name := *o, o.Topic+topicZero
	if o.Topics > 1 {
		v.Topic = name
	}
	body := Text(o.SizeBytes)
	if o.Stamp {
		body = stampZero + body[stampBytes:]
	}
	prepared, success := request(&v, t, body, now)
	// Two generators on one queue begin at different times, and send less than one message in a nanosecond.
	p := &template{request: prepared, topics: o.Topics, groups: o.Groups, base: now.UnixNano()}
	if o.AccessKey != "" {
		p.signed = newRing(o, t, now)
	}
	if o.Topics > 1 {
		p.first = int(now.UnixNano() % int64(o.Topics)) // not the same ones in every run
		p.numbers = mentions(prepared, name, len(o.Topic)+1)
	}
	if o.Stamp {
		p.stamps = mentions(prepared, strings.TrimSpace(stampZero), len(stampPrefix))
	}
	if o.Groups > 0 {
		p.serials = mentions(prepared, serialZero, len(serialPrefix))
		p.members = mentions(prepared, groupZero, len(groupPrefix))
	}
	return p, success
}

// mentions returns the places of a text, each moved on by skip.
func mentions(in []byte, text string, skip int) (at []int) {
	for from := 0; ; {
		i := bytes.Index(in[from:], []byte(text))
		if i < 0 {
			return at
		}
		at = append(at, from+i+skip)
		from += i + len(text)
	}
}

// variant makes a connection's requests from the template. It belongs to the connection's goroutine.
type variant struct {
	*template
	own    []byte // the connection's copy
	turn   int    // number of the next topic
	step   int
	serial int64 // own number of the next message
	leap   int64 // to that of the next request's first
}

// variant returns the requests of one connection of so many. Together they go through the topics evenly, and in
// no order that a cache could guess.
func (p *template) variant(conn, conns int) *variant {
	v := &variant{template: p, own: p.request}
	if len(p.stamps) > 0 || p.topics > 1 || p.groups > 0 {
		v.own = bytes.Clone(p.request)
	}
	each := len(p.serials)
	v.serial, v.leap = p.base+int64(conn*each), int64((conns-1)*each)
	if p.topics > 1 {
		stride := coprime(p.topics)
		v.turn = (p.first + conn%p.topics*stride) % p.topics
		v.step = conns % p.topics * stride % p.topics
	}
	return v
}

// next returns the next request; valid until the one after it.
func (v *variant) next(intended time.Time) []byte {
	if v.signed != nil {
		return v.signed.next(intended)
	}
	if v.topics > 1 {
		for _, at := range v.numbers {
			putDigits(v.own[at:at+topicDigits], int64(v.turn))
		}
		if v.turn += v.step; v.turn >= v.topics {
			v.turn -= v.topics
		}
	}
	for _, at := range v.stamps {
		putDigits(v.own[at:at+stampDigits], intended.UnixNano())
	}
	for i, at := range v.serials {
		putDigits(v.own[at:at+serialDigits], v.serial)
		member := v.members[i]
		putDigits(v.own[member:member+groupDigits], v.serial%int64(v.groups))
		v.serial++
	}
	v.serial += v.leap
	return v.own
}

// putDigits writes a number with leading zeros.
func putDigits(to []byte, n int64) {
	for i := len(to) - 1; i >= 0; i-- {
		to[i] = byte('0' + n%10)
		n /= 10
	}
}

// coprime returns a stride of about 0.618 n that has no divisor in common with n, so that n steps of it meet
// every number below n once.
func coprime(n int) int {
	for stride := max(n*618/1000, 1); ; stride++ {
		a, b := n, stride
		for b > 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return stride
		}
	}
}

// stampOf reads the intended send time of a body that begins with one.
func stampOf(body []byte) (time.Time, bool) {
	if len(body) < stampBytes || string(body[:len(stampPrefix)]) != stampPrefix {
		return time.Time{}, false
	}
	ns := int64(0)
	for _, c := range body[len(stampPrefix) : len(stampPrefix)+stampDigits] {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
		ns = ns*10 + int64(c-'0')
	}
	return time.Unix(0, ns), ns >= 0
}

// isPlain reports whether a name stands in every request as it is, in whatever form.
func isPlain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
