// Package memstore is the store without a disk, for tests and caches.
//
// # What it is
//
// An engine.Store that keeps everything in memory, up to a bound, and forgets it when the process ends.
//
// # Where it stands on the data path
//
// In the place of the embedded store when the durability is "memory".
//
// # Ownership
//
// Records are copied into chunks of the store's own, which are used again when all in them is trimmed.
//
// # Concurrency
//
// One mutex, held while a batch is applied or a few records are read.
//
// # Errors
//
// None but the bound: Full tells the engine to refuse publishes until something was trimmed.
package memstore
