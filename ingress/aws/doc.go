// Package aws is what the APIs of Amazon have in common beyond their signatures.
//
// # What it is
//
// The names of regions, accounts and queues, the rules of message attributes and of the ids that order messages, access
// policies, and the outer form of requests of the query protocol and of replies. Source: the API references of Amazon SNS and SQS, read in 2026; texts as recorded from AWS by public test suites.
//
// # Where it stands on the data path
//
// Inside the faces of SNS and SQS: below their parsers, which walk a request with Parameters, and below their writers.
//
// # Ownership
//
// What it is handed stays the caller's; a policy that was read is the caller's. What Parameters returns are views of the
// request and of the caller's scratch memory.
//
// # Concurrency
//
// No state.
//
// # Errors
//
// It says what is wrong in a text, or that something is, and hands on scan.ErrFormEscape; the faces give it the code of
// their API.
package aws
