package engine

// Answered is how many publishers the last group of a shard answered.
func (e *Engine) Answered(shard int) uint64 { return e.shards[shard].answered.Load() }
