package bench

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	ringRequests = 64
	ringAgeMax   = 4 * time.Minute // a signature is good for 15 minutes, and with some services for 5
)

// ring is signed requests, each with a body of its own, that connections send in turns. It is safe for concurrent use.
type ring struct {
	opts   PublishOptions
	target target
	turn   atomic.Int64
	signed atomic.Pointer[signedRequests]
	mu     sync.Mutex // held while they are signed anew
}

// signedRequests is immutable.
type signedRequests struct {
	at  time.Time
	all [ringRequests][]byte
}

func newRing(o *PublishOptions, t target, now time.Time) *ring {
	r := &ring{opts: *o, target: t}
	r.renew(now)
	return r
}

// next returns a request, which must not be changed. When the signatures are old, all are made anew.
func (r *ring) next(now time.Time) []byte {
	s := r.signed.Load()
	if now.Sub(s.at) > ringAgeMax {
		s = r.renew(now)
	}
	return s.all[uint64(r.turn.Add(1))%ringRequests]
}

// renew signs all requests for a time, unless another connection just did.
func (r *ring) renew(now time.Time) *signedRequests {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.signed.Load(); s != nil && now.Sub(s.at) <= ringAgeMax {
		return s
	}
	s := &signedRequests{at: now}
	text := Text(r.opts.SizeBytes)[stampBytes:]
	for i := range s.all {
		body := []byte(stampZero)
		putDigits(body[len(stampPrefix):len(stampPrefix)+stampDigits], now.UnixNano()+int64(i))
		s.all[i], _ = request(&r.opts, r.target, string(body)+text, now)
	}
	r.signed.Store(s)
	return s
}
