// Package mail is a gateway for the protocols email and email-json of SNS: it takes what the kind "gateway" pushes and
// sends it as mail.
//
// # What it is
//
// An HTTP server on the loopback interface, on a port of the kernel's choice and a path that nobody can guess, which
// speaks SMTP to the server of its options: so mail is saved, retried and, in the end, a dead letter like everything
// else, although pushes are HTTP. Mail for the protocol email is the text with the link that unsubscribes beneath it;
// for email-json it is the JSON object that the gateway got. Confirmations carry their link.
//
// STARTTLS is used where the server offers it, and a password is sent over TLS alone, unless the server is on the same
// machine. Every mail has a connection of its own; there are at most Options.Connections at once.
//
// # Where it stands on the data path
//
// Behind the lanes, at the other end of a push: a push is answered when the SMTP server took the mail over.
//
// # Ownership
//
// A Gateway owns its listener from New on; Close gives it up.
//
// # Concurrency
//
// Each push is served by a goroutine of the HTTP server. Close waits for them.
//
// # Errors
//
// What the SMTP server refuses for good for a recipient or a text, 5xx to RCPT or DATA, is answered 422, which the kind
// takes for final. Everything else, a refused sender or password too, is answered 503 and tried again: somebody may
// mend it.
package mail
