package egress

import (
	"context"
	"net"
	"net/url"
	"sync"
	"time"

	"fanfare/egress/pipeline"
)

// endpoint is one address that pushes go to, with its idle connections. Lanes to the same address share it.
type endpoint struct {
	egress     *Egress
	address    string // host and port; immutable
	serverName string // immutable
	secure     bool   // immutable

	mu     sync.Mutex
	idle   []*pipeline.Conn // guarded by mu: last used last
	closed bool             // guarded by mu: no lane uses it any more
	lanes  int              // guarded by the pool's mutex

	manners manners
}

const (
	// restMin is how long a connection was idle before its socket is looked at. That costs a system call, which is
	// dear where connections go from hand to hand and nothing can have happened to them.
	restMin = time.Millisecond
)

// endpoints is the pool of them.
type endpoints struct {
	mu  sync.Mutex
	all map[string]*endpoint // guarded by mu: by scheme and address

	scratch sync.Pool // of *scratch
}

// acquire returns the endpoint of a URL for one more lane.
func (p *endpoints) acquire(e *Egress, u *url.URL) *endpoint {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	key := u.Scheme + " " + address
	p.mu.Lock()
	defer p.mu.Unlock()
	ep := p.all[key]
	if ep == nil {
		ep = &endpoint{egress: e, address: address, serverName: u.Hostname(), secure: u.Scheme == "https"}
		p.all[key] = ep
	}
	ep.lanes++
	return ep
}

// release gives up a lane's endpoint, nil for none; the last one closes its connections.
func (p *endpoints) release(ep *endpoint) {
	if ep == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ep.lanes--; ep.lanes > 0 {
		return
	}
	for key, other := range p.all {
		if other == ep {
			delete(p.all, key)
		}
	}
	ep.mu.Lock()
	ep.closed = true
	ep.mu.Unlock()
	ep.closeIdle(time.Time{})
}

// closeIdle closes the connections that were idle for too long everywhere.
func (p *endpoints) closeIdle(before time.Time) {
	p.mu.Lock()
	all := make([]*endpoint, 0, len(p.all))
	for _, ep := range p.all {
		all = append(all, ep)
	}
	p.mu.Unlock()
	for _, ep := range all {
		ep.closeIdle(before)
	}
}

// get returns a connection: the one used last, or a new one.
func (ep *endpoint) get(ctx context.Context) (*pipeline.Conn, error) {
	for c := ep.take(); c != nil; c = ep.take() {
		ep.egress.idleConns.Add(-1)
		if ep.fit(c) {
			c.Reused = true
			return c, nil
		}
		c.Close()
	}
	return ep.dial(ctx)
}

// take takes the connection used last, nil when there is none.
func (ep *endpoint) take() *pipeline.Conn {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	n := len(ep.idle)
	if n == 0 {
		return nil
	}
	c := ep.idle[n-1]
	ep.idle[n-1] = nil
	ep.idle = ep.idle[:n-1]
	return c
}

// fit reports whether an idle connection can be used again.
func (ep *endpoint) fit(c *pipeline.Conn) bool {
	now := time.Now()
	idle := now.Sub(c.IdleSince)
	return idle < ep.egress.opts.IdleConnTimeout && now.Sub(c.Born) < ep.egress.opts.ConnAgeMax &&
		(idle < restMin || c.Resting())
}

func (ep *endpoint) dial(ctx context.Context) (*pipeline.Conn, error) {
	nc, err := ep.egress.dialer.dial(ctx, ep)
	if err != nil {
		return nil, err
	}
	return pipeline.NewConn(nc), nil
}

// put gives back a connection that is between two requests.
func (ep *endpoint) put(c *pipeline.Conn) {
	c.IdleSince = time.Now()
	ep.mu.Lock()
	kept := !ep.closed && ep.egress.idleConns.Add(1) <= int64(ep.egress.opts.IdleConnsMax)
	if kept {
		ep.idle = append(ep.idle, c)
	} else if !ep.closed {
		ep.egress.idleConns.Add(-1)
	}
	ep.mu.Unlock()
	if !kept {
		c.Close()
		return
	}
	ep.egress.wakeJanitor()
}

// closeIdle closes the connections that are idle since before a time; all for the zero time.
func (ep *endpoint) closeIdle(before time.Time) {
	ep.mu.Lock()
	n := 0
	for n < len(ep.idle) && (before.IsZero() || ep.idle[n].IdleSince.Before(before)) {
		n++
	}
	old := append([]*pipeline.Conn(nil), ep.idle[:n]...)
	ep.idle = append(ep.idle[:0], ep.idle[n:]...)
	ep.mu.Unlock()
	for _, c := range old {
		ep.egress.idleConns.Add(-1)
		c.Close()
	}
}
