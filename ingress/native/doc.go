// Package native is Fanfare's own face: topics, subscriptions, publishing, dead letters and replays under /v1.
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
// and, with S for /v1/topics/{t}/subscriptions/{s},
//
//	POST   S/replay               set the subscription back, or on; 200 {"sequence":n}, where it came to
//	GET    S/deadletters          list dead letters without their bodies: ?limit and the filter below
//	GET    S/deadletters/{n}      one, whole; ?raw=true is the bytes of its body alone
//	POST   S/deadletters/replay   make deliveries again; 200 {"replayed":n,"next":n}
//	DELETE S/deadletters          drop: the filter, or ?all=true, and ?limit; 200 {"purged":n,"next":n}
//	DELETE S/deadletters/{n}      drop one; 204
//
// A list that was cut ends with "next": what to send as ?after. So does a replay or a purge that came to its limit
// and has not done all.
//
// The filter of dead letters is after (a sequence), reason (refused, max_attempts, max_age), status (of the last
// answer), since and until (RFC 3339, when the delivery ended): parameters of a query, or keys of a replay's JSON
// object. A replay may have, besides, limit (default and maximum 10,000), and rate, how many become due per second;
// or instead of filter and limit sequences, a list of up to 1000. The replay of a subscription is one of
// {"sequence":n}, {"time":"2026-01-31T12:00:00Z"}, {"age":"1h"} and {"from":"earliest"} or {"from":"latest"}.
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
// The settings of a topic are {"retention":{"age":"24h","bytes":1073741824}}: how long it keeps what every
// subscription has settled, up to an age, up to a size (also as text, "1GiB"), or what both allow. A PUT that leaves
// retention out leaves it as it is; {"retention":{}} keeps nothing.
//
// The settings of a subscription are a JSON object with the keys of the configuration file: kind, endpoint,
// envelope, max_in_flight, pipeline, max_per_second, ordered, filter_tag, filter_policy (the text of a policy as Amazon SNS
// has them) with filter_policy_scope, retry, answers (accept, retry, final: lists of statuses) and dead_letters (topic or
// queue), durations as text. What is left out gets its default; ordered is always true on a FIFO topic. A key that is
// unknown, or is there twice, is an error; the keys a GET adds (name, topic, pending, declared, created_at, updated_at,
// state) are ignored, so that what was read can be edited and sent back. The state is what is being done for the
// subscription: live, lagging or paused, how far it is, what failed last, how many groups of an ordered one wait for
// another try, and when its endpoint is asked again.
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
