// Package pebblestore is the embedded store, on github.com/cockroachdb/pebble.
//
// # What it is
//
// An engine.Store in one directory. keys.go draws the key space, batch.go commits groups, read.go feeds
// lagging subscriptions and recovery, store.go opens and closes.
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
// Reads and batches may run side by side. Pebble merges the syncs of batches that wait at one time.
//
// # Errors
//
// Pebble ends the process when a synced write fails through Set or Apply, and calls a lost write a success
// where its logger returns. So a batch is always applied without waiting and waited for afterwards, which
// hands the error over. After the first failed sync nobody knows what of the log is on the disk: the
// error stays, and every later write is refused, until the store is opened anew.
package pebblestore
