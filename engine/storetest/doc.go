// Package storetest is the conformance suite of stores.
//
// # What it is
//
// One function, Run, that every store's tests call: what engine.Store promises, as tests.
//
// # Where it stands on the data path
//
// In tests only.
//
// # Ownership
//
// Run opens and closes the stores.
//
// # Concurrency
//
// As the tests say.
//
// # Errors
//
// They fail the test.
package storetest
