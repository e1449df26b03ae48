// Package sns is the face of Amazon SNS, API version 2010-03-31.
//
// # What it is
//
// The AWS Query protocol: parameters as a form in the body, in the URL's query, or in both; replies in XML.
// Publish and PublishBatch are parsed by hand and without allocation; the control operations through a map.
//
//	Publish, PublishBatch                                       publish.go, batch.go, attributes.go
//	CreateTopic, DeleteTopic, ListTopics,
//	GetTopicAttributes, SetTopicAttributes                      topics.go
//	Subscribe, ConfirmSubscription, Unsubscribe                 subscribe.go
//	ListSubscriptions, ListSubscriptionsByTopic,
//	GetSubscriptionAttributes, SetSubscriptionAttributes        subscriptions.go, settings.go, filter.go
//
// Endpoints are http and https. FIFO topics are refused, never ignored. A FilterPolicy holds from the moment it is set;
// how many there may be is not limited, and "{}" removes one as "" does. A DeliveryPolicy becomes the
// subscription's retry policy, its limit of pushes per second and its content type (delivery.go, effective.go); a
// topic's policy is carried into its subscriptions whenever it changes. A RedrivePolicy becomes the queue for dead
// letters: Options.Queues/ACCOUNT/NAME. Every other action is answered InvalidAction.
//
// Source: Amazon SNS API reference and developer guide, read in 2026, and the service model of the SDKs; texts and
// orders of checks as recorded from AWS by public test suites.
//
// # Where it stands on the data path
//
// Between the ingress server and Engine.Publish. A subscription made here is pushed by the kind "sns", which reads
// the labels it leaves.
//
// # Ownership
//
// What a request needs while it is parsed is a pooled call: views of the request, and scratch memory. Text is
// decoded once, from the request's bytes into its Message.
//
// # Concurrency
//
// A Face is called from many goroutines at once. A call belongs to the goroutine that serves it.
//
// # Errors
//
// ErrorResponse documents with the codes and texts of SNS; the table from the engine's errors is in codes.go.
package sns
