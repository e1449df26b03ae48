// Package pebblestore is the embedded store, on github.com/cockroachdb/pebble.
//
// # What it is
//
// An engine.Store in one directory. keys.go draws the key space, batch.go commits groups, read.go feeds
// lagging subscriptions and recovery, open.go judges a directory, store.go runs and closes. guard.go keeps failed writes from Pebble,
// fence.go notices files that are missing or older than they were, space.go refuses messages before the disk is full and gives space
// back, check.go, checkrecord.go and checkqueue.go examine a store without changing it, by way of overlay.go.
//
// # Where it stands on the data path
//
// Under the committer of each shard (batches) and under the lanes that lag (reads).
//
// # Ownership
//
// A Batch belongs to one goroutine. The store owns the directory: a second process is refused by a lock.
//
// # Concurrency
//
// Reads and batches may run side by side. Pebble merges the syncs of batches that wait at one time. Three goroutines of the
// store look at the space, write the fence and reclaim space, a fourth syncs the log when the durability is async; Close ends them.
//
// # Errors
//
// Pebble ends the process, or panics, when a write fails, and where its logger returns calls a lost write a success. So it
// is not told: the first write, sync, creation, renaming or removal of a file that fails is kept as the store's error,
// nothing reaches the disk behind it, every later batch and every wait under way is refused, and the store can be closed and
// opened anew, in the same process (guard.go). What that finds is what a power cut at that moment would have left: everything
// that was acknowledged, and perhaps more. Reads of what was already in memory go on until then; others fail.
//
// The process still ends, through Options.Fatal, when a table that was there when the store was opened is missing or has
// another size while it runs. A table that is damaged is an error for whoever reads it.
//
// What is noticed of lost files, and what cannot be, is drawn in fence.go. Assumed are: a sync that ended well is durable; a
// renaming is one step; what was synced is not changed by anybody else. Checksums find what breaks the last, but for a torn end of
// the log within the last second before a crash, which looks like writes that were never waited for.
package pebblestore
