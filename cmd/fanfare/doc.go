// Command fanfare is the fan-out engine: one binary with the server and the tools around it.
//
// # What it is
//
// Flags, the configuration file, wiring and signals. kinds.go lists the faces and the subscriber kinds.
//
// # Where it stands on the data path
//
// Around it: it starts the parts in their order and stops them in the reverse one.
//
// # Ownership
//
// serve owns store, engine, egress and servers.
//
// # Concurrency
//
// One goroutine per server, and the engine's.
//
// # Errors
//
// They are printed and end the process with status 1; wrong flags with 2.
package main
