package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// MoveOptions says what a move does.
type MoveOptions struct {
	To        string `json:"to,omitempty"`         // name of the queue the messages go to; "": each to the one it was a dead letter of
	PerSecond int    `json:"per_second,omitempty"` // messages at the most, up to MovePerSecondMax; 0: as fast as it goes
}

// MovePerSecondMax is the highest rate that a move can be given.
const MovePerSecondMax = 500

// Move is a task that moves a queue's messages to other queues, such as dead letters back. At most one of a queue runs.
type Move struct {
	ID        string      `json:"id"`
	Queue     string      `json:"queue"` // name of the queue they come from
	Options   MoveOptions `json:"options"`
	State     MoveState   `json:"state"`
	Moved     uint64      `json:"moved"`
	ToMove    uint64      `json:"to_move"`    // about how many there were when it began
	StartedAt int64       `json:"started_at"` // ms since 1970
	Failure   string      `json:"failure,omitempty"`
}

// MoveState is what has become of a move.
type MoveState string

// The states of a move.
const (
	MoveRunning    MoveState = "running"
	MoveCompleted  MoveState = "completed"
	MoveCancelling MoveState = "cancelling"
	MoveCancelled  MoveState = "cancelled"
	MoveFailed     MoveState = "failed"
)

// What StartMove and CancelMove answer besides.
var (
	ErrMoveRunning  = errors.New("engine: a move of the queue is running")
	ErrMoveNotFound = errors.New("engine: no such move is running")
)

const (
	movePrefix = "engine.move/" // of the documents that keep moves: movePrefix QUEUE "/" ID
	movesKept  = 10             // of a queue, the running one included
	moveStep   = 100            // messages moved together
)

// moves are the tasks that run.
type moves struct {
	mu      sync.Mutex
	running map[string]*mover // guarded by mu: by the queue's name
}

// mover is a move that runs.
type mover struct {
	engine *Engine
	queue  *Queue
	cancel chan struct{} // closed when it is to end

	mu   sync.Mutex
	move Move // guarded by mu
}

func (m *Move) key() string { return movePrefix + m.Queue + "/" + m.ID }

// StartMove begins to move all messages of a queue that can be received. It goes on behind a restart.
func (e *Engine) StartMove(q *Queue, o MoveOptions) (Move, error) {
	if o.PerSecond < 0 || o.PerSecond > MovePerSecondMax {
		return Move{}, &FieldError{"per_second", fmt.Sprintf("must be between 0 and %d", MovePerSecondMax)}
	}
	if o.To == q.Name() {
		return Move{}, &FieldError{"to", "must not be the queue that the messages come from"} // it would not end
	}
	if o.To != "" && e.Queue([]byte(o.To)) == nil {
		return Move{}, ErrQueueNotFound
	}
	if err := e.state.Load().err(); err != nil {
		return Move{}, err
	}
	id := NewMessageID()
	move := Move{
		ID: string(id.AppendUUID(nil)), Queue: q.Name(), Options: o, State: MoveRunning,
		ToMove: q.Counts().Visible, StartedAt: nowMillis(),
	}
	w := &mover{engine: e, queue: q, cancel: make(chan struct{}), move: move}
	e.moves.mu.Lock()
	if old := e.moves.running[move.Queue]; old != nil && old.queue == q && !old.ended() {
		e.moves.mu.Unlock()
		return Move{}, ErrMoveRunning
	}
	e.moves.running[move.Queue] = w
	e.moves.mu.Unlock()
	if err := w.save(true); err != nil {
		e.moves.drop(w)
		return Move{}, err
	}
	e.running.Go(w.run)
	return move, nil
}

// Moves returns a queue's last moves, up to limit of them and the newest first.
func (e *Engine) Moves(q *Queue, limit int) []Move {
	moves := storedMoves(e.Documents(movePrefix+q.Name()+"/", "", 10*movesKept))
	e.moves.mu.Lock()
	w := e.moves.running[q.Name()]
	e.moves.mu.Unlock()
	for i := range moves {
		if w != nil && moves[i].ID == w.now().ID {
			moves[i] = w.now()
		}
	}
	return moves[:min(len(moves), limit)]
}

func storedMoves(documents []Document) []Move {
	var moves []Move
	for _, d := range documents {
		var m Move
		if json.Unmarshal(d.Value, &m) == nil {
			moves = append(moves, m)
		}
	}
	slices.SortStableFunc(moves, func(a, b Move) int { return int(b.StartedAt - a.StartedAt) })
	return moves
}

// CancelMove ends a move by its id, and returns it as it was.
func (e *Engine) CancelMove(id string) (Move, error) {
	e.moves.mu.Lock()
	defer e.moves.mu.Unlock()
	for _, w := range e.moves.running {
		w.mu.Lock()
		move := w.move
		if move.ID == id && move.State == MoveRunning {
			w.move.State = MoveCancelling
			close(w.cancel)
		}
		w.mu.Unlock()
		if move.ID == id {
			return move, nil
		}
	}
	return Move{}, ErrMoveNotFound
}

