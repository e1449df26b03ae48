// Package sns is the kind of subscriber that Amazon SNS pushes to over HTTP and HTTPS.
//
// # What it is
//
// Two envelopes: "json", the notification document, and "raw", the bytes of the message alone (raw message
// delivery). The messages of the subscription protocol, SubscriptionConfirmation and UnsubscribeConfirmation, are
// documents in both. A message that was published with a text per protocol (MessageStructure json) is delivered
// with that of the subscription's protocol, http or https, and else with its default text, which is its body.
//
// Source: Amazon SNS developer guide, "HTTP/HTTPS headers", "Parsing Amazon SNS message formats" and "Fanout Amazon
// SNS notifications to HTTPS endpoints", read in 2026; order of the fields, indentation and header set as recorded
// from AWS.
//
// With Options.Signer the messages of the subscription protocol are signed, and the notifications of topics whose
// attribute SignatureVersion was set, or of all with SignAlways: see egress/sign. What is not signed leaves out
// SignatureVersion, Signature and SigningCertURL, together; raw delivery has no place for them. A subject that is
// empty, which SNS does not know, is left out: readers that verify disagree on it.
//
// A notification of a FIFO topic has the member SequenceNumber and is never signed, as the service's are: its messages of
// the subscription protocol, which the service does not have, are signed like those of other topics.
//
// # Where it stands on the data path
//
// Behind the lanes: Body and AppendHeader render what one push carries.
//
// # Ownership
//
// What is the same in every push of a subscription is prepared once, when its settings change. Body returns scratch
// memory of the caller or a view of the message.
//
// # Concurrency
//
// A Kind and its encoders are immutable.
//
// # Errors
//
// An envelope that is neither of the two is an *engine.FieldError. Answers 2xx acknowledge; 429 and 5xx, and those
// that say nothing, are worth another try; every other 3xx and 4xx refuses for good, as SNS does not retry
// client-side errors. Where an account of
// the service says otherwise, Options.Answers says so too: an older page has 3xx and 4xx as answers that acknowledge.
package sns
