// Package sqs puts dead letters into queues that speak the API of Amazon SQS.
//
// # What it is
//
// A kind for egress.Options.Queue: one push is one SendMessage in the AWS JSON protocol 1.0. The endpoint is the URL
// of a queue, BASE/ACCOUNT/NAME; requests are posted to BASE, and name the queue in their body.
//
// The body of the queue's message is what the subscriber would have got, and nothing is added that says why it did
// not: consumers of such queues parse what SNS sends. Where that is the text of the message alone (raw delivery), the
// message's attributes travel as attributes of the queue's message, all of them or, when there are more than ten or
// one is not of a form that SQS takes, none. A text with characters that SQS refuses (it takes what XML 1.0 takes) is
// sent in base64, with the attribute fanfare.encoding = base64. In a queue whose name ends in .fifo the message's group
// and deduplication id are kept; without a group it is the topic, without a deduplication id the message's id.
//
// Requests are not signed yet: the server has to be one that does not ask for it, such as a local one.
//
// Source: Amazon SQS API reference, "SendMessage" and "AWS JSON protocol"; SNS developer guide, "Dead-letter queues" and
// the delivery policy of SQS endpoints, read 2026-11.
//
// # Where it stands on the data path
//
// Behind the lanes of dead letters, around the encoder of the subscription's kind.
//
// # Ownership
//
// Body returns scratch memory of the caller.
//
// # Concurrency
//
// A Kind and its encoders are immutable.
//
// # Errors
//
// 2xx puts the letter into the queue. 408, 429, 5xx, an answer of another class and a 4xx whose error says that it is
// about the load are worth another try. Other 3xx and 4xx (the queue does not exist, access is denied, the message is
// not one for a queue) are final: the letter ends on the built-in list.
package sqs