// resumeMoves goes on with what ran when the process ended.
func (e *Engine) resumeMoves() {
	for _, m := range storedMoves(e.Documents(movePrefix, "", 1<<20)) {
		q := e.Queue([]byte(m.Queue))
		if m.State != MoveRunning || q == nil {
			continue
		}
		w := &mover{engine: e, queue: q, cancel: make(chan struct{}), move: m}
		e.moves.running[m.Queue] = w
		e.running.Go(w.run)
	}
}

func (ms *moves) drop(w *mover) {
	ms.mu.Lock()
	if name := w.queue.Name(); ms.running[name] == w {
		delete(ms.running, name)
	}
	ms.mu.Unlock()
}

// ended reports whether the move has come to its end, be it that this is still being written down.
func (w *mover) ended() bool {
	state := w.now().State
	return state != MoveRunning && state != MoveCancelling
}

func (w *mover) now() Move {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.move
}

// save writes the move down, unless its queue was deleted, and what was written of its moves with it. With first it is a
// new one, and the oldest of the queue's go.
func (w *mover) save(first bool) error {
	move := w.now()
	return w.engine.ChangeDocuments(func(d *DocumentChanges) error {
		if w.queue.Deleted() {
			return ErrQueueNotFound
		}
		if first {
			old := storedMoves(d.List(movePrefix+move.Queue+"/", "", 10*movesKept))
			for _, m := range old[min(len(old), movesKept-1):] {
				d.Delete(m.key())
			}
		}
		d.Put(move.key(), mustJSON(move))
		return nil
	})
}

func (w *mover) run() {
	defer w.engine.moves.drop(w)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	step := moveStep
	if rate := w.move.Options.PerSecond; rate > 0 {
		step = min(step, rate)
		tick.Reset(time.Duration(step) * time.Second / time.Duration(rate))
	}
	for {
		moved, err := w.queue.move(w.move.Options.To, step)
		w.mu.Lock()
		w.move.Moved += uint64(moved)
		w.mu.Unlock()
		switch {
		case errors.Is(err, ErrClosed) || errors.Is(err, ErrUnavailable):
			return // it goes on when the store is opened anew
		case errors.Is(err, ErrQueueNotFound):
			return
		case err != nil:
			w.end(MoveFailed, strings.TrimPrefix(err.Error(), "engine: "))
			return
		case moved == 0:
			w.end(MoveCompleted, "")
			return
		}
		if err := w.save(false); err != nil {
			return
		}
		if w.move.Options.PerSecond > 0 {
			select {
			case <-tick.C:
			case <-w.cancel:
			case <-w.engine.released:
				return
			}
		}
		select {
		case <-w.cancel:
			w.end(MoveCancelled, "")
			return
		case <-w.engine.released:
			return
		default:
		}
	}
}

// end writes down what became of the move; if that fails it begins anew where it ended.
func (w *mover) end(state MoveState, failure string) {
	w.mu.Lock()
	w.move.State, w.move.Failure = state, failure
	w.mu.Unlock()
	if err := w.save(false); err != nil && !errors.Is(err, ErrQueueNotFound) {
		w.engine.opts.Log.Error().Err(err).Str("queue", w.queue.Name()).Msg("the end of a move could not be written down")
	}
}

// errNoOrigin says that a message does not know where it came from.
var errNoOrigin = errors.New("engine: a message did not come from another queue, or that does not exist any more")

// move moves up to most messages that can be received to the queue of a name, or, for "", to the one that each is a dead
// letter of. It is durable when it returns.
func (q *Queue) move(to string, most int) (moved int, err error) {
	var got []Received
	for len(got) < most {
		r := ReceiveRequest{Max: min(most-len(got), ReceiveMessagesMax), Visibility: VisibilityDefault}
		more, _, err := q.take(&r, got)
		if err != nil {
			for _, r := range got {
				r.Message.Release() // visible again when its time is over
			}
			return 0, err
		}
		if len(more) == len(got) {
			break
		}
		got = more
	}
	q.mu.Lock()
	for _, r := range got {
		name := []byte(to)
		if to == "" {
			name = r.Message.Get(FieldSource)
		}
		target := q.engine.Queue(name)
		e := q.table.Get(uint64(r.Receipt.Sequence))
		switch {
		case e == nil || e.Receives != r.Receipt.Receives: // it was purged, or its time is over
		case target == nil || target.fifo() != q.fifo():
			err = errNoOrigin
			q.table.Show(e)
		default:
			q.removeLocked(e)
			q.noteLocked(queueNote{kind: noteMoved, sequence: r.Receipt.Sequence, to: target})
			q.engine.queueMoved.Add(1)
			moved++
		}
	}
	if err != nil {
		q.waiters.wakeLocked() // what was given back
	}
	q.mu.Unlock()
	for _, r := range got {
		r.Message.Release()
	}
	if moved > 0 {
		if err := q.ledger.flush(); err != nil {
			return 0, err
		}
	}
	return moved, err
}
