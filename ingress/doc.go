// Package ingress is everything between the socket and the engine.
//
// # What it is
//
// One HTTP server for all faces. It bounds what a client may send, refuses ambiguous framing, finds the
// face a request belongs to and lets it answer. A face is a folder below this one.
//
// # Where it stands on the data path
//
// First: socket, Server, Face, Engine.Publish, and back with the reply.
//
// # Ownership
//
// A request's memory is fasthttp's and is valid until the face's Serve returns; a face copies what it
// keeps, once, into a Message. Scratch memory belongs to the connection's goroutine while it has it.
//
// # Concurrency
//
// One goroutine per connection; faces are called from all of them at once.
//
// # Errors
//
// A request that cannot be read is refused in the dialect of the face it was for.
package ingress
