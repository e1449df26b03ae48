// Package invariant holds the checks that only debug builds pay for.
//
// # What it is
//
// Poisoning of released memory, on under the build tag "invariant" and under the race detector.
//
// # Where it stands on the data path
//
// Behind Message.Release; it compiles to nothing in normal builds.
//
// # Ownership
//
// It owns nothing.
//
// # Concurrency
//
// Its functions keep no state.
//
// # Errors
//
// None.
package invariant
