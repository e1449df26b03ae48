// Package aliyun is the dialect that the faces smq and rocketmq have in common.
//
// # What it is
//
// The HTTP and XML manners of the two protocols of version 2015-06-06: reply headers, the Error document,
// Content-MD5 in its two encodings, and documents in a name space. What differs is a Dialect.
//
// # Where it stands on the data path
//
// Inside the two faces, around their parsers and replies.
//
// # Ownership
//
// An Exchange and a Document belong to one call of a face's Serve and keep views of its request.
//
// # Concurrency
//
// Dialects are immutable; the rest belongs to the connection's goroutine.
//
// # Errors
//
// A Fault is what the client is told. Faults of a document are those of package scan, and ErrRoot.
package aliyun
