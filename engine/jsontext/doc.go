// Package jsontext renders and reads the texts of JSON, for faces and kinds of subscribers alike, which do not know
// each other.
//
// # What it is
//
// Strings escaped and unescaped by appending, and the look-up of one text in a JSON object of texts by
// protocol (FieldStructure). Source: RFC 8259.
//
// # Where it stands on the data path
//
// Inside the faces, below their parsers and replies, and inside the kinds, below Encoder.Body.
//
// # Ownership
//
// The Append functions copy into memory of the caller; ByProtocol returns a view of its input.
//
// # Concurrency
//
// No state.
//
// # Errors
//
// None: a literal is one that a scanner accepted, a record holds what a face has checked, and what a face could not check is repaired, so that a body is
// JSON whatever the message is. Nothing here reads outside its input.
package jsontext
