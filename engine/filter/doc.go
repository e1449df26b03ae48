// Package filter decides which messages a subscription with a filter policy wants. The language is that of Amazon SNS.
//
// # What it is
//
// Compile turns the text of a policy into a Policy, once; a Policy looks at attributes (Attribute, Verdict) or at a body
// that is a JSON object (MatchBody), without allocating.
//
//	policy.go       the compiled form, and the verdict
//	compile.go      the structure of a policy: keys, nesting, "$or", limits
//	tree.go         a policy's text as a tree in the order of the text
//	operator.go     the match expressions and what is wrong with them
//	field.go        the values one key accepts
//	attributes.go   the scope MessageAttributes
//	body.go         the scope MessageBody: one pass over the JSON text, no tree
//	literal.go decimal.go address.go    comparing texts, numbers and IP addresses where they stand
//	index.go        which of very many policies a message can match at all
//
// A policy matches when every key does; a key does when any of the values found for it meets any member of its array.
// In a body keys are joined with '.', so that {"a.b":1} and {"a":{"b":1}} are the same, in policy and message; arrays
// are looked through at any depth, and two keys may be met by different members of an array of objects. A key that
// occurs more than once in an object counts with each of its values. Numbers are compared as the decimals that stand
// there, without rounding. A body that is not one JSON object in UTF-8, or is nested deeper than DepthMax, matches
// nothing.
//
// Sources: Amazon SNS developer guide, "Message filtering" and its constraints, read in 2026; texts of errors as
// recorded from AWS by public test suites; where both are silent, the behaviour of the library aws/event-ruler, whose
// texts SNS uses. Unlike it, a block of addresses begins at its first address, whatever address names it, and may be a
// single address; a key that is met inside "$or" and outside it has to be met twice.
//
// # Where it stands on the data path
//
// Below engine, in the lane's decision whether it takes a message. It imports only engine/jsontext.
//
// # Ownership
//
// A Policy copies what it needs of its text. What is matched is read, never kept.
//
// # Concurrency
//
// A Policy does not change and may be used by many goroutines at once. An Evaluation belongs to one.
//
// # Errors
//
// Compile returns an *Error, which is an ErrPolicy and says in SNS's words what is wrong. Matching cannot fail.
package filter
