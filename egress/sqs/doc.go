// Package sqs delivers into queues: those of this engine, and those of a server that speaks the API of Amazon SQS.
//
// # What it is
//
// The kind "sqs" of subscriptions, and the kind for egress.Options.Queue, which puts dead letters into queues. A queue of
// ours is called queue:NAME, and a push is a publish to its topic, without a request. Another is called by its URL,
// BASE/ACCOUNT/NAME: one push is one SendMessage in the AWS JSON protocol 1.0, posted to BASE and naming the queue in its
// body; or, where the server shows that it does not know that, in the older protocol of forms, posted to the queue's own
// path (dialect.go).
//
// Two envelopes: "sns", the notification document of Amazon SNS, and "raw", the text of the message with its attributes as
// attributes of the queue's message: ten at the most, of the types String, Number and Binary. A message with others is
// refused by a queue of ours, and sent as it is to another server, which will refuse it.
//
// The body of a dead letter is what the subscriber would have got, and nothing is added that says why it did
// not: consumers of such queues parse what SNS sends. Where that is the text of the message alone, the attributes travel
// too if they can, and else are left out. A text with characters that SQS refuses (it takes what XML 1.0 takes) is
// sent in base64, with the attribute fanfare.encoding = base64.
//
// A FIFO queue gets the message's group and deduplication id. Without a group that is the topic; without a
// deduplication id it is the SHA-256 of the text in hex when the topic is a FIFO one, and else the message's id. A standard
// queue gets the group of a standard topic's message, and nothing of a FIFO one's. The publisher's trace goes with all of
// them, as the system attribute AWSTraceHeader elsewhere. How long a message was to live in its topic is of no concern to a
// queue.
//
// Requests are not signed yet: another server has to be one that does not ask for it, such as a local one.
//
// Source: Amazon SQS API reference, "SendMessage", "AWS JSON protocol" and "Making Query API requests"; SNS developer guide,
// "Fanout to Amazon SQS queues", "Dead-letter queues", "Message delivery for FIFO topics" and the delivery policy of SQS
// endpoints, read 2026-11.
//
// # Where it stands on the data path
//
// Behind the lanes, around the encoder of the documents or, of a dead letter, of the subscription's kind.
//
// # Ownership
//
// Body returns scratch memory of the caller. Place fills a message of the caller, and keeps nothing of either.
//
// # Concurrency
//
// A Kind and its encoders are immutable, but for the dialect of a queue elsewhere, which is atomic.
//
// # Errors
//
// A queue of ours refuses for good what is larger than it takes, and attributes as said above. Of another, 2xx puts the
// message into the queue. 408, 429, 5xx, an answer of another class and a 4xx whose error says that it is
// about the load are worth another try. Other 3xx and 4xx (the queue does not exist, access is denied, the message is
// not one for a queue) are final.
package sqs
