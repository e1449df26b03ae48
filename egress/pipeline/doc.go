// Package pipeline is the HTTP/1.1 transport of the pushes.
//
// # What it is
//
// One connection on which requests are gathered and written with one system call, and their answers read
// in order by a minimal scanner. With one request at a time it is a plain client.
//
// # Where it stands on the data path
//
// Below a lane's pusher: rendered requests in, statuses out.
//
// # Ownership
//
// A Conn belongs to one goroutine at a time and owns its buffers. What Answer holds is valid until the
// next call.
//
// # Concurrency
//
// None inside a Conn.
//
// # Errors
//
// Every error makes the connection unusable; requests whose answer was not read may or may not have been
// received. An endpoint is not trusted: heads, bodies and informational answers are bounded, 64 KiB in all, and so
// is its time: for a write to move, for all of a write, and for each answer. What it sends unasked is not read.
package pipeline
