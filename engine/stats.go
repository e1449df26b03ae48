package engine

import "sync/atomic"

type shardStats struct {
	messages, bytes, groups, refused atomic.Uint64
	_                                [32]byte
}

// Stats counts what the engine did since its start.
type Stats struct {
	Messages uint64 // committed
	Bytes    uint64 // committed, as records
	Groups   uint64 // committed, each with one wait for the store
	Refused  uint64 // publishes answered ErrBusy
	Replayed uint64 // dead letters that became deliveries again
	Purged   uint64 // dead letters that were dropped

	Received     uint64 // messages of queues: how often they were received, or taken to be moved
	QueueDeleted uint64 // likewise: deleted by a receipt
	QueueExpired uint64 // likewise: became too old
	QueueMoved   uint64 // likewise: moved to another queue
	Queues       int
	QueueHeld    int64 // bytes of the messages that queues keep in memory

	Topics        int
	Subscriptions int
	Waiting       int64 // bytes of publishes that wait for their commit
	Timers        int   // entries of the durable timer that are in memory
	Receivers     int64 // that wait for a message of a queue
}

// Stats returns the current figures.
func (e *Engine) Stats() Stats {
	st := Stats{Timers: e.timers.Near(), Replayed: e.replayed.Load(), Purged: e.purged.Load(), Receivers: e.receivers.Load()}
	for _, s := range e.shards {
		st.Messages += s.stats.messages.Load()
		st.Bytes += s.stats.bytes.Load()
		st.Groups += s.stats.groups.Load()
		st.Refused += s.stats.refused.Load()
		st.Waiting += s.waiting.Load()
	}
	st.Topics, st.Subscriptions = e.catalog.counts()
	st.Queues, st.QueueHeld = e.catalog.queueCount(), e.queueHeld.Load()
	st.Received, st.QueueDeleted = e.received.Load(), e.queueDeleted.Load()
	st.QueueExpired, st.QueueMoved = e.queueExpired.Load(), e.queueMoved.Load()
	return st
}

func (c *catalog) queueCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queues)
}

// Committed is how many bytes of records were committed since the start.
func (e *Engine) Committed() (n uint64) {
	for _, s := range e.shards {
		n += s.stats.bytes.Load()
	}
	return n
}
