// Package scan holds the scanners that the faces share, one file family per format.
//
// # What it is
//
// Hand-written, strict, bounded parsers of untrusted request bytes (JSON, XML, forms), and the
// append-style encoders that are their reverse. Identifiers begin with the format's name.
//
// # Where it stands on the data path
//
// Inside a face: from the bytes of a request to the fields of a Message, and from values to the bytes of a
// reply.
//
// # Ownership
//
// A scanner never copies: what it returns are views of its input, valid as long as the input is. The
// Append functions copy into memory the caller owns. Nothing here allocates in steady state.
//
// # Concurrency
//
// A scanner belongs to one goroutine; the functions have no state.
//
// # Errors
//
// Scanners stop at the first fault and keep reporting it. Faults are sentinels without a position: the
// faces answer with the code of their protocol.
package scan
