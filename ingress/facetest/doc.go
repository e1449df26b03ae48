// Package facetest drives a face from golden wire files.
//
// # What it is
//
// A test harness: an engine on a store in memory, an egress that records what was published, and the real
// server in front of the face, spoken to over a connection in memory.
//
// # Where it stands on the data path
//
// In tests only, around the whole ingress.
//
// # Ownership
//
// The harness owns engine, store and server, and closes them at the end of the test.
//
// # Concurrency
//
// One harness per test.
//
// # Errors
//
// They fail the test.
package facetest
