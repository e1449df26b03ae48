// Package engine is the domain: topics, subscriptions, messages and what is owed. It knows no HTTP and no
// vendor's words.
//
// # What it is
//
// A message's way: a face fills a pooled Message, whose bytes are the record that will be stored, and calls
// Engine.Publish. The topic's name has chosen the shard; the message goes into the shard's ring, and the
// publisher waits. The shard's committer takes what the ring holds, gives each message its sequence in its
// topic and applies all of it to the store as one batch; while one batch is being synced it builds the next.
// Behind the sync the shard's dispatcher wakes the publishers, and hands each message to the egress, which
// offers it to the receivers of the topic's subscriptions; of those that filter for values, where there are many, only to
// the ones that the message's values lead to (interest.go). Then the slots of the ring are free again.
//
// A message that is due later becomes an entry of the durable timer instead, and comes back through the ring
// when it is due: the commit that gives it its sequence deletes the entry, in one batch. The egress parks
// deliveries that failed on the same timer.
//
// A queue is a topic from which nobody is pushed to: its messages are handed to a Queue, and from there to whoever receives
// (queue.go, receive.go, waiters.go). What becomes of them is written by the ledger of its shard (queueledger.go).
//
// # Where it stands on the data path
//
// In the middle: below the faces, above the egress and the stores. publish.go, shard.go and the ring are the
// hot path; catalog.go, documents.go, timers.go, progress.go and filtering.go stand beside it.
//
// # Ownership
//
// A Message is reference counted. The publisher has one reference, the ring one, every lane that took it one;
// the last Release gives it back to the pool. A record is immutable from Publish on, but for its sequence.
//
// # Concurrency
//
// The committer is the only writer of its shard's sequences, the dispatcher of the high-water marks. The
// catalog is read without locks, through immutable buckets and snapshots, and changed under one mutex. A queue has a mutex
// of its own, under which nothing is read or written.
//
// # Errors
//
// The sentinels in errors.go; each face maps them to its own codes. A failed write of the store is final:
// nothing is accepted until the process opens the store anew.
package engine
