// Package auth decides who sent a request: it holds the credentials of the configuration and verifies signatures.
//
// # What it is
//
// A Keyring of credentials, each with its secret and with what it permits, and the signature scheme of Amazon Web
// Services, Signature Version 4, in its two forms: the Authorization header and the presigned query.
//
//	who may do what                  credential.go, keyring.go
//	what a signature claims          claim.go, presigned.go, date.go
//	the text that is signed          canonical.go, query.go, fields.go
//	the verdict                      sigv4.go, signingkey.go
//	how it is refused                fault.go
//
// The hash of the body is always taken from the bytes that arrived. X-Amz-Content-Sha256 must agree with it when it is
// there, so UNSIGNED-PAYLOAD and the streaming forms are refused. A session token is not looked at: credentials here are
// long-lived, and the signature stands for itself.
//
// Source: "AWS Signature Version 4 for API requests" in the IAM user guide, read in 2026; texts of the refusals as
// recorded from AWS by public test suites.
//
// # Where it stands on the data path
//
// In a face, between the parsed head of a request and its operation. The faces decide which permission an operation
// needs and how a refusal is spoken.
//
// # Ownership
//
// A verification keeps nothing of the request; what it needs meanwhile is pooled. What it returns is the Keyring's and
// lives on when the Keyring's credentials are replaced.
//
// # Concurrency
//
// A Keyring and a SigV4 are used by many goroutines at once, without a lock: the credentials are an immutable snapshot,
// and so are the few signing keys that each credential remembers.
//
// # Errors
//
// A refusal is a *Fault with the status, code and text of AWS. The commonest are sentinels, and cost no allocation.
package auth
