// Package sign makes the signatures of Amazon SNS documents.
//
// # What it is
//
// One RSA key with its certificate, the text a signature covers (canonical.go), and a cache of signatures (cache.go).
// Version 1 is RSA PKCS #1 v1.5 over SHA-1, version 2 over SHA-256. A signature costs about 1 ms of CPU, as much as fifty
// plain pushes, and one that is remembered 0.1 µs: BenchmarkAppendMembers. So each is made once: every subscription,
// attempt and connection that renders the same document gets the same one, and those that ask while it is made wait for
// it. What is asked for again when the cache has no room for it any more is signed anew, with the same result.
//
// Key and certificate are those of Options.KeyFile and Options.CertificateFile, or are generated when the first
// document is signed and kept in the file "sns-signing.pem" of Options.Dir, which only its owner may read.
//
// Source: Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages", read in 2026.
//
// # Where it stands on the data path
//
// Behind the lanes: the kind "sns" calls AppendMembers while it renders a document. A hit of the cache allocates
// nothing; making a signature allocates what crypto/rsa does.
//
// # Ownership
//
// A Signer keeps nothing of a message. The cache knows a signature by the message's id, the checksum of its record and
// a hash of whatever else is signed, never by the memory the message lies in, which is used again for others.
//
// # Concurrency
//
// A Signer is used from many goroutines at once. The cache is cut into sets, each behind its own lock; no lock is held
// while a signature is made. Fewer are made at a time than there are CPUs.
//
// # Errors
//
// What is wrong with the files that were named is said by New. A key that cannot be generated or kept is logged and
// tried again ten seconds later; documents go out unsigned meanwhile.
package sign
