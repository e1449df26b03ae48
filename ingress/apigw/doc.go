// Package apigw holds what the faces of one cloud share: the API gateway in front of SMN and DMS.
//
// # What it is
//
// Request paths cut into segments, project ids, request ids, and the gateway's own errors. Source: SMN API
// reference and DMS for RocketMQ API reference, "Calling APIs"; the gateway's error codes, 2023-12.
//
// # Where it stands on the data path
//
// Inside the faces smn and dms, before and behind what is theirs.
//
// # Ownership
//
// A Path holds views of the request and is valid as long as they are.
//
// # Concurrency
//
// No state.
//
// # Errors
//
// Error is one line of an error table; the faces print it in their shapes.
package apigw
