package egress

import (
	"context"
	"strconv"
	"time"

	"fanfare/egress/pipeline"
	"fanfare/engine"
)

// A pusher is a goroutine with one connection, or with none where its pushes go into a queue of ours (place.go). It lives
// while its lane has something to push.
type pusher struct {
	egress  *Egress
	lane    *lane
	conn    *pipeline.Conn
	from    *endpoint // of conn
	batch   []delivery
	results []result
	scratch *scratch // while a batch is rendered and written
	ends    []int    // of the requests of the batch in what is written
	seconds []bool   // which of them are in a second protocol, for endpoints that have one
	answer  pipeline.Answer
	broken  bool   // the last exchange failed: the connection is of no use
	late    bool   // because time ran out
	run     func() // the method value, made once: starting a pusher allocates nothing

	placed []*engine.Message // of a batch that goes into a queue of ours; nil for one that cannot
	errs   []error           // what became of them
}

// scratch is the memory that rendering takes. A pusher that waits for an answer holds none: hostile endpoints make
// very many wait.
type scratch struct {
	out  []byte // what is written
	body []byte // of the request being rendered
}

// scratchBytesKept is the largest of its buffers that is kept for the next batch: one for a full batch, with its heads.
const scratchBytesKept = 2 * batchBytesMax

func (p *endpoints) takeScratch() *scratch {
	if s, ok := p.scratch.Get().(*scratch); ok {
		return s
	}
	return &scratch{out: make([]byte, 0, 2048)}
}

func (p *endpoints) putScratch(s *scratch) {
	if cap(s.out) > scratchBytesKept {
		s.out = nil
	}
	if cap(s.body) > scratchBytesKept {
		s.body = nil
	}
	p.scratch.Put(s)
}

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

// staleWithin is how soon a connection that was closed while it was idle says so. A failure that comes later is
// the endpoint's, and an attempt.
const staleWithin = time.Second

// push tries the batch once. A reused connection that turns out to be closed is replaced by a new one.
func (p *pusher) push(set *settings) {
	if set.placer != nil {
		p.place(set)
		return
	}
	if p.conn != nil && p.from != set.endpoint {
		p.from.put(p.conn)
		p.conn = nil
	}
	if p.conn == nil && !p.connect(set, set.endpoint.get) {
		return
	}
	p.exchange(set)
	if p.broken && !p.late && p.conn.Stale(staleWithin) {
		p.conn.Close()
		p.conn = nil
		if !p.connect(set, set.endpoint.dial) {
			return
		}
		p.exchange(set)
	}
	p.noteManners(set)
	p.keep(set)
}

func (p *pusher) connect(set *settings, get func(context.Context) (*pipeline.Conn, error)) bool {
	c, err := get(p.egress.context)
	if err != nil {
		p.fail(0, connecting, err)
		return false
	}
	p.conn, p.from = c, set.endpoint
	return true
}

// keep keeps the connection for another request, if it can carry one.
func (p *pusher) keep(set *settings) {
	switch {
	case p.broken:
		p.conn.Abort()
	case p.answer.Close || !p.conn.Quiet() || p.conn.Age() > p.egress.opts.ConnAgeMax || !set.endpoint.manners.trusted():
		p.conn.Close()
	default:
		p.conn.Reused = true
		return
	}
	p.conn = nil
}

// exchange writes the batch and reads its answers.
func (p *pusher) exchange(set *settings) {
	p.broken, p.late = false, false
	at, answered, err := writing, 0, p.write(set)
	if err == nil {
		at = answering
		answered, err = p.read(set, p.conn.ReadAnswer)
	} else {
		// An endpoint may refuse a request before it has read all of it.
		answered, _ = p.read(set, p.conn.ReadEarly)
		p.broken = true
	}
	if err != nil && answered < len(p.batch) {
		p.fail(answered, at, err)
	}
}

// write renders the batch and writes it at once.
func (p *pusher) write(set *settings) error {
	p.scratch = p.egress.endpoints.takeScratch()
	p.conn.Out, p.ends, p.seconds = p.scratch.out[:0], p.ends[:0], p.seconds[:0]
	for i := range p.batch {
		p.render(set, &p.batch[i])
		p.ends = append(p.ends, p.conn.Len())
	}
	err := p.conn.Flush(pipeline.Patience{Write: p.egress.opts.WriteTimeout, Answer: set.timeout})
	p.scratch.out, p.conn.Out = p.conn.Out, nil
	p.egress.endpoints.putScratch(p.scratch)
	p.scratch = nil
	return err
}

