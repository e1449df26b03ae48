// Package dms is the face "dms": the REST API v2 of Distributed Message Service for RocketMQ.
//
// # What it is
//
// SendMessage in both spellings of its path, and topics: create, list, show, delete. An instance is accepted by
// any id of the right form; all of them are one. Source: Huawei Cloud DMS for RocketMQ API reference (revision
// of 2026-04) and Open Telekom Cloud API reference; where they are silent, what huaweicloud-sdk-go-v3 (v0.1.207)
// and gophertelekomcloud send and read. The operations that are documented but not offered are listed in
// route.go and answer with an error that says so.
//
// # Where it stands on the data path
//
// First: send.go scans the body in place for the spans of its fields, then unescapes each once into the Message.
// The reply repeats topic, body and properties as they stood in the request.
//
// # Ownership
//
// Views of the request live until Serve returns; a Message is released before that.
//
// # Concurrency
//
// Requests share nothing.
//
// # Errors
//
// codes.go is the table. What does not exist is 400, not 404, as the service has it. A throttled send is 503,
// never 429: see apigw.
package dms
