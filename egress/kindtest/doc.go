// Package kindtest is the conformance suite of subscriber kinds.
//
// # What it is
//
// One function, Run, that every kind's tests call: what every kind owes to the transport and to the receiver,
// whatever its envelope looks like.
//
// # Where it stands on the data path
//
// In tests only, around the whole egress.
//
// # Ownership
//
// Run owns engine, egress and endpoints, and closes them at the end of the test.
//
// # Concurrency
//
// As the tests say.
//
// # Errors
//
// They fail the test.
package kindtest
