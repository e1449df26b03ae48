// Package smn is the face "smn": the REST API v2 of Simple Message Notification.
//
// # What it is
//
// Publish, topics, subscriptions of http and https endpoints with their confirmation, and versions. Source:
// Huawei Cloud SMN API reference and Open Telekom Cloud SMN API reference (2024); where they are silent,
// what huaweicloud-sdk-go-v3 (v0.1.207) sends and reads. The operations that are documented but not offered
// are listed in route.go and answer with an error that says so.
//
// # Where it stands on the data path
//
// First: publish.go scans the body in place for the spans of its fields, then unescapes each once into the
// Message. Body is what a subscriber of any kind gets; a message_structure is kept beside it as text, and
// the subscriber's kind picks from it.
//
// # Ownership
//
// Views of the request live until Serve returns; a Message is released before that.
//
// # Concurrency
//
// Publishes share nothing. Adding and confirming subscriptions is serialized by one mutex, since both look
// before they change.
//
// # Errors
//
// codes.go is the table. Every error has the keys of both shapes the service uses, so that each of its SDKs
// shows code and text. A throttled publish is 503, never 429: see apigw.
package smn
