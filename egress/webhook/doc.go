// Package webhook is the kind of subscriber that speaks plain HTTP: Fanfare's own.
//
// # What it is
//
// Two envelopes. In both the body of a push is the body of the message, byte by byte.
//
//	raw          Content-Type of the message, application/octet-stream without one, and the headers
//	             Fanfare-Message-Id, Fanfare-Topic, Fanfare-Sequence, Fanfare-Subscription, Fanfare-Attempt
//	cloudevents  CloudEvents 1.0 in the binary mode of its HTTP binding: ce-specversion, ce-id, ce-source
//	             (/v1/topics/NAME), ce-type (fanfare.message), ce-time, and when the message has them ce-subject
//	             and ce-tag; ce-sequence is the sequence in the topic; Fanfare-Subscription and Fanfare-Attempt
//
// An answer 2xx acknowledges and 410 refuses for good. Everything else is worth another try, 4xx included: an
// endpoint that is being deployed, or guarded by a login that expired, answers with those too, and a message that
// was accepted must not be lost to that. The retry policy bounds it.
//
// # Where it stands on the data path
//
// Behind the lanes: Body and AppendHeader render what one push carries.
//
// # Ownership
//
// Body returns a view of the message; it is valid as long as the message is.
//
// # Concurrency
//
// A Kind and its encoders are immutable.
//
// # Errors
//
// An envelope that is neither of the two is an *engine.FieldError.
package webhook
