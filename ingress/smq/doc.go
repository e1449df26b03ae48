// Package smq is the face of Alibaba Cloud Simple Message Queue (formerly MNS), version 2015-06-06.
//
// # What it is
//
// Topics, their subscriptions, and PublishMessage, as XML over HTTP. Queues, account attributes and
// OpenService are answered with the protocol's InvalidRequestURL: there is nothing behind them here.
//
// A topic's attributes are kept in labels of the topic that begin with "smq."; a topic that came through
// another face has the defaults. Subscriptions are of the kind "smq"; those of other kinds are not shown,
// but their names are taken.
//
// # Where it stands on the data path
//
// Between the ingress server and Engine.Publish: publish.go reads a message straight from the request into
// a Message, reply.go writes what the client sees.
//
// # Ownership
//
// Everything of a request ends with Serve. The Message is released there too; the engine has its own
// references.
//
// # Concurrency
//
// The face is called from every connection at once. Publishing takes no lock; operations that look before
// they change are serialized.
//
// # Errors
//
// codes.go is the table from errors of the engine to codes of the protocol, and lists the texts.
package smq
