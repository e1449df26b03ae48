// Package authtest signs requests as clients do, for the tests of whatever verifies them.
//
// # What it is
//
// A signer of version 4 of the tests' own, written from the published description line by line and sharing nothing with
// the verifier, so that the two check each other.
//
// # Where it stands on the data path
//
// Nowhere: only tests import it.
//
// # Ownership
//
// What it returns belongs to the caller.
//
// # Concurrency
//
// A Request is a value; signing one changes nothing.
//
// # Errors
//
// A query that is not one is signed as it is; the verifier has to refuse it.
package authtest
