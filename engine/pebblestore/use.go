package pebblestore

import (
	"errors"
	"sync"
)

// errClosed answers whoever comes behind Close. Pebble itself would panic.
var errClosed = errors.New("pebblestore: the store is closed")

// users counts who is inside Pebble, so that it is not closed under them: a store that failed is closed while
// requests are still being answered.
type users struct {
	mu     sync.Mutex
	inside int           // guarded by mu
	closed bool          // guarded by mu
	left   chan struct{} // closed when the last one leaves behind close
}

// enter reports whether the store may be used; then leave has to follow.
func (u *users) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.inside++
	return true
}

func (u *users) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.inside--; u.inside == 0 && u.closed {
		close(u.left)
	}
}

// close lets nobody in any more and waits until everybody has left.
func (u *users) close() {
	u.mu.Lock()
	u.closed = true
	u.left = make(chan struct{})
	inside := u.inside
	u.mu.Unlock()
	if inside > 0 {
		<-u.left
	}
}
