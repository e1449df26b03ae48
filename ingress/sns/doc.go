// Package sns is the face of Amazon SNS, API version 2010-03-31.
//
// # What it is
//
// The AWS Query protocol: parameters as a form in the body, in the URL's query, or in both; replies in XML.
// Publish and PublishBatch are parsed by hand and without allocation; the control operations through a map.
//
//	Publish, PublishBatch                                       publish.go, batch.go, attributes.go
//	CreateTopic, DeleteTopic, ListTopics                        topics.go
//	GetTopicAttributes, SetTopicAttributes                      topicattributes.go
//	what of these is about FIFO topics                          fifo.go
//	TagResource, UntagResource, ListTagsForResource             tags.go
//	AddPermission, RemovePermission                             permissions.go
//	PutDataProtectionPolicy, GetDataProtectionPolicy            dataprotection.go
//	Subscribe, ConfirmSubscription, Unsubscribe                 subscribe.go, queues.go, gateways.go, unsubscribe.go
//	ListSubscriptions, ListSubscriptionsByTopic,
//	GetSubscriptionAttributes, SetSubscriptionAttributes        subscriptions.go, settings.go, filter.go
//	the actions of mobile push                                  platform.go, endpoints.go
//	the actions of text messages and their sandbox              sms.go, sandbox.go
//	GET /SimpleNotificationService-....pem, unsigned            certificate.go
//
// With credentials (Options.Keys) every request must be signed by one that permits its action, in the Authorization
// header or in the query; the links in messages, which confirm or end a subscription, may come without a signature
// (authenticate.go). Without credentials every signature is accepted, and so is none.
//
// Endpoints are http and https, and, where Options.Gateways has a gateway for them, sms, application, email and
// email-json: these are pushed to the gateway by the kind "gateway". Lambda and Firehose are refused, never ignored.
// A FilterPolicy holds from the moment it is set; how many there may be is not limited, and "{}"
// removes one as "" does. A DeliveryPolicy becomes the
// subscription's retry policy, its limit of pushes per second and its content type (delivery.go, effective.go); a
// topic's policy is carried into its subscriptions whenever it changes. A RedrivePolicy becomes the queue for dead
// letters. Every other action is answered InvalidAction.
//
// A FIFO topic is one whose engine topic has an order (engine.FIFO); that its name ends in .fifo is asked of those made
// here alone, since other faces name theirs as they like. The engine finds duplicates, within five minutes; who published
// one is answered with the id and the number of the first. What other faces publish to such a topic has no group, and so
// is of the group "". An ArchivePolicy is refused. The publisher's X-Amzn-Trace-Id goes with the message.
//
// What is published to a phone number, or to a platform endpoint itself, goes through the topics "sns.sms" and
// "sns.application", which this API does not show (gateways.go). Stored and returned, and without an effect of their
// own: access and data protection policies, attributes for delivery logs, keys and tracing, and those of text messages.
// MaximumMessageSize has its effect, with http subscribers too. Beyond the service: OptOutPhoneNumber, with which a
// gateway says that a number wants no more messages.
//
// Who unsubscribes without a signature, as the link in a notification does, cancels: the subscription is hidden, its
// endpoint gets an UnsubscribeConfirmation, and the token in that restores it for two days. Subscriptions that nobody
// confirmed are dropped three days after they were last asked for, when their topic's subscriptions next change.
//
// Endpoints are also queues, by their ARN (queues.go): the ARN's name is that of a queue of ours, whatever its region and
// account, unless Options.Queues has a server for these. The queue need not exist; what it cannot get becomes dead letters.
// The kind "sqs" delivers to it. A FIFO topic takes no other subscriptions here; some may have been made otherwise.
//
// Source: Amazon SNS API reference and developer guide, read in 2026, and the service model of the SDKs; texts and
// orders of checks as recorded from AWS by public test suites.
//
// # Where it stands on the data path
//
// Between the ingress server and Engine.Publish. A subscription made here is pushed by the kinds "sns", "sqs" and
// "gateway", which read the labels it leaves.
//
// # Ownership
//
// What a request needs while it is parsed is a pooled call: views of the request, and scratch memory. Text is
// decoded once, from the request's bytes into its Message. Topics and subscriptions keep what is SNS's own as labels;
// applications, endpoints and phone numbers are documents of the engine, whose keys begin with "sns.".
//
// # Concurrency
//
// A Face is called from many goroutines at once. A call belongs to the goroutine that serves it.
//
// # Errors
//
// ErrorResponse documents with the codes and texts of SNS; the table from the engine's errors is in codes.go.
package sns
