// Package smq is the kind of subscriber of Alibaba Cloud Simple Message Queue (formerly MNS).
//
// # What it is
//
// The HTTP push of a topic in three envelopes: xml, a Notification document; json, the same as an object;
// simplified, the published text alone. The headers tell topic, subscription, id, tag and time in all of
// them. Nothing is signed yet: see AppendHeader for where that goes.
//
// # Where it stands on the data path
//
// Behind the lanes: Body and AppendHeader render what one push carries.
//
// # Ownership
//
// The body of the simplified envelope is a view of the message; the others are in the scratch memory.
//
// # Concurrency
//
// A Kind and its encoders are immutable.
//
// # Errors
//
// An envelope that is none of the three is an *engine.FieldError. Any answer but 2xx is worth another
// try, unless Options.Answers says otherwise.
package smq
