package egress

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"fanfare/egress/pipeline"
)

// A pusher is a goroutine with one connection. It lives while its lane has something to push.
type pusher struct {
	egress  *Egress
	lane    *lane
	conn    *pipeline.Conn
	from    *endpoint // of conn
	batch   []delivery
	results []result
	body    []byte // rendered body
	answer  pipeline.Answer
	late    bool   // the last failure was that time ran out
	run     func() // the method value, made once: starting a pusher allocates nothing
}

const bodyBytesKept = 64 << 10

func (e *Egress) newPusher() any {
	p := &pusher{egress: e}
	p.run = p.loop
	return p
}

func (e *Egress) startPusher(l *lane) {
	p := e.pushers.Get().(*pusher)
	p.lane = l
	e.running.Add(1)
	go p.run()
}

func (p *pusher) loop() {
	defer p.egress.running.Done()
	for {
		var set *settings
		var wait time.Duration
		p.batch, set, wait = p.lane.batch(p.batch[:0])
		if len(p.batch) == 0 {
			break
		}
		p.results = p.results[:0]
		for range p.batch {
			p.results = append(p.results, result{untried: true})
		}
		if wait <= 0 || p.rest(wait) {
			p.push(set)
		}
		p.lane.finish(p.batch, p.results)
		clear(p.batch)
	}
	if p.conn != nil {
		p.from.put(p.conn)
		p.conn, p.from = nil, nil
	}
	p.lane = nil
	if cap(p.body) > bodyBytesKept {
		p.body = nil
	}
	p.egress.pushers.Put(p)
}

// rest waits for the pusher's slot, and reports whether it came before the end.
func (p *pusher) rest(wait time.Duration) bool {
	defer p.lane.rested()
	slot := time.NewTimer(wait)
	defer slot.Stop()
	select {
	case <-slot.C:
		return true
	case <-p.egress.drained:
		return false
	}
}

// push tries the batch once. A reused connection that turns out to be closed is replaced by a new one.
func (p *pusher) push(set *settings) {
	if p.conn != nil && p.from != set.endpoint {
		p.from.put(p.conn)
		p.conn = nil
	}
	if p.conn == nil {
		if !p.connect(set, set.endpoint.get) {
			return
		}
	}
	if p.exchange(set) || p.late || !p.conn.Stale() {
		p.discard()
		return
	}
	p.conn.Close()
	p.conn = nil
	if p.connect(set, set.endpoint.dial) {
		p.exchange(set)
		p.discard()
	}
}

func (p *pusher) connect(set *settings, get func(context.Context) (*pipeline.Conn, error)) bool {
	c, err := get(p.egress.context)
	if err != nil {
		p.fail(0, err)
		return false
	}
	p.conn, p.from = c, set.endpoint
	return true
}

// discard closes the connection unless it can carry another request.
func (p *pusher) discard() {
	last := p.results[len(p.results)-1]
	if last.status == 0 || p.answer.Close || !p.conn.Quiet() {
		p.conn.Close()
		p.conn = nil
		return
	}
	p.conn.Reused = true
}

// exchange writes the batch and reads its answers. It reports whether the connection did anything.
func (p *pusher) exchange(set *settings) bool {
	p.conn.Out = p.conn.Out[:0]
	for i := range p.batch {
		p.render(set, &p.batch[i])
	}
	if err := p.conn.Flush(time.Now().Add(set.timeout)); err != nil {
		p.fail(0, err)
		return false
	}
	for i := range p.batch {
		if err := p.conn.ReadAnswer(&p.answer); err != nil {
			p.fail(i, err)
			return i > 0
		}
		p.judge(set, i)
		if p.answer.Close && i+1 < len(p.batch) {
			p.lane.mu.Lock()
			p.lane.shallow = true
			p.lane.mu.Unlock()
			for k := i + 1; k < len(p.batch); k++ {
				p.results[k] = result{untried: true}
			}
			break
		}
	}
	return true
}

// render appends one request.
func (p *pusher) render(set *settings, d *delivery) {
	var body []byte
	body, p.body = set.encoder.Body(p.body[:0], d.m)
	out := append(p.conn.Out, set.head...)
	out = set.encoder.AppendHeader(out, d.m, body, d.attempts+1)
	out = append(out, "Content-Length: "...)
	out = strconv.AppendInt(out, int64(len(body)), 10)
	out = append(out, "\r\n\r\n"...)
	p.conn.Out = append(out, body...)
}

// judge notes what the answer to one request means.
func (p *pusher) judge(set *settings, i int) {
	r := &p.results[i]
	*r = result{outcome: set.outcome(p.answer.Status, p.answer.Snippet()), status: p.answer.Status}
	if r.outcome != Delivered {
		r.retryAfter = time.Duration(p.answer.RetryAfter) * time.Second
		r.failure = "HTTP " + strconv.Itoa(p.answer.Status)
		r.answer = append([]byte(nil), p.answer.Snippet()...)
	}
}

// fail notes that the request at an index, and so those behind it, got no answer. Only the first of them
// was tried, as far as anyone can tell.
func (p *pusher) fail(first int, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrConnectionClosed
	}
	var netErr net.Error
	failure := err.Error()
	if p.late = errors.As(err, &netErr) && netErr.Timeout(); p.late {
		failure = "no answer in time"
	}
	for i := first; i < len(p.batch); i++ {
		p.results[i] = result{outcome: Retry, untried: i > first, failure: failure}
	}
}
