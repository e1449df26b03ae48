// Package schedule is the in-memory part of the durable timer.
//
// # What it is
//
// The store holds every entry that is due later, ordered by due time. This package keeps the near ones in
// a heap (heap.go), loads the next stretch ahead of time (load.go), and fires each when it is due (run.go).
// What became due while nothing ran is read piece by piece beside that and fired oldest first; what becomes
// due meanwhile does not wait for it. At most WaitingMax entries wait in memory, whatever lies further ahead
// or behind: when more than that are added, those due last are forgotten and read again later.
//
// An entry is due by the wall clock. When that is set, entries are due earlier or later by as much, each still
// once, and the next look, a second later at most, begins anew from there. Snoozes, and waits after a
// failed read, are measured by a clock that nobody sets.
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
// One mutex, never held across a read of the store or a call of the caller's functions. Run is the one
// goroutine that loads and fires.
//
// # Errors
//
// A failed read of the store is handed to the caller's function and tried again a second later; what it
// found before it failed is taken. A place that can never be read holds up what lies behind it for ten seconds
// or so, then only what was due within that time.
package schedule
