// Package sqs is the face of Amazon SQS, API version 2012-11-05, over the engine's queues.
//
// # What it is
//
// Both protocols of the service: AWS JSON 1.0, which the SDKs speak since 2023, and the query protocol before it, with
// forms and XML. They are told apart by X-Amz-Target and the content type; from the parsed form on they share all code.
// Sending and receiving are parsed and answered by hand; SendMessage and SendMessageBatch allocate nothing.
//
//	the requests of both protocols, taken apart           input.go, json.go, jsonlists.go, query.go
//	SendMessage, SendMessageBatch                          send.go, batch.go, message.go, messageattributes.go, checksum.go
//	ReceiveMessage                                         receive.go, filter.go
//	DeleteMessage, ChangeMessageVisibility, their batches  settle.go, receipt.go
//	CreateQueue, DeleteQueue, PurgeQueue, ListQueues,
//	GetQueueUrl, ListDeadLetterSourceQueues                queues.go
//	GetQueueAttributes, SetQueueAttributes                 attributes.go, settings.go, redrive.go
//	TagQueue, UntagQueue, ListQueueTags                    tags.go
//	AddPermission, RemovePermission                        permissions.go
//	the message move tasks                                 moves.go
//
// A request is for SQS by its target, by the scope of its signature, by the path of a queue, /ACCOUNT/NAME, or at "/" by the
// API version or the action, in the URL or in a small form. Queues are found by the last part of QueueUrl, on whatever host,
// and their names are one name space whatever region and account an ARN has. The URLs that are answered begin with
// Options.PublicURL, or else with the host that the request was sent to.
//
// With credentials (Options.Keys) every request must be signed by one that permits its action. Without credentials every
// signature is accepted, and so is none.
//
// Otherwise than the service: a queue can be made again, and be purged again, without waiting a minute; SenderId is the
// account; ReceiveRequestAttemptId is accepted and has no effect. Policies and the attributes of encryption are kept and
// returned, and have no other effect. Beyond the service: text of other APIs that is not UTF-8 is delivered repaired, with
// the MD5 of what is delivered.
//
// Source: Amazon SQS API reference and developer guide, read in 2026, and the service model of the SDKs; texts and orders
// of checks as recorded from AWS by public test suites.
//
// # Where it stands on the data path
//
// Between the ingress server and the engine: sending is Engine.Publish to a queue's topic, receiving is Queue.Receive.
//
// # Ownership
//
// What a request needs while it is parsed and answered is a pooled call: views of the request, and scratch memory. Text is
// decoded once, from the request's bytes into its Message. Messages that were received are released when the reply is
// written. Queues keep what is SQS's own as labels, whose keys begin with "sqs.".
//
// # Concurrency
//
// A Face is called from many goroutines at once. A call belongs to the goroutine that serves it; a receiver that waits
// blocks in the goroutine of its connection, and any goroutine may ask whether its client is still there.
//
// # Errors
//
// Those of the service, in the form of the request's protocol, with the code of the query protocol in x-amzn-query-error
// where the client asks for it; the table from the engine's errors is in codes.go.
package sqs
