// Package conformance drives the real fanfare binary with the vendors' own SDKs, unmodified, and compares what
// arrives at a subscriber with what the vendors document.
//
// # What it is
//
// Tests, and programs for Node.js in node/. It is a module of its own: the SDKs and what they bring along never
// enter the product's go.mod. README.md has the table of what is checked with which SDK.
//
// # Where it stands on the data path
//
// At both ends: an SDK publishes, a subscriber that keeps every byte of a push receives.
//
// # Ownership
//
// Every test starts a program of its own, in a directory of its own, and ends it.
//
// # Concurrency
//
// Tests run one after the other. A subscriber answers on as many connections as it is given.
//
// # Errors
//
// A test fails with what differed and with the end of the program's log. What is missing on the machine, Node.js
// or npm, is a failure too: a conformance test that is skipped proves nothing.
package conformance