// read reads the answers of the batch until one fails, and judges them.
func (p *pusher) read(set *settings, next func(*pipeline.Answer) error) (answered int, err error) {
	for i := range p.batch {
		if err := next(&p.answer); err != nil {
			return i, err
		}
		p.judge(set, i)
		if p.ends[i] > p.conn.Written && p.results[i].outcome == Delivered {
			p.results[i] = result{outcome: Retry, failure: "answered before the request was written"}
		}
		if p.answer.Close {
			for k := i + 1; k < len(p.batch); k++ {
				p.results[k] = result{untried: true}
			}
			return len(p.batch), nil
		}
	}
	return len(p.batch), nil
}

// noteManners draws the conclusions of an exchange for those that follow: an endpoint that cannot be pipelined to
// gets one request at a time, and one that sends too much gets each on a connection of its own.
func (p *pusher) noteManners(set *settings) {
	several, m, ttl := len(p.batch) > 1, &set.endpoint.manners, p.egress.opts.ConnAgeMax
	if !p.broken && !p.answer.Close && !p.conn.Quiet() {
		m.distrust(ttl)
		if several { // which answer is the one too many nobody knows; only the first is certain
			p.fail(1, answering, ErrSurplus)
		}
	}
	if !several {
		if set.config.Pipeline > 1 && m.deepAgain() {
			p.setShallow(false)
		}
		return
	}
	tooOften := false
	if p.broken || p.answer.Close && p.results[len(p.batch)-1].untried {
		tooOften = m.broke(p.conn.Flushed)
	} else {
		m.held()
	}
	if tooOften || p.answer.HTTP10 || !m.trusted() {
		m.shallow(ttl)
		p.setShallow(true)
	}
}

func (p *pusher) setShallow(shallow bool) {
	p.lane.mu.Lock()
	p.lane.shallow = shallow
	p.lane.mu.Unlock()
}

// render appends one request.
func (p *pusher) render(set *settings, d *delivery) {
	var body []byte
	body, p.scratch.body = set.encoder.Body(p.scratch.body[:0], d.m)
	head := set.head
	if set.bilingual != nil {
		second := set.bilingual.Second(body)
		if p.seconds = append(p.seconds, second); second {
			head = set.secondHead
		}
	}
	out := append(p.conn.Out, head...)
	out = set.encoder.AppendHeader(out, d.m, body, d.attempts+1)
	out = append(out, "Content-Length: "...)
	out = strconv.AppendInt(out, int64(len(body)), 10)
	out = append(out, "\r\n\r\n"...)
	p.conn.Out = out
	if view := d.m.Body(); len(body) > 0 && len(view) > 0 && &body[0] == &view[0] {
		p.conn.AddBody(body)
	} else {
		p.conn.Out = append(out, body...) // it lies somewhere in the scratch memory, where the next request is rendered
	}
}

// judge notes what the answer to one request means.
func (p *pusher) judge(set *settings, i int) {
	r := &p.results[i]
	*r = result{outcome: set.outcome(p.answer.Status, p.answer.Snippet()), status: p.answer.Status}
	if set.bilingual != nil && set.bilingual.Learn(p.seconds[i], p.answer.Status, p.answer.Snippet()) && r.outcome != Delivered {
		*r = result{untried: true}
		return
	}
	if r.outcome != Delivered {
		r.retryAfter = time.Duration(p.answer.RetryAfter) * time.Second
		r.failure = "HTTP " + strconv.Itoa(p.answer.Status)
		r.answer = append([]byte(nil), p.answer.Snippet()...)
	}
}

// fail notes that the request at an index, and so those behind it, got no answer. Only the first of them
// was tried, as far as anyone can tell; none was when connecting was given up because the process ends.
func (p *pusher) fail(first int, at phase, err error) {
	p.broken, p.late = true, isTimeout(err)
	if at == connecting && p.egress.context.Err() != nil {
		for i := range p.results {
			p.results[i] = result{untried: true}
		}
		return
	}
	failure := failureText(at, err)
	for i := first; i < len(p.batch); i++ {
		p.results[i] = result{outcome: Retry, untried: i > first, failure: failure}
	}
}
