// Package transfer moves everything a store holds into another store, of whatever kind the two are.
//
// # What it is
//
// Export writes catalog, messages, marks, what is known of messages of queues and FIFO topics, progress, dead letters and timers to a stream, Import reads them into a store that is
// empty. format.go draws the stream.
//
// # Where it stands on the data path
//
// Beside it: it is run while no engine uses the stores.
//
// # Ownership
//
// The caller keeps the stores and the streams.
//
// # Concurrency
//
// One goroutine for each export or import. Nobody else may write to either store.
//
// # Errors
//
// ErrFormat says that the stream is not one that Export wrote to its end, ErrNotEmpty that there is something to overwrite,
// ErrIncomplete that a store does not hold what it should. An import that fails takes back what it wrote.
package transfer
