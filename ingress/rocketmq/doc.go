// Package rocketmq is the face of ApsaraMQ for RocketMQ over HTTP, version 2015-06-06.
//
// # What it is
//
// Sending: normal, scheduled, ordered and transactional messages, and the end of transactions. Consuming is
// answered with the protocol's InvalidRequestURL; an ack with ReceiptHandleError for each handle, since none
// was ever given out.
//
// The query's "ns", an instance, is accepted and names nothing: a topic is one topic under all instances, as
// it is under all faces. The protocol has no call that creates topics.
//
// # Where it stands on the data path
//
// Between the ingress server and Engine.Publish, or Engine.Hold for the half message of a transaction; the
// receipt handle of a half message is the engine's handle, printed.
//
// # Ownership
//
// Everything of a request ends with Serve. The Message is released there too; the engine has its own
// references.
//
// # Concurrency
//
// The face is called from every connection at once and keeps no state.
//
// # Errors
//
// codes.go is the table from errors of the engine to codes of the protocol, and lists the texts.
package rocketmq
