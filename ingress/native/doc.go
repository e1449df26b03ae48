// Package native is Fanfare's own face: topics, subscriptions and publishing under /v1.
//
// # What it is
//
//	PUT    /v1/topics/{t}                     make a topic; 201, or 200 when it exists
//	GET    /v1/topics                         list topics: ?prefix, ?after, ?limit (1 to 1000, default 100)
//	GET    /v1/topics/{t}                     one topic
//	DELETE /v1/topics/{t}                     delete a topic, its subscriptions and its messages; 204
//	POST   /v1/topics/{t}/messages            publish the body as it is; 201 {"id":"<uuid>","sequence":n}
//	PUT    /v1/topics/{t}/subscriptions/{s}   make a subscription or replace its settings; 201 or 200
//	GET    /v1/topics/{t}/subscriptions       list subscriptions: ?after, ?limit
//	GET    /v1/topics/{t}/subscriptions/{s}   one subscription
//	DELETE /v1/topics/{t}/subscriptions/{s}   delete a subscription and what it is owed; 204
//
// A list that was cut ends with "next": the name to send as ?after.
//
// A publish may carry, beside its Content-Type,
//
//	X-Fanfare-Subject   subject, up to 1024 bytes of UTF-8 without control characters
//	X-Fanfare-Tag       tag that subscriptions filter by, up to 255 bytes of the same
//	X-Fanfare-Delay     deliver not before: seconds, or a duration such as 1m30s; up to 960h
//	X-Fanfare-TTL       deliver not later: likewise, from the moment it may be delivered; up to 336h
//
// The sequence of a delayed message is 0: it gets one when it is due.
//
// The settings of a subscription are a JSON object with the keys of the configuration file: kind, endpoint,
// envelope, max_in_flight, pipeline, filter_tag, and retry with min_delay, max_delay, max_attempts, max_age and
// timeout, durations as text. What is left out gets its default. A key that is unknown, or is there twice, is an
// error; the keys a GET adds (name, topic, pending, declared, created_at, updated_at) are ignored, so that what
// was read can be edited and sent back.
//
// # Where it stands on the data path
//
// Between the ingress server and Engine.Publish; see publish.go.
//
// # Ownership
//
// A publish is copied once, from the request's body into its Message, which the face releases.
//
// # Concurrency
//
// A Face has no state of its own and serves any number of requests at once.
//
// # Errors
//
// {"error":"code","message":"text"} with a fitting status. The table from the engine's errors is in codes.go.
package native
