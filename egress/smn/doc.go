// Package smn is the kind of subscriber that Simple Message Notification pushes to over HTTP and HTTPS.
//
// # What it is
//
// One envelope, "json": a compact object with the fields, their order and the headers of the service, for
// notifications and for the two messages of the subscription protocol. A message published with texts by
// protocol (message_structure) is delivered with that of the subscription's protocol, http or https, and else
// with its default text, which is its body. Raw delivery does not exist in the service.
//
// Source: SMN user guide, "HTTP/HTTPS messages" (headers, message formats, verifying signatures), 2024; the
// order of the fields is that of captured messages.
//
// While Options.Signer is nil the objects are not signed: signature, signature_version and signing_cert_url are
// left out then, together.
//
// # Where it stands on the data path
//
// Behind the lanes: Body and AppendHeader render what one push carries.
//
// # Ownership
//
// What is the same in every push of a subscription is prepared once, when its settings change. Body returns
// scratch memory of the caller.
//
// # Concurrency
//
// A Kind and its encoders are immutable.
//
// # Errors
//
// An envelope that is not "json" is an *engine.FieldError. Answers 2xx acknowledge. 4xx refuses for good, as
// the service does not retry it, but for 408 and 429, which ask for another try; everything else, redirects
// among it, is tried again. The sources are silent about 3xx, 408 and 429: Options.Answers can have them otherwise.
package smn
