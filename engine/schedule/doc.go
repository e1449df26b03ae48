// Package schedule is the in-memory part of the durable timer.
//
// # What it is
//
// The store holds every entry that is due later, ordered by due time. This package keeps the near ones in
// a heap, loads the next stretch ahead of time, and fires each when it is due. Memory follows the near
// entries and the fired ones that are not settled, whatever lies further ahead.
//
// # Where it stands on the data path
//
// Beside it: scheduled publishes and retried deliveries come out of it and join the path again.
//
// # Ownership
//
// Only keys are kept; values stay in the store until an entry fires.
//
// # Concurrency
//
// One mutex, never held across a read of the store or a call of the fire function. Run is the one
// goroutine that loads and fires.
//
// # Errors
//
// A failed read of the store is handed to the caller's function and tried again a second later.
package schedule
