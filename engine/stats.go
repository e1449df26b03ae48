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
	return st
}

// Committed is how many bytes of records were committed since the start.
func (e *Engine) Committed() (n uint64) {
	for _, s := range e.shards {
		n += s.stats.bytes.Load()
	}
	return n
}
