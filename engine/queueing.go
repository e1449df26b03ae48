package engine

import "time"

// Queue finds a queue by its name, nil when there is none. It does not allocate.
func (e *Engine) Queue(name []byte) *Queue { panic("skeleton") }

// CreateQueue makes a queue. When one of the name exists it is returned with created false, whatever its settings are:
// comparing them is the faces' affair.
func (e *Engine) CreateQueue(config QueueConfig) (q *Queue, created bool, err error) {
	panic("skeleton")
}

// UpdateQueue changes a queue's settings. Its name, and whether it is FIFO, cannot be changed.
func (e *Engine) UpdateQueue(q *Queue, update func(*QueueConfig)) error { panic("skeleton") }

// DeleteQueue deletes a queue and its messages; whoever waits for one gets ErrQueueNotFound.
func (e *Engine) DeleteQueue(name string) error { panic("skeleton") }

// PurgeQueue forgets all messages that were sent before, those in flight included.
func (e *Engine) PurgeQueue(q *Queue) error { panic("skeleton") }

// Queues returns up to limit queues in the order of their names, those after the given name and with the prefix.
func (e *Engine) Queues(prefix, after string, limit int) []*Queue { panic("skeleton") }

// Counts returns about how many messages there are.
func (q *Queue) Counts() QueueCounts { panic("skeleton") }

// Receive appends up to r.Max messages to dst and hides them; it waits for the first of them as long as the request says.
// Without one it returns dst and no error. Messages of a group of a FIFO queue come in their order, and only while none of
// the group is in flight.
func (q *Queue) Receive(r ReceiveRequest, dst []Received) ([]Received, error) { panic("skeleton") }

// Delete deletes received messages; it is durable when it returns. errs[i] belongs to receipts[i]: nil also for a message
// that is gone already.
func (q *Queue) Delete(receipts []Receipt, errs []error) { panic("skeleton") }

// ChangeVisibility hides messages that are in flight for so long from now on; 0 gives a message back. errs[i] belongs to
// receipts[i].
func (q *Queue) ChangeVisibility(receipts []Receipt, hidden []time.Duration, errs []error) {
	panic("skeleton")
}

// MoveOptions says what a move does.
type MoveOptions struct {
	To        string // name of the queue the messages go to; "": each to the one it was a dead letter of
	PerSecond int    // messages at the most; 0: as fast as it goes
}

// Move is a task that moves a queue's messages to other queues, such as dead letters back. At most one of a queue runs.
type Move struct {
	ID        string
	Queue     string // name of the queue they come from
	Options   MoveOptions
	State     string // running, completed, cancelling, cancelled, failed
	Moved     uint64
	ToMove    uint64 // about how many there were when it began
	StartedAt int64  // ms since 1970
	Failure   string // of a failed one
}

// StartMove begins to move all messages of a queue that can be received. It goes on behind a restart.
func (e *Engine) StartMove(q *Queue, o MoveOptions) (Move, error) { panic("skeleton") }

// Moves returns a queue's last moves, up to limit of them and the newest first.
func (e *Engine) Moves(q *Queue, limit int) []Move { panic("skeleton") }

// CancelMove ends a move by its id, and returns it as it was.
func (e *Engine) CancelMove(id string) (Move, error) { panic("skeleton") }
