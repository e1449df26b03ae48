package egress

import (
	"sync"
	"sync/atomic"
	"time"
)

// breaksMax is how many batches in a row may break off before an endpoint gets one request at a time.
const breaksMax = 2

// manners is what an endpoint taught about how it may be spoken to. None of it is for ever: an endpoint is put
// right some day.
type manners struct {
	breaks       atomic.Int32 // batches of several requests that broke off, since one was answered in full
	shallowUntil atomic.Int64 // ms since 1970: until then nothing is pipelined
	singleUntil  atomic.Int64 // ms since 1970: until then a connection carries one exchange

	mu      sync.Mutex
	brokeAt time.Time // guarded by mu
}

// broke notes that a batch broke off, and reports whether that happened too often. What was under way when the last
// one broke off says nothing new: an endpoint that restarts cuts all its connections at once.
func (m *manners) broke(flushed time.Time) (tooOften bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if flushed.After(m.brokeAt) {
		m.brokeAt = time.Now()
		m.breaks.Add(1)
	}
	return m.breaks.Load() >= breaksMax
}

// held notes that a batch was answered in full.
func (m *manners) held() {
	if m.breaks.Load() > 0 {
		m.breaks.Store(0)
	}
}

// shallow makes nothing be pipelined for a while.
func (m *manners) shallow(d time.Duration) { m.shallowUntil.Store(time.Now().Add(d).UnixMilli()) }

// deepAgain reports whether that while is over.
func (m *manners) deepAgain() bool {
	until := m.shallowUntil.Load()
	return until != 0 && until <= time.Now().UnixMilli()
}

// distrust notes that the endpoint sent more than it was asked for: what it sent could be taken for the answer to
// the next request. For a while each connection carries one exchange.
func (m *manners) distrust(d time.Duration) { m.singleUntil.Store(time.Now().Add(d).UnixMilli()) }

// trusted reports whether a connection may carry more than one exchange.
func (m *manners) trusted() bool {
	until := m.singleUntil.Load()
	return until == 0 || until <= time.Now().UnixMilli()
}
